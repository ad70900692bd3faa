"""Redoit reads projects exactly as DVC does: a table, and generated ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compat.spec_cases import CASES, OURS_REFUSES
from tests.compat.spec_generator import generate
from tests.compat.spec_oracle import SpecOracle, compare, write_project

pytestmark = pytest.mark.oracle


@pytest.fixture(scope="module")
def oracle(dvc_bin: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpecOracle]:
    driver = SpecOracle(dvc_bin, tmp_path_factory.mktemp("home"))
    yield driver
    driver.close()


@pytest.mark.parametrize("name", CASES)
def test_reads_as_dvc_does(name: str, oracle: SpecOracle, tmp_path: Path) -> None:
    root = write_project(tmp_path, CASES[name])
    compare(oracle, root, may_differ=name in OURS_REFUSES)


@pytest.mark.parametrize("seed", range(60))
def test_reads_generated_projects_as_dvc_does(
    seed: int, oracle: SpecOracle, tmp_path: Path
) -> None:
    root = write_project(tmp_path, generate(seed))
    compare(oracle, root)

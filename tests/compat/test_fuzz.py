"""A few cases of the differential fuzz; ``python -m tests.compat.fuzz`` runs as many as wanted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compat import fuzz
from tests.compat.oracle import Oracle, oracle

CASES = 20


@pytest.fixture(scope="module")
def dvc(dvc_bin: Path) -> Iterator[Oracle]:
    with oracle(dvc_bin) as process:
        yield process


@pytest.mark.oracle
@pytest.mark.parametrize("seed", [str(number) for number in range(1, CASES + 1)])
def test_runs_and_records_what_dvc_does(seed: str, tmp_path: Path, dvc: Oracle) -> None:
    runs = fuzz.check(fuzz.Case.of(seed), tmp_path / "case", dvc)
    assert runs >= 4

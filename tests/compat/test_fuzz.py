"""A few cases of the differential fuzz; ``python -m tests.compat.fuzz`` runs as many as wanted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compat import fuzz
from tests.compat.oracle import Oracle

CASES = 20


@pytest.mark.oracle
@pytest.mark.parametrize("seed", [str(number) for number in range(1, CASES + 1)])
def test_runs_and_records_what_dvc_does(seed: str, tmp_path: Path, dvc: Oracle) -> None:
    runs = fuzz.check(fuzz.Case.of(seed), tmp_path / "case", dvc)
    assert runs >= 4

"""Some runs killed at random moments; ``python -m tests.kill`` kills as many as wanted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kill.kill import Site
from tests.kill.soak import Soak

TRIALS = 24


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("kill") / "site")


@pytest.mark.kill
@pytest.mark.parametrize("seed", [str(number) for number in range(1, TRIALS + 1)])
def test_the_run_after_a_kill_is_right(seed: str, site: Site) -> None:
    site.trial(seed)


@pytest.mark.kill
def test_no_experiment_is_lost_when_workers_are_killed(tmp_path: Path) -> None:
    Soak(tmp_path, "1").go(20, 3, 4, 240)

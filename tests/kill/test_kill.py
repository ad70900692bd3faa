"""Some runs killed at random moments; ``python -m tests.kill`` kills as many as wanted."""

from __future__ import annotations

import pytest

from tests.kill.kill import Site

TRIALS = 24


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("kill") / "site")


@pytest.mark.kill
@pytest.mark.parametrize("seed", [str(number) for number in range(1, TRIALS + 1)])
def test_the_run_after_a_kill_is_right(seed: str, site: Site) -> None:
    site.trial(seed)

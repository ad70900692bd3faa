"""What a run with nothing to do costs, counted instead of timed: calls of functions, questions to the disk, bytes.

Counts have no noise. They grow with the number of stages and no faster, and stay under a limit per stage. Who makes a
hot path cheaper lowers the limit; who must raise it says why.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import pytest
from benchmarks.pipelines import LAST_SOURCE, Recipe, make_pipeline
from benchmarks.writers import write_dvc

import redoit
from redoit import Project
from redoit.engine.commit import commit_workspace
from redoit.engine.session import open_session
from redoit.graph import post_order
from redoit.model import Outcome, Request
from tests.arch.counting import counted

SIZES = (60, 120)
OURS = (str(Path(redoit.__file__).parent), "/doit/")
LOOKS = {"stat", "lstat", "scandir", "open", "readlink"}


class Count(NamedTuple):
    """Of one run: calls made by the code of Redoit and doit, and how many of them asked the disk."""

    calls: int
    looks: int


def count(action: Callable[[], object]) -> Count:
    """Count in all threads while ``action`` is carried out."""

    def names(frame: FrameType, event: str, what: Any) -> Iterator[str]:
        if event in ("call", "c_call") and any(part in frame.f_code.co_filename for part in OURS):
            yield "calls"
            # Of the module `posix`, or the method of an entry of a folder.
            if event == "c_call" and what.__name__ in LOOKS:
                yield "looks"

    found = counted(action, names)
    return Count(found["calls"], found["looks"])


def project(root: Path, shape: str, size: int) -> Project:
    """An up-to-date project; its commands were never run, but what they would write is there and recorded."""
    pipeline = make_pipeline(Recipe(size, shape))
    write_dvc(root, pipeline)
    for step in pipeline.steps:
        (root / step.out).write_text(f"{step.number}\n")
    made = Project(root)
    with open_session(made.layout) as session:
        commit_workspace(session, post_order(session.graph.stages, session.graph.upstream))
    for _ in range(2):  # the first reads what was just written once more
        assert {stage.outcome for stage in made.repro().stages} == {Outcome.UP_TO_DATE}
    return made


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[Project]]:
    """Shape → an up-to-date project of each size."""

    @cache
    def of(shape: str) -> list[Project]:
        return [project(tmp_path_factory.mktemp("cost"), shape, size) for size in SIZES]

    return of


@pytest.mark.parametrize(
    ("shape", "calls", "looks"),
    [
        # For each stage: its out, and whether the cache has it.
        ("wide", 150, 2.01),
        ("layers", 185, 2.1),
        ("chain", 170, 2.01),
        # Half of the stages read the other half; here the sources become more too.
        ("fan-in", 180, 2.4),
    ],
)
def test_a_run_with_nothing_to_do_is_linear_and_cheap(
    shape: str, calls: int, looks: float, projects: Callable[[str], list[Project]]
) -> None:
    small, large = [count(made.repro) for made in projects(shape)]
    more = SIZES[1] - SIZES[0]
    assert (large.calls - small.calls) / more <= calls
    assert (large.looks - small.looks) / more <= looks
    # What does not grow with the stages: reading the project, opening what was kept.
    assert small.looks - SIZES[0] * looks <= 80
    assert small.calls - SIZES[0] * calls <= 4000


@pytest.mark.parametrize(
    ("shape", "calls"),
    [
        ("wide", 165),
        ("layers", 235),
        # What reads the same as the one that changed is left to doit: here half of the stages.
        ("fan-in", 600),
    ],
)
def test_one_change_costs_little_more(
    shape: str, calls: int, projects: Callable[[str], list[Project]]
) -> None:
    found = []
    for made in projects(shape):
        source = Path(made.root, LAST_SOURCE)
        before = source.read_text()
        source.write_text("changed\n")
        found.append(count(partial(made.repro, Request(dry=True))))
        source.write_text(before)
        made.repro()
    small, large = found
    assert (large.calls - small.calls) / (SIZES[1] - SIZES[0]) <= calls


def test_counting_sees_what_becomes_dearer(tmp_path: Path) -> None:
    made = project(tmp_path, "wide", 10)
    first, second, twice = (count(act) for act in (made.repro, made.repro, lambda: both(made)))
    assert first == second, "counts have no noise"
    assert twice.looks == 2 * first.looks and twice.calls == 2 * first.calls


def both(made: Project) -> None:
    made.repro()
    made.repro()


def held(action: Callable[[], object]) -> int:
    """The most bytes that were in use at a time while ``action`` was carried out."""
    gc.collect()
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    # With room for the objects of other Pythons; doit's task of a stage would be 5,000 more.
    ("shape", "most"),
    [("wide", 4000), ("layers", 5300), ("fan-in", 8000)],
)
def test_memory_is_linear_and_small(
    shape: str, most: int, projects: Callable[[str], list[Project]]
) -> None:
    for made in projects(shape):
        made.repro()
    small, large = [held(made.repro) for made in projects(shape)]
    assert (large - small) / (SIZES[1] - SIZES[0]) <= most

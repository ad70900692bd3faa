"""Which stages doit is not asked about, and that nobody can tell."""

from __future__ import annotations

import pytest

from redoit.engine import run as engine_run
from redoit.engine.listener import Silent
from redoit.engine.session import load_session
from redoit.engine.settled import rest_of, settled_stages
from redoit.model import Outcome, Request
from redoit.project import Layout
from redoit.selection import select
from tests.unit.test_engine_run import Pipeline, all_of, fan_in

SHARED = """
stages:
  first:
    cmd: join a.in data/x > first.out
    deps: [a.in, data/x]
    outs: [first.out]
  second:
    cmd: join data > second.out
    deps: [data]
    outs: [second.out]
  third:
    cmd: join second.out > third.out
    deps: [second.out]
    outs: [third.out]
  other:
    cmd: join x.in > other.out
    deps: [x.in]
    outs: [other.out]
"""


@pytest.fixture
def pipeline(tmp_path):
    made = Pipeline(tmp_path.resolve())
    made.run()
    return made


def settled(pipeline, *targets, forced=(), **options):
    """The settled stages, and the plan that is left, as the names of stages with what they come after."""
    request = Request(targets=targets, **options)
    session = load_session(Layout(pipeline.root))
    try:
        plan = select(session.graph, session.index.groups, request, pipeline.root)
        found = settled_stages(plan, session, forced)
    finally:
        session.state.close()
    return set(found), dict(rest_of(plan, found).upstream)


def change_of(path):
    return lambda pipeline: pipeline.write(path, "changed")


@pytest.mark.parametrize(
    ("change", "rest"),
    [
        (lambda pipeline: None, {}),
        (change_of("c.in"), {"c": ()}),
        (change_of("a.in"), {"a": (), "b": ("a",), "c": ("b",)}),
        (lambda pipeline: pipeline.remove("b.out"), {"b": (), "c": ("b",)}),
        (lambda pipeline: pipeline.remove("x.in"), {"lone": ()}),
    ],
)
def test_what_may_run_is_left_to_doit(pipeline, change, rest):
    change(pipeline)
    assert settled(pipeline) == ({"a", "b", "c", "lone"} - set(rest), rest)


def test_what_is_forced_is_left_to_doit(pipeline):
    assert settled(pipeline, forced={"b"}) == ({"a", "lone"}, {"b": (), "c": ("b",)})


def test_stages_alone_are_asked_alone(pipeline):
    pipeline.write("a.in", "changed")
    assert settled(pipeline, "c", single_item=True) == ({"c"}, {})
    assert settled(pipeline, "c", "b", "a", single_item=True)[1] == {"a": ()}


def test_who_reads_what_a_command_may_write_is_left_to_doit(pipeline):
    pipeline.write("data/x", "x")
    pipeline.write("dvc.yaml", SHARED.replace("join data >", "join data/x >"))
    pipeline.run()
    assert settled(pipeline) == ({"first", "second", "third", "other"}, {})
    pipeline.write("a.in", "changed")
    # `second` reads the folder of what `first` reads; `third` comes after it.
    assert settled(pipeline)[1] == {"first": (), "second": (), "third": ("second",)}
    pipeline.executor.before = lambda stage: (
        pipeline.write("data/x", "by the command") if stage == "first" else None
    )
    assert pipeline.outcomes() == {
        **all_of(Outcome.RAN, "first", "second", "third"),
        "other": Outcome.UP_TO_DATE,
    }


def test_many_that_read_the_same_many_are_taken_together(pipeline):
    pipeline.write("dvc.yaml", fan_in(20))
    pipeline.run()
    assert settled(pipeline)[1] == {}
    pipeline.remove("x.out")
    found, rest = settled(pipeline)
    # What `x` reads, `y` and `z` read as well.
    assert set(rest) == {"x", "y", "z"} and len(found) == 20
    assert set(rest.values()) == {()}


class Told(Silent):
    """Keeps the names of stages in the order in which their ends are told."""

    def __init__(self):
        self.stages = []

    def finished(self, stage, result):
        self.stages.append(f"{stage.address}: {result.outcome.value}")


def test_settled_stages_are_told_of_in_their_turn(pipeline):
    pipeline.write("c.in", "changed")
    told = Told()
    pipeline.run(listener=told)
    assert told.stages == ["a: up to date", "b: up to date", "c: ran", "lone: up to date"]


def test_after_a_failure_settled_stages_are_not_reached(pipeline):
    pipeline.write("c.in", "changed")
    pipeline.executor.failing = {"c"}
    assert list(pipeline.outcomes().values()) == [
        *[Outcome.UP_TO_DATE] * 2,
        Outcome.FAILED,
        Outcome.NOT_REACHED,
    ]
    assert pipeline.outcomes(keep_going=True)["lone"] is Outcome.UP_TO_DATE


def test_doit_makes_a_task_of_what_may_run_alone(pipeline, monkeypatch):
    made = []
    task = engine_run.stage_task
    monkeypatch.setattr(
        engine_run,
        "stage_task",
        lambda stage, *rest: made.append(stage.address) or task(stage, *rest),
    )
    pipeline.run()
    assert made == []
    pipeline.write("c.in", "changed")
    pipeline.run()
    assert made == ["c"]

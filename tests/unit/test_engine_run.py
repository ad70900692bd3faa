"""Runs of small pipelines with an executor that keeps a log instead of starting processes."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from unittest.mock import ANY

import pytest
import xxhash
import yaml

from redoit.engine.listener import Silent
from redoit.engine.run import run_plan
from redoit.engine.session import load_session
from redoit.engine.tasks import FAN_IN
from redoit.errors import CommandFailed, MissingDep, MissingOut, ParamsProblem
from redoit.model import Outcome, Request, Why
from redoit.project import Layout
from redoit.selection import select

CHAIN = """
stages:
  a:
    cmd: join a.in > a.out
    deps: [a.in]
    outs: [a.out]
  b:
    cmd: join a.out > b.out
    deps: [a.out]
    outs: [b.out]
  c:
    cmd: join b.out c.in > c.out
    deps: [b.out, c.in]
    outs: [c.out]
  lone:
    cmd: join x.in > x.out
    deps: [x.in]
    outs: [x.out]
"""


class Log:
    """An Executor: ``join A B > C`` joins files, ``fail`` fails; keeps the stages it ran."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.environ: dict[str, str] = {}
        self.failing: set[str] = set()
        self.stopped: list[int] = []
        self.before = lambda stage: None

    def run(self, command, cwd, env, sink):
        stage = env["DVC_STAGE"]
        self.ran.append(stage)
        self.environ = dict(env)
        self.before(stage)
        if stage in self.failing:
            return 3
        words = command.split()
        if words[0] == "join":
            sources, target = words[1:-2], words[-1]
            text = "".join(read(os.path.join(cwd, s)) for s in sources)
            if target != "nowhere":
                write(os.path.join(cwd, target), text)
        return 0

    def stop(self, sig):
        self.stopped.append(sig)


def read(path):
    with open(path) as file:
        return file.read()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


class Pipeline:
    """A project in a temporary directory, and runs of it."""

    def __init__(self, root, text=CHAIN):
        self.root = str(root)
        os.makedirs(os.path.join(self.root, ".dvc", "tmp"))
        self.write("dvc.yaml", text)
        for name in ("a.in", "c.in", "x.in"):
            self.write(name, name)
        self.executor = Log()

    def write(self, path, text):
        write(os.path.join(self.root, path), text)

    def read(self, path):
        return read(os.path.join(self.root, path))

    def remove(self, path):
        os.unlink(os.path.join(self.root, path))

    def exists(self, path):
        return os.path.lexists(os.path.join(self.root, path))

    def run(self, *targets, listener=None, **options):
        self.executor.ran = []
        request = Request(targets=targets, **options)
        session = load_session(Layout(self.root))
        plan = select(session.graph, session.index.groups, request, self.root)
        return run_plan(plan, session, request, listener or Silent(), executor=self.executor)

    def outcomes(self, *targets, **options):
        return {s.address: s.outcome for s in self.run(*targets, **options).stages}


@pytest.fixture
def pipeline(tmp_path):
    return Pipeline(os.path.realpath(tmp_path))


def all_of(outcome, *names):
    return dict.fromkeys(names or ("a", "b", "c", "lone"), outcome)


@pytest.mark.parametrize("jobs", [1, 3])
def test_everything_runs_once(pipeline, jobs):
    assert pipeline.outcomes(jobs=jobs) == all_of(Outcome.RAN)
    assert sorted(pipeline.executor.ran) == ["a", "b", "c", "lone"]
    assert pipeline.read("c.out") == "a.inc.in"
    assert pipeline.outcomes(jobs=jobs) == all_of(Outcome.UP_TO_DATE)
    assert pipeline.executor.ran == []


def test_order_is_sources_first(pipeline):
    pipeline.run()
    assert pipeline.executor.ran == ["a", "b", "c", "lone"]


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_changed_source_runs_what_depends_on_it(pipeline, jobs):
    pipeline.run()
    pipeline.write("c.in", "new")
    assert pipeline.outcomes(jobs=jobs) == {**all_of(Outcome.UP_TO_DATE), "c": Outcome.RAN}
    pipeline.write("a.in", "new")
    assert pipeline.outcomes(jobs=jobs) == {**all_of(Outcome.RAN), "lone": Outcome.UP_TO_DATE}
    assert pipeline.read("c.out") == "newnew"


def test_an_unchanged_result_stops_the_change(pipeline):
    pipeline.write("dvc.yaml", CHAIN.replace("join a.in > a.out", "join c.in > a.out"))
    pipeline.run()
    pipeline.write("a.in", "other")
    assert pipeline.outcomes() == {**all_of(Outcome.UP_TO_DATE), "a": Outcome.RAN}


def test_reasons_are_recorded(pipeline):
    first = pipeline.run().stages[0]
    assert [r.kind for r in first.reasons] == [Why.NEVER_RAN]
    pipeline.write("a.in", "x")
    pipeline.remove("a.out")
    reasons = {r.kind: r for r in pipeline.run("a").stages[0].reasons}
    assert set(reasons) == {Why.DEP_CHANGED, Why.OUT_MISSING}
    assert reasons[Why.DEP_CHANGED].old != reasons[Why.DEP_CHANGED].new


def test_a_return_to_earlier_inputs_restores_outputs(pipeline):
    pipeline.run()
    pipeline.write("a.in", "other")
    pipeline.run()
    pipeline.write("a.in", "a.in")
    assert pipeline.outcomes() == {**all_of(Outcome.RESTORED), "lone": Outcome.UP_TO_DATE}
    assert pipeline.executor.ran == []
    assert pipeline.read("c.out") == "a.inc.in"


def test_what_was_restored_is_in_the_run_cache_again(pipeline):
    pipeline.run()
    shutil.rmtree(os.path.join(pipeline.root, ".dvc/cache/runs"))
    pipeline.remove("a.out")
    assert pipeline.outcomes("a") == {"a": Outcome.RESTORED}
    pipeline.write("a.in", "other")
    pipeline.run("a")
    pipeline.write("a.in", "a.in")
    assert pipeline.outcomes("a") == {"a": Outcome.RESTORED}


def test_an_out_whose_object_an_earlier_stage_makes_again_is_unchanged(pipeline):
    pipeline.write(".dvc/config", "[cache]\n    type = symlink\n")
    pipeline.write("x.in", "a.in")
    pipeline.run("a", "lone")
    os.unlink(os.path.realpath(os.path.join(pipeline.root, "x.out")))
    assert pipeline.outcomes("a", "lone") == {"a": Outcome.RAN, "lone": Outcome.UP_TO_DATE}


def test_without_the_run_cache_it_runs_again(pipeline):
    pipeline.run("a")
    pipeline.write("a.in", "other")
    pipeline.run("a")
    pipeline.write("a.in", "a.in")
    assert pipeline.outcomes("a", no_run_cache=True) == {"a": Outcome.RAN}


def test_a_deleted_out_is_restored(pipeline):
    pipeline.run()
    pipeline.remove("b.out")
    assert pipeline.outcomes() == {**all_of(Outcome.UP_TO_DATE), "b": Outcome.RESTORED}
    assert pipeline.read("b.out") == "a.in"


def test_a_modified_out_is_restored(pipeline):
    pipeline.run()
    pipeline.remove("b.out")
    pipeline.write("b.out", "mine")
    assert pipeline.outcomes() == {**all_of(Outcome.UP_TO_DATE), "b": Outcome.RESTORED}
    assert pipeline.read("b.out") == "a.in"


def test_force_runs_all_and_single_item_runs_one(pipeline):
    pipeline.run()
    assert pipeline.outcomes("b", force=True) == all_of(Outcome.RAN, "a", "b")
    assert pipeline.outcomes("b", force=True, single_item=True) == {"b": Outcome.RAN}


def test_force_downstream_runs_what_follows_a_change(pipeline):
    pipeline.write("dvc.yaml", CHAIN.replace("join a.in > a.out", "join c.in > a.out"))
    pipeline.run()
    pipeline.write("a.in", "other")
    outcomes = pipeline.outcomes(force_downstream=True)
    assert outcomes == {**all_of(Outcome.RAN), "lone": Outcome.UP_TO_DATE}


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_failure_stops_the_run(pipeline, jobs):
    pipeline.executor.failing = {"a"}
    result = pipeline.run("c", jobs=jobs)
    assert result.exit_code == 1
    by_name = {s.address: s for s in result.stages}
    assert by_name["a"].outcome is Outcome.FAILED
    assert isinstance(by_name["a"].error, CommandFailed)
    assert by_name["b"].outcome is Outcome.NOT_REACHED
    assert pipeline.executor.ran == ["a"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_keep_going_blocks_only_what_depends_on_the_failure(pipeline, jobs):
    pipeline.executor.failing = {"a"}
    result = pipeline.run(keep_going=True, jobs=jobs)
    assert {s.address: s.outcome for s in result.stages} == {
        "a": Outcome.FAILED,
        "b": Outcome.BLOCKED,
        "c": Outcome.BLOCKED,
        "lone": Outcome.RAN,
    }
    assert result.exit_code == 1


def test_a_failure_keeps_the_trace_of_the_last_good_run(pipeline):
    pipeline.run()
    pipeline.write("a.in", "bad")
    pipeline.executor.failing = {"a"}
    assert pipeline.run().exit_code == 1
    pipeline.executor.failing = set()
    pipeline.write("a.in", "a.in")
    assert pipeline.outcomes() == {**all_of(Outcome.UP_TO_DATE), "a": Outcome.RESTORED}


def test_ignored_errors_let_dependents_run(pipeline):
    pipeline.run()
    pipeline.write("a.in", "new")
    pipeline.executor.before = lambda stage: stage == "a" and pipeline.write("a.out", "half")
    pipeline.executor.failing = {"a"}
    result = pipeline.run(ignore_errors=True)
    assert {s.address: s.outcome for s in result.stages} == {
        "a": Outcome.FAILED,
        "b": Outcome.RAN,
        "c": Outcome.RAN,
        "lone": Outcome.UP_TO_DATE,
    }
    assert result.exit_code == 0
    pipeline.executor.failing = set()
    assert pipeline.outcomes()["a"] is Outcome.RAN


def test_dry_runs_nothing_and_writes_nothing(pipeline):
    commands = []

    class Listener(Silent):
        def command(self, stage, command):
            commands.append(command)

    result = pipeline.run(dry=True, listener=Listener())
    assert {s.outcome for s in result.stages} == {Outcome.RAN}
    assert pipeline.executor.ran == []
    assert len(commands) == 4
    assert not pipeline.exists("dvc.lock")


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("stages: {s: {cmd: join nothing > y, deps: [nothing], outs: [y]}}", MissingDep, "nothing"),
        ("stages: {s: {cmd: join a.in > nowhere, deps: [a.in], outs: [y, z]}}", MissingOut, "y, z"),
        (
            "stages: {s: {cmd: join a.in > y, params: [lr], outs: [y]}}",
            ParamsProblem,
            "params.yaml",
        ),
        (
            "stages: {s: {cmd: join a.in > y, params: [{a.yaml: [lr, k.x]}], outs: [y]}}",
            ParamsProblem,
            "lr, k.x",
        ),
    ],
)
def test_what_is_missing_is_named(pipeline, text, error, said):
    pipeline.write("dvc.yaml", text)
    pipeline.write("a.yaml", "k: {y: 1}")
    result = pipeline.run()
    assert result.exit_code == 1
    assert isinstance(result.stages[0].error, error)
    assert said in result.stages[0].error.render()


def test_commands_know_where_they_are(pipeline):
    pipeline.run("a")
    assert pipeline.executor.environ["DVC_STAGE"] == "a"
    assert pipeline.executor.environ["DVC_ROOT"] == pipeline.root


def test_interactive_refusal_ends_the_run(pipeline):
    class No(Silent):
        def confirm(self, stage):
            return stage.address != "b"

    result = pipeline.run(interactive=True, listener=No())
    assert pipeline.executor.ran == ["a"]
    assert result.exit_code == 1


def test_data_is_recorded_and_restored(pipeline):
    pipeline.write("raw", "raw data")
    pipeline.write("raw.dvc", "outs:\n- path: raw\n")
    pipeline.write("dvc.yaml", "stages: {s: {cmd: join raw > y, deps: [raw], outs: [y]}}")
    assert pipeline.outcomes() == {"raw.dvc": Outcome.COMMITTED, "s": Outcome.RAN}
    assert "hash: md5" in pipeline.read("raw.dvc")
    assert pipeline.outcomes() == {"raw.dvc": Outcome.UP_TO_DATE, "s": Outcome.UP_TO_DATE}
    pipeline.remove("raw")
    assert pipeline.outcomes() == {"raw.dvc": Outcome.RESTORED, "s": Outcome.UP_TO_DATE}
    assert pipeline.read("raw") == "raw data"


def test_a_frozen_stage_never_runs(pipeline):
    pipeline.run()
    pipeline.write("dvc.yaml", CHAIN.replace("outs: [a.out]", "outs: [a.out]\n    frozen: true"))
    pipeline.write("a.in", "new")
    assert pipeline.outcomes()["a"] is Outcome.UP_TO_DATE
    pipeline.remove("a.out")
    pipeline.write("a.out", "by hand")
    assert pipeline.outcomes() == {
        "a": Outcome.COMMITTED,
        "b": Outcome.RAN,
        "c": Outcome.RAN,
        "lone": Outcome.UP_TO_DATE,
    }


def test_a_dry_run_tells_of_lost_outs_and_goes_on(pipeline):
    pipeline.run()
    pipeline.write("dvc.yaml", CHAIN.replace("outs: [a.out]", "outs: [a.out]\n    frozen: true"))
    pipeline.remove("a.out")
    assert pipeline.run(dry=True).stages[0].outcome is Outcome.RESTORED
    shutil.rmtree(os.path.join(pipeline.root, ".dvc/cache"))
    result = pipeline.run(dry=True)
    first = result.stages[0]
    assert (first.outcome, first.ignored, result.exit_code) == (Outcome.FAILED, True, 0)
    assert isinstance(first.error, MissingOut)
    assert pipeline.run().exit_code == 1


def test_a_signal_ends_the_run_and_keeps_what_was_done(pipeline):
    def interrupt(stage):
        if stage == "b":
            os.kill(os.getpid(), signal.SIGTERM)
            # The handler runs in the main thread; give the interpreter a chance to call it.
            threading.Event().wait(0.05)

    pipeline.executor.before = interrupt
    pipeline.executor.failing = {"b"}
    result = pipeline.run()
    assert result.exit_code == 130
    assert {s.address: s.outcome for s in result.stages} == {
        "a": Outcome.RAN,
        "b": Outcome.INTERRUPTED,
        "c": Outcome.NOT_REACHED,
        "lone": Outcome.NOT_REACHED,
    }
    assert pipeline.executor.stopped == [signal.SIGTERM]
    pipeline.executor.before = lambda stage: None
    pipeline.executor.failing = set()
    assert pipeline.outcomes()["a"] is Outcome.UP_TO_DATE


def test_a_stage_may_write_the_params_of_another(pipeline):
    pipeline.write(
        "dvc.yaml",
        """
stages:
  make:
    cmd: join a.in > p.yaml
    deps: [a.in]
    outs: [p.yaml]
  use:
    cmd: join c.in > y
    deps: [c.in]
    params: [{p.yaml: [lr]}]
    outs: [y]
""",
    )
    pipeline.write("a.in", "lr: 1\n")
    assert pipeline.outcomes() == all_of(Outcome.RAN, "make", "use")
    pipeline.write("a.in", "lr: 1 # same\n")
    assert pipeline.outcomes() == {"make": Outcome.RAN, "use": Outcome.UP_TO_DATE}
    pipeline.write("a.in", "lr: 2\n")
    result = pipeline.run()
    assert [s.outcome for s in result.stages] == [Outcome.RAN, Outcome.RAN]
    assert [(r.subject, r.old, r.new) for r in result.stages[1].reasons] == [("p.yaml:lr", 1, 2)]


def test_persist_outs_are_kept_and_writable(pipeline):
    pipeline.write(
        "dvc.yaml",
        "stages: {s: {cmd: join a.in p > p, deps: [a.in], outs: [{p: {persist: true}}]}}",
    )
    pipeline.write("p", "")
    pipeline.run()
    pipeline.write("a.in", "+")
    pipeline.run()
    assert pipeline.read("p") == "+a.in"


def test_names_that_doit_would_refuse(pipeline):
    pipeline.write(
        "dvc.yaml",
        """
stages:
  s:
    matrix: {v: ["a=1", "b*", "50%"]}
    cmd: join a.in > out-${key}
    deps: [a.in]
    outs: ["out-${key}"]
""",
    )
    result = pipeline.run(jobs=2)
    assert [s.outcome for s in result.stages] == [Outcome.RAN] * 3
    assert {s.outcome for s in pipeline.run().stages} == {Outcome.UP_TO_DATE}


def test_no_commit_leaves_the_cache_alone(pipeline):
    pipeline.run("a", no_commit=True)
    assert not pipeline.exists(".dvc/cache/files")
    assert [r.kind for r in pipeline.run("a", dry=True).stages[0].reasons] == [Why.OUT_NOT_CACHED]


def test_results_are_frozen_values(pipeline):
    result = pipeline.run("a")
    assert result._replace(interrupted=True).exit_code == 130


def interrupted_before_the_lock_was_written(pipeline):
    """Leave the traces of a whole run in the journal, as a kill at its very end does."""
    pipeline.run()
    session = load_session(Layout(pipeline.root))
    traces = {s: session.trace(s) for s in session.graph.stages.values()}
    session.state.close()
    pipeline.remove("dvc.lock")
    session = load_session(Layout(pipeline.root))
    for stage, trace in traces.items():
        session.record(stage, trace)
    session.state.close()


def spoil_object_of(pipeline, path):
    content = load_session(Layout(pipeline.root)).look.content(path)
    place = os.path.join(pipeline.root, ".dvc/cache/files/md5", content.oid[:2], content.oid[2:])
    os.chmod(place, 0o644)
    write(place, "?" * os.path.getsize(place))
    os.chmod(place, 0o444)


def test_after_a_kill_the_journal_is_believed(pipeline):
    interrupted_before_the_lock_was_written(pipeline)
    assert pipeline.outcomes() == all_of(Outcome.UP_TO_DATE)
    assert "c.out" in pipeline.read("dvc.lock")


def test_after_a_power_cut_only_objects_that_are_whole_are_believed(pipeline):
    interrupted_before_the_lock_was_written(pipeline)
    journal = os.path.join(pipeline.root, ".dvc/tmp/redoit/journal")
    lines = read(journal).splitlines(keepends=True)
    header = '{"boot":"another"}'
    lines[0] = f"{xxhash.xxh3_64_hexdigest(header.encode())} {header}\n"
    write(journal, "".join(lines))
    spoil_object_of(pipeline, "x.out")
    result = pipeline.run()
    assert {s.address: s.outcome for s in result.stages} == {
        **all_of(Outcome.UP_TO_DATE),
        "lone": Outcome.RAN,
    }
    assert pipeline.read("x.out") == "x.in"
    pipeline.remove("x.out")
    assert pipeline.outcomes("lone") == {"lone": Outcome.RESTORED}
    assert pipeline.read("x.out") == "x.in"


def test_a_directory_that_cannot_be_read_counts_as_changed(pipeline):
    pipeline.write("dvc.yaml", "stages: {s: {cmd: join a.in > d/y, deps: [a.in], outs: [d]}}")
    pipeline.run()
    os.symlink("nowhere", os.path.join(pipeline.root, "d", "z"))
    result = pipeline.run()
    assert result.stages[0].outcome is Outcome.RESTORED
    assert result.stages[0].reasons == ((Why.OUT_CHANGED, "d", ANY, "unreadable"),)
    assert pipeline.outcomes() == {"s": Outcome.UP_TO_DATE}


def fan_in(width):
    """``width`` stages, and three that read all of them."""
    first = {
        f"a{i}": {"cmd": f"join a.in > o{i}", "deps": ["a.in"], "outs": [f"o{i}"]}
        for i in range(width)
    }
    outs = [f"o{i}" for i in range(width)]
    last = {
        name: {"cmd": f"join {' '.join(outs)} > {name}.out", "deps": outs, "outs": [f"{name}.out"]}
        for name in ("x", "y", "z")
    }
    return yaml.safe_dump({"stages": {**first, **last}}, sort_keys=False)


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("width", [FAN_IN - 1, FAN_IN + 4])
def test_many_stages_that_read_the_same_many(pipeline, width, jobs):
    pipeline.write("dvc.yaml", fan_in(width))
    assert set(pipeline.outcomes(jobs=jobs).values()) == {Outcome.RAN}
    assert sorted(pipeline.executor.ran[-3:]) == ["x", "y", "z"]
    assert set(pipeline.outcomes(jobs=jobs).values()) == {Outcome.UP_TO_DATE}
    pipeline.write("a.in", "new")
    pipeline.executor.failing = {"a3"}
    outcomes = pipeline.outcomes(jobs=jobs, keep_going=True)
    assert outcomes["a3"] is Outcome.FAILED
    assert {outcomes[name] for name in "xyz"} == {Outcome.BLOCKED}
    assert {outcomes[f"a{i}"] for i in range(width) if i != 3} == {Outcome.RAN}
    pipeline.executor.failing = set()
    outcomes = pipeline.outcomes(jobs=jobs)
    assert [name for name in outcomes if outcomes[name] is Outcome.RAN] == ["a3", "x", "y", "z"]


def test_a_forced_stage_runs_without_its_deps_and_fails_after(pipeline):
    pipeline.write("dvc.yaml", "stages: {s: {cmd: join a.in > y, deps: [a.in, made], outs: [y]}}")
    assert isinstance(pipeline.run().stages[0].error, MissingDep)
    assert pipeline.executor.ran == []
    assert isinstance(pipeline.run(force=True).stages[0].error, MissingDep)
    assert pipeline.executor.ran == ["s"]
    pipeline.executor.before = lambda stage: pipeline.write("made", "by the command")
    assert pipeline.outcomes(force=True) == {"s": Outcome.RAN}
    assert pipeline.outcomes() == {"s": Outcome.UP_TO_DATE}


def test_a_dry_run_of_what_lacks_params_is_no_failure(pipeline):
    pipeline.write(
        "dvc.yaml", "stages: {s: {cmd: join a.in > y, deps: [a.in], params: [lr], outs: [y]}}"
    )
    assert pipeline.outcomes(dry=True) == {"s": Outcome.RAN}

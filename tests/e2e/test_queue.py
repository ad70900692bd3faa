"""The queue: frozen at queueing, worked off in the background, nothing lost, nothing run twice."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from redoit.files import locked
from redoit.project import Layout
from redoit.queue.workers import place_among
from tests.compat.oracle import workspace
from tests.sandbox import Sandbox, dvc_sandbox, exp_command

PIPELINE = """\
stages:
  prepare:
    cmd: cat in.txt > prep.txt; echo prepare >> $RUNLOG
    deps: [in.txt]
    outs: [prep.txt]
  train:
    cmd: echo train ${lr} >> $RUNLOG; sh train.sh ${lr} && echo '{"lr":${lr}}' > m.json
    deps: [prep.txt]
    params: [lr]
    metrics: [m.json: {cache: false}]
"""
WAITS = "test $1 != 7 || { echo waiting; while [ ! -e $RUNLOG.go ]; do sleep 0.05; done; }\n"
"""Holds the experiment with lr 7 until it may go on."""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Sandbox]:
    made = dvc_sandbox(tmp_path / "repo", tmp_path / "home")
    made = Sandbox(made.root, {**made.env, "RUNLOG": str(tmp_path / "ran.log")})
    files = {"dvc.yaml": PIPELINE, "params.yaml": "lr: 1\n", "in.txt": "data\n", "train.sh": WAITS}
    files["queue.py"] = "raise SystemExit('not for workers')\n"  # as one of Python's own modules
    for path, text in files.items():
        made.write(path, text)
    made.commit("start")
    yield made
    made.exp("queue", "stop", "--kill", code=None)
    until(lambda: not status(made)["workers"])


def until(true: Any) -> None:
    """Wait until a condition holds; AssertionError after a minute."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def status(project: Sandbox) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(project.exp("queue", "status", "--json").stdout)
    return found


def task(project: Sandbox, name: str) -> dict[str, Any]:
    (found,) = [each for each in status(project)["tasks"] if each["name"] == name]
    return dict(found)


def ran(project: Sandbox) -> list[str]:
    log = Path(project.env["RUNLOG"])
    lines = log.read_text().splitlines() if log.exists() else []
    log.write_text("")
    return lines


def release(project: Sandbox) -> None:
    Path(project.env["RUNLOG"] + ".go").touch()


def is_held(path: Path) -> bool:
    """Whether another process has locked the file."""
    with locked(str(path), wait=False) as free:
        return not free


def of(project: Sandbox, name: str, path: str) -> str:
    (ref,) = project.git("for-each-ref", "--format=%(refname)", f"refs/exps/*/*/{name}").split()
    return project.git("show", f"{ref}:{path}")


def test_a_sweep_is_frozen_and_its_shared_stage_runs_once(project: Sandbox) -> None:
    project.write("in.txt", "when queued\n")
    before = workspace(project.root)
    told = project.exp("run", "--queue", "-n", "sweep", "-S", "lr=2,3,4").stdout.splitlines()
    assert told[:2] == [
        "Queueing with overrides '{'params.yaml': ['lr=2']}'.",
        "Queued experiment 'sweep-1' for future execution.",
    ]
    assert workspace(project.root) == before
    project.write("in.txt", "later\n")
    shown = project.exp("queue", "status").stdout
    assert "sweep-3" in shown
    assert "3 queued; 0 workers (`exp queue start` starts them)" in shown
    taken = project.exp("run", "--queue", "-n", "sweep-2", code=1)
    assert "'sweep-2' is in the queue already" in taken.stderr
    done = project.exp("run", "--run-all", "-j", "2")
    assert done.stdout.count(" done in ") == 3
    lines = ran(project)
    assert lines.count("prepare") == 1
    assert sorted(lines)[1:] == ["train 2", "train 3", "train 4"]
    for number in (1, 2, 3):
        assert of(project, f"sweep-{number}", "in.txt") == "when queued"
        assert json.loads(of(project, f"sweep-{number}", "m.json")) == {"lr": number + 1}
    assert project.read("in.txt") == "later\n"
    assert "Experiment 'sweep-1'" in project.exp("queue", "logs", "sweep-1").stdout
    until(lambda: not status(project)["workers"])
    left = {path.name for path in (project.root / ".dvc/tmp/redoit/workers").iterdir()}
    assert left == set()
    assert project.git("for-each-ref", "refs/redoit") == ""
    project.exp("queue", "remove", "--success")
    assert project.exp("queue", "status").stdout == "The queue is empty; 0 workers\n"
    assert len(project.exp("list", "--name-only").stdout.split()) == 3


def test_several_files_and_all_combinations(project: Sandbox) -> None:
    project.write("other.json", '{"b": 1}')
    project.commit("another params file")
    told = project.exp("run", "--queue", "-S", "lr=range(1,3)", "-S", "other.json:b=x,y").stdout
    assert told.count("Queued experiment") == 4
    assert "{'params.yaml': ['lr=1'], 'other.json': ['b=y']}" in told
    files = {
        (
            project.git("show", f"{t['start']}:params.yaml"),
            project.git("show", f"{t['start']}:other.json"),
        )
        for t in status(project)["tasks"]
    }
    assert files == {(f"lr: {n}", f'{{"b": "{c}"}}') for n in (1, 2) for c in "xy"}
    for sweep, said in (("interval(1,2)", "no definite values"), ("range(3,3)", "no value at all")):
        assert said in project.exp("run", "--queue", "-S", f"lr={sweep}", code=2).stderr
    assert len(status(project)["tasks"]) == 4
    shown = json.loads(project.exp("show", "--json").stdout)[1]["experiments"]
    assert [each["executor"]["state"] for each in shown] == ["queued"] * 4
    assert shown[0]["revs"][0]["data"]["params"]["params.yaml"]["data"] == {"lr": 2}
    assert (
        json.loads(project.exp("show", "--json", "--hide-queued").stdout)[1]["experiments"] is None
    )
    assert "State" in project.exp("show").stdout
    assert "Removed" in project.exp("remove", "--queue").stdout
    assert status(project)["tasks"] == []
    assert project.git("for-each-ref", "refs/redoit") == ""


def test_a_failure_is_told_and_can_be_retried(project: Sandbox) -> None:
    project.write("train.sh", "test -e $RUNLOG.go || { echo not yet; exit 3; }\n")
    project.commit("fails at first")
    project.exp("run", "--queue", "-n", "bad", "-S", "lr=2")
    done = project.exp("run", "--run-all", code=1)
    assert "experiment 'bad' failed" in done.stderr
    assert "exit code 3" in done.stderr
    logs = project.exp("queue", "logs", "bad").stdout
    assert "not yet" in logs
    assert "error: stage 'train' failed" in logs
    assert "Traceback" not in logs  # the user's own command has failed
    (number,) = (each["id"] for each in status(project)["tasks"])
    assert project.exp("queue", "logs", str(number)).stdout == logs
    assert "no task '0'" in project.exp("queue", "logs", "0", code=1).stderr
    assert ran(project) == ["prepare", "train 2"]
    failed = task(project, "bad")
    assert failed["state"] == "failed"
    assert "exit code 3" in failed["error"]
    shown = json.loads(project.exp("show", "--json").stdout)[1]["experiments"]
    assert [each["executor"]["state"] for each in shown] == ["failed"]
    assert "exit code 3" in shown[0]["revs"][0]["error"]["msg"]
    assert (
        json.loads(project.exp("show", "--json", "--hide-failed").stdout)[1]["experiments"] is None
    )
    release(project)
    project.exp("queue", "retry", "bad")
    project.exp("run", "--run-all")
    assert ran(project) == ["train 2"]
    assert json.loads(of(project, "bad", "m.json")) == {"lr": 2}
    assert "has not failed" in project.exp("queue", "retry", "bad", code=1).stderr
    assert "did you mean 'bad'" in project.exp("queue", "retry", "bat", code=1).stderr


def test_a_killed_worker_gives_its_task_back(project: Sandbox) -> None:
    project.exp("run", "--queue", "-n", "slow", "-S", "lr=7")
    project.exp("queue", "start")
    until(lambda: task(project, "slow")["stage"] == "train")
    running = task(project, "slow")
    assert running["state"] == "running"
    (worker,) = status(project)["workers"]
    os.kill(worker["pid"], signal.SIGKILL)
    until(lambda: task(project, "slow")["state"] == "queued")
    assert status(project)["workers"] == []
    release(project)
    project.exp("run", "--run-all")
    # The stage that had finished did not run again; the command that was left running is gone.
    assert ran(project) == ["prepare", "train 7", "train 7"]
    assert (
        "going on in the workspace that a killed process left"
        in project.exp("queue", "logs", "slow").stdout
    )
    assert task(project, "slow")["attempt"] == 2


def test_a_stopped_worker_loses_its_task(project: Sandbox) -> None:
    project.exp("run", "--queue", "-n", "slow", "-S", "lr=7")
    project.exp("queue", "start")
    until(lambda: task(project, "slow")["stage"] == "train")
    (worker,) = status(project)["workers"]
    os.kill(worker["pid"], signal.SIGSTOP)
    assert task(project, "slow")["state"] == "running"
    database = sqlite3.connect(project.root / ".dvc/tmp/redoit/queue.db", isolation_level=None)
    database.execute("UPDATE workers SET beat = beat - 1000")  # as if it had been stopped for long
    database.close()
    assert task(project, "slow")["state"] == "queued"
    release(project)
    project.exp("run", "--run-all")
    assert ran(project) == ["prepare", "train 7", "train 7"]


def test_stop_kill_and_remove_of_what_runs(project: Sandbox) -> None:
    project.exp("run", "--queue", "-n", "one", "-S", "lr=7")
    project.exp("run", "--queue", "-n", "two", "-S", "lr=2")
    project.exp("queue", "start")
    until(lambda: task(project, "one")["stage"] == "train")
    project.write(f".dvc/cache/files/md5/00/{'0' * 30}", "nothing uses it\n")
    refused = project.exp("data", "gc", "-wf", code=1)
    assert "experiments are running" in refused.stderr
    assert "is running" in project.exp("queue", "remove", "one", code=1).stderr
    assert "'two' is not running" in project.exp("queue", "kill", "two", code=1).stderr
    assert "1 worker will end after their present experiment" in project.exp("queue", "stop").stdout
    project.exp("queue", "kill", "one")
    until(lambda: not status(project)["workers"])
    assert (task(project, "one")["state"], task(project, "one")["error"]) == (
        "failed",
        "it was killed",
    )
    assert task(project, "two")["state"] == "queued"
    project.exp("queue", "retry", "one")
    project.exp("queue", "start", "-j", "2")
    until(lambda: task(project, "one")["stage"] == "train")
    project.exp("queue", "stop", "--kill")
    until(lambda: not status(project)["workers"])
    assert task(project, "one")["state"] == "failed"
    project.exp("queue", "remove", "--all")
    assert status(project)["tasks"] == []
    assert project.git("for-each-ref", "refs/redoit") == ""
    assert len(project.git("worktree", "list").splitlines()) == 1


def test_a_kill_during_set_up_ends_the_task_and_not_its_worker(project: Sandbox) -> None:
    wait = "touch $RUNLOG.here; while [ ! -e $RUNLOG.go ]; do sleep 0.05; done; cat"
    project.git("config", "filter.slow.smudge", wait)
    project.write(".gitattributes", "slow.txt filter=slow\n")
    project.write("slow.txt", "slow\n")
    project.commit("takes long to set up")
    project.exp("run", "--queue", "-n", "one", "-S", "lr=2")
    project.exp("run", "--queue", "-n", "zw\xf6", "-S", "lr=3")
    project.exp("queue", "start", PYTHONIOENCODING="ascii")
    until(Path(project.env["RUNLOG"] + ".here").exists)
    project.commit("another baseline")
    project.exp("run", "--queue", "-n", "one", "-S", "lr=4")
    # Of two with one name that one which can be killed.
    project.exp("queue", "kill", "one")
    release(project)
    until(lambda: not status(project)["workers"])
    states = [(each["name"], each["state"]) for each in status(project)["tasks"]]
    assert states == [("one", "failed"), ("zw\xf6", "success"), ("one", "success")]
    assert ran(project) == ["prepare", "train 3", "train 4"]
    project.exp("queue", "retry", "one")
    assert status(project)["tasks"][0]["state"] == "queued"


def test_two_that_want_one_stage_run_it_once(project: Sandbox) -> None:
    """The second waits, says so, and restores what the first has made."""
    project.write("dvc.yaml", PIPELINE.replace("cat in.txt >", "sh train.sh 7; cat in.txt >"))
    project.commit("the shared stage takes its time")
    project.exp("run", "--queue", "-n", "s", "-S", "lr=2,3")
    project.exp("queue", "start", "-j", "2")
    until(lambda: any(each["waiting"] for each in status(project)["tasks"]))
    assert "waiting for another experiment that runs it" in project.exp("queue", "status").stdout
    release(project)
    project.exp("run", "--run-all", "-j", "2")
    assert sorted(ran(project)) == ["prepare", "train 2", "train 3"]
    logs = "".join(project.exp("queue", "logs", f"s-{n}").stdout for n in (1, 2))
    assert "is being run by another run just now, waiting for it" in logs


def test_logs_are_followed_to_the_end(project: Sandbox) -> None:
    project.exp("run", "--queue", "-n", "slow", "-S", "lr=7")
    missing = project.exp("queue", "logs", "slow", code=1)
    assert "it is queued" in missing.stderr
    project.exp("queue", "start")
    until(lambda: task(project, "slow")["stage"] == "train")
    release(project)
    followed = project.exp("queue", "logs", "slow", "-f").stdout
    assert "waiting\n" in followed
    assert followed.rstrip().splitlines()[-1].startswith("Experiment 'slow'")


def test_garbage_is_not_what_a_queued_experiment_starts_from(project: Sandbox) -> None:
    project.write("in.txt", "when queued\n")
    project.exp("repro", "prepare")
    project.exp("run", "--queue", "-n", "later", "-S", "lr=2")
    project.git("checkout", "-q", "--", ".")
    project.exp("repro", "prepare")
    ran(project)
    project.write(f".dvc/cache/files/md5/00/{'0' * 30}", "nothing uses it\n")
    # A worker that has begun, but taken no task yet: it could do so at any moment.
    lock = str(project.root / ".dvc/tmp/redoit/workers.lock")
    with place_among(Layout(str(project.root))), locked(lock, wait=False) as alone:
        assert not alone
        assert "experiments are running" in project.exp("data", "gc", "-wf", code=1).stderr
    assert "Removed " in project.exp("data", "gc", "-wf").stdout
    with locked(lock):  # as while garbage is collected
        words = [str(exp_command()), "queue", "start", "-q"]
        starting = subprocess.Popen(words, cwd=project.root, env=project.env)
        until(lambda: is_held(project.root / ".dvc/tmp/redoit/starting"))
        assert not status(project)["workers"]
        assert task(project, "later")["state"] == "queued"
    assert starting.wait(60) == 0
    project.exp("run", "--run-all")
    assert ran(project) == ["train 2"]
    assert of(project, "later", "in.txt") == "when queued"

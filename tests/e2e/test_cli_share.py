"""``exp push`` and ``exp pull``: experiments travel with their data."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.compat.oracle import Oracle
from tests.sandbox import Sandbox, git_sandbox

PIPELINE = (
    "stages:\n  train:\n    cmd: cat params.yaml > model\n    params: [lr]\n    outs: [model]\n"
)


@pytest.fixture
def origin(tmp_path: Path) -> Sandbox:
    """A project with two experiments, a Git remote and a data remote, both empty of experiments."""
    box = git_sandbox(tmp_path / "origin", tmp_path / "home")
    box.exp("init", "-q", "--hash", "md5")
    # DVC takes a relative path in a commit for one below the root of the disk.
    box.exp("remote", "add", "-qd", "up", str(tmp_path / "store"))
    box.write("dvc.yaml", PIPELINE)
    box.write("params.yaml", "lr: 1\n")
    box.commit()
    box.git("init", "-q", "--bare", str(tmp_path / "shared"))
    box.git("remote", "add", "hub", str(tmp_path / "shared"))
    box.git("push", "-q", "hub", "main")
    for lr in ("2", "3"):
        box.exp("run", "-q", "-n", f"lr-{lr}", "-S", f"lr={lr}")
    return box


def clone_of(origin: Sandbox, name: str) -> Sandbox:
    tmp = origin.root.parent
    origin.git("clone", "-q", "-b", "main", str(tmp / "shared"), str(tmp / name))
    return Sandbox(tmp / name, origin.env)


def test_there_and_back(origin: Sandbox) -> None:
    said = origin.exp("push", "hub").stdout.splitlines()
    assert sorted(line.split(" (")[0] for line in said[:2]) == ["Pushed 'lr-2'", "Pushed 'lr-3'"]
    assert said[2] == "2 files of data, 12 B"
    assert origin.exp("push", "hub").stdout == "2 experiments there already\n"
    other = clone_of(origin, "other")
    assert other.exp("list").stdout.strip() == ""
    said = other.exp("pull", "origin", "lr-2").stdout.splitlines()
    assert said[0].startswith("Pulled 'lr-2' (")
    assert said[1] == "1 file of data, 6 B"
    assert other.git("status", "--porcelain") == ""
    other.exp("apply", "lr-2")
    assert other.read("model") == "lr: 2\n"
    other.exp("pull", "-q", "-A", "origin")
    other.exp("apply", "lr-3")
    assert other.read("model") == "lr: 3\n"
    assert other.exp("pull", "origin").stdout == "2 experiments here already\n"


def test_auto_push(origin: Sandbox) -> None:
    """After a run and a save; without the Git remote it is a warning, and the experiment is kept."""

    def refs() -> int:
        return origin.git("ls-remote", "hub", "refs/exps/*").count("refs/")

    origin.exp("config", "exp.auto_push", "true")
    told = origin.exp("run", "-n", "lr-4", "-S", "lr=4")
    assert "warning: 'lr-4' was not pushed: " in told.stderr  # there is no 'origin'
    origin.exp("config", "exp.git_remote", "hub")
    told = origin.exp("run", "-n", "lr-5", "-S", "lr=5")
    assert "Pushed 'lr-5'" in told.stdout
    assert refs() == 1
    origin.exp("run", "-q", "--temp", "-n", "lr-6", "-S", "lr=6")
    origin.exp("save", "-q", "-n", "saved")
    assert refs() == 3
    other = clone_of(origin, "other")
    other.exp("pull", "-q", "origin", "lr-5")
    other.exp("apply", "lr-5")
    assert other.read("model") == "lr: 5\n"
    origin.exp("config", "exp.git_remote", str(origin.root / "nowhere"))
    told = origin.exp("run", "-n", "lr-7", "-S", "lr=7")
    assert "warning: 'lr-7' was not pushed" in told.stderr
    told = origin.exp("run", "-n", "lr-8", "-S", "lr=8", DVC_EXP_AUTO_PUSH="false")
    assert "was not pushed" not in told.stderr
    told = origin.exp("run", "-n", "lr-9", "-S", "lr=9", DVC_EXP_GIT_REMOTE="hub")
    assert "Pushed 'lr-9'" in told.stdout


def test_workers_push_too(origin: Sandbox) -> None:
    """What cannot be pushed is a warning in the log; the experiment is there."""
    origin.exp("run", "-q", "--queue", "-n", "good", "-S", "lr=4")
    pushing = {"DVC_EXP_AUTO_PUSH": "1", "DVC_EXP_GIT_REMOTE": "hub"}
    origin.exp("run", "-q", "--run-all", "-j", "1", **pushing)
    assert "Pushed 'good' (" in origin.exp("queue", "logs", "good").stdout
    other = clone_of(origin, "other")
    other.exp("pull", "-q", "origin", "good")
    other.exp("apply", "good")
    assert other.read("model") == "lr: 4\n"
    (origin.root.parent / "store").rename(origin.root.parent / "away")
    (origin.root.parent / "store").write_text("in the way")
    origin.exp("run", "-q", "--queue", "-n", "bad", "-S", "lr=5")
    origin.exp("run", "-q", "--run-all", "-j", "1", **pushing)
    assert "warning: 'bad' was not pushed: " in origin.exp("queue", "logs", "bad").stdout
    assert {"good", "bad"} <= set(origin.exp("list", "--name-only").stdout.split())
    assert "/bad" not in origin.git("ls-remote", "hub", "refs/exps/*")


def test_another_of_the_same_name_is_not_replaced(origin: Sandbox) -> None:
    origin.exp("push", "-q", "hub")
    origin.exp("run", "-q", "-f", "-n", "lr-2", "-S", "lr=7")
    result = origin.exp("push", "hub", "lr-2", code=1)
    assert "error: another experiment 'lr-2' is there already; --force replaces it" in result.stderr
    origin.exp("push", "-q", "hub", "lr-2", "--force")
    other = clone_of(origin, "other")
    other.exp("pull", "-q", "origin", "lr-2")
    other.exp("apply", "lr-2")
    assert other.read("model") == "lr: 7\n"


def test_data_come_before_the_experiments(origin: Sandbox) -> None:
    """If the data cannot be sent, no experiment is there without them."""
    (origin.root.parent / "store").write_text("in the way")
    result = origin.exp("push", "hub", code=1)
    assert "not everything could be sent" in result.stderr
    assert origin.git("ls-remote", "hub", "refs/exps/*") == ""
    (origin.root.parent / "store").unlink()
    origin.exp("push", "-q", "--no-cache", "hub")
    other = clone_of(origin, "other")
    result = other.exp("pull", "origin", "lr-2", code=1)
    assert result.stdout.startswith("Pulled 'lr-2'")
    assert "failed:  model" in result.stderr
    other.exp("pull", "-q", "--no-cache", "-A", "origin")
    assert len(other.exp("list", "--name-only").stdout.split()) >= 2


def test_what_lacks_data_is_kept_back_alone(origin: Sandbox) -> None:
    origin.exp("apply", "-q", "lr-3")
    digest = hashlib.md5((origin.root / "model").read_bytes()).hexdigest()
    lost = origin.root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]
    lost.unlink()
    told = origin.exp("push", "hub", code=1)
    assert told.stdout.startswith("Pushed 'lr-2' (")
    assert told.stderr.splitlines()[:4] == [
        "error: 'lr-3' was not pushed: it lacks data",
        "error: not everything could be sent",
        "  done:    1 objects",
        "  missing: model",
    ]
    assert origin.git("ls-remote", "hub", "refs/exps/*").count("refs/") == 1
    origin.exp("push", "-q", "--no-cache", "hub", "lr-3")
    other = clone_of(origin, "other")
    told = other.exp("pull", "origin", code=1)
    assert told.stdout.count("Pulled 'lr-") == 2
    assert "error: 'lr-3' lacks data here\nerror: not everything could be got" in told.stderr
    assert "lr-2" not in told.stderr
    other.exp("apply", "-q", "lr-2")


def test_a_git_remote_that_refuses(origin: Sandbox) -> None:
    """It says why; of several experiments none is there, and a password in an address is not shown."""
    hook = origin.root.parent / "shared/hooks/update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\ncase $1 in */lr-2) echo "no more" >&2; exit 1;; esac\n')
    hook.chmod(0o755)
    told = origin.exp("push", "hub", code=1).stderr
    assert told.startswith(
        "error: the Git remote 'hub' does not take this; nothing was changed there\n"
        "  refused: lr-2\n"
        "  because: hook declined\n"
        "  it says: no more; "
    )
    assert origin.git("ls-remote", "hub", "refs/exps/*") == ""
    told = origin.exp("push", "http://ada:hunter2@127.0.0.1:1/x", code=1).stderr
    assert "the Git remote 'http://ada:***@127.0.0.1:1/x' cannot be used" in told
    assert "hunter2" not in told


def test_errors(origin: Sandbox) -> None:
    origin.git("commit", "-q", "--allow-empty", "-m", "next")
    none = "There are no such experiments"
    assert (
        origin.exp("push", "hub").stdout
        == f"{none} on these commits; -A takes those of all commits\n"
    )
    assert origin.exp("pull", "-A", "hub").stdout == f"{none}\n"
    origin.git("reset", "-q", "HEAD~1")
    assert "did you mean 'lr-2'" in origin.exp("push", "hub", "lr2", code=1).stderr
    assert "are given twice" in origin.exp("push", "-A", "hub", "lr-2", code=2).stderr
    assert "cannot be used" in origin.exp("push", "nowhere", code=1).stderr
    assert "there is no remote 'x'" in origin.exp("push", "-r", "x", "hub", code=1).stderr
    assert origin.git("ls-remote", "hub", "refs/exps/*") == ""


@pytest.mark.oracle
def test_with_dvc(origin: Sandbox, dvc: Oracle) -> None:
    """What one has pushed, the other pulls."""
    origin.exp("push", "-q", "hub", "lr-2")
    theirs = clone_of(origin, "theirs")
    dvc.on(theirs, "exp", "pull", "origin", "lr-2")
    dvc.on(theirs, "exp", "apply", "lr-2")
    assert theirs.read("model") == "lr: 2\n"
    dvc.on(origin, "exp", "push", "hub", "lr-3")
    ours = clone_of(origin, "ours")
    ours.exp("pull", "-q", "origin", "lr-3")
    ours.exp("apply", "lr-3")
    assert ours.read("model") == "lr: 3\n"

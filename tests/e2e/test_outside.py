"""``exp run --temp`` and ``exp run -r``: outside of the workspace, which stays as it is."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.compat.oracle import workspace
from tests.sandbox import Sandbox, dvc_sandbox

PIPELINE = """\
stages:
  prepare:
    cmd: cat in.txt > prep.txt; echo prepare >> $RUNLOG
    deps: [in.txt]
    outs: [prep.txt]
  train:
    cmd: (cat prep.txt; echo ${lr}; git rev-parse HEAD; pwd) > model.txt; echo '{"lr":${lr}}' > m.json; echo train >> $RUNLOG
    deps: [prep.txt, code.py]
    params: [lr]
    outs: [model.txt]
    metrics: [m.json: {cache: false}]
"""


@pytest.fixture
def project(tmp_path: Path) -> Sandbox:
    made = dvc_sandbox(tmp_path / "repo", tmp_path / "home")
    made = Sandbox(made.root, {**made.env, "RUNLOG": str(tmp_path / "ran.log")})
    for path, text in {
        "dvc.yaml": PIPELINE,
        "params.yaml": "lr: 1  # slow\n",
        "in.txt": "data\n",
        "code.py": "code\n",
        ".gitignore": "/ignored.txt\n/lib\n/link\n",
    }.items():
        made.write(path, text)
    made.commit("start")
    return made


def ran(project: Sandbox) -> list[str]:
    """The stages whose commands ran since the last call."""
    log = Path(project.env["RUNLOG"])
    lines = log.read_text().split() if log.exists() else []
    log.write_text("")
    return lines


def of(project: Sandbox, name: str, path: str) -> str:
    (ref,) = project.git("for-each-ref", "--format=%(refname)", f"refs/exps/*/*/{name}").split()
    return project.git("show", f"{ref}:{path}")


def nothing_left(project: Sandbox) -> None:
    exps = project.root / ".dvc/tmp/exps"
    assert not exps.exists() or list(exps.iterdir()) == []
    assert len(project.git("worktree", "list").splitlines()) == 1
    assert project.git("for-each-ref", "refs/redoit") == ""


def test_temp_leaves_the_workspace_and_has_its_edits(project: Sandbox) -> None:
    project.write("in.txt", "edited\n")
    project.write("code.py", "staged\n")
    project.git("add", "code.py")
    project.write("new.txt", "untracked\n")
    before = (
        workspace(project.root),
        project.git("status", "--porcelain"),
        project.git("diff", "--cached"),
    )
    done = project.exp("run", "--temp", "-n", "out", "-S", "lr=2")
    assert (
        workspace(project.root),
        project.git("status", "--porcelain"),
        project.git("diff", "--cached"),
    ) == before
    assert ran(project) == ["prepare", "train"]
    assert "Experiment 'out'" in done.stdout
    assert "`exp apply out`" in done.stdout
    assert of(project, "out", "in.txt") == "edited"
    assert of(project, "out", "code.py") == "staged"
    assert of(project, "out", "params.yaml") == "lr: 2  # slow"
    assert json.loads(of(project, "out", "m.json")) == {"lr": 2}
    assert "new.txt" not in project.git(
        "ls-tree",
        "--name-only",
        "-r",
        f"{project.git('for-each-ref', '--format=%(objectname)', 'refs/exps')}",
    )
    nothing_left(project)
    project.exp("apply", "out", "--force")
    model = project.read("model.txt").splitlines()
    assert model[:3] == ["edited", "2", project.git("rev-parse", "HEAD")]
    assert "/.dvc/tmp/exps/" in model[3]
    # What ran there is known here.
    assert "up to date" in project.exp("run").stdout
    assert ran(project) == []


def test_temp_takes_finished_stages_and_data_from_the_cache(project: Sandbox) -> None:
    project.exp("repro")
    ran(project)
    project.exp("run", "--temp", "-n", "out", "-S", "lr=3")
    assert ran(project) == ["train"]
    same = project.exp("run", "--temp")
    assert ran(project) == []
    assert "Experiment '" in same.stdout


def test_copied_paths_are_there_and_not_recorded(project: Sandbox) -> None:
    project.write(
        "dvc.yaml", PIPELINE.replace("deps: [in.txt]", "deps: [in.txt, ignored.txt, lib, link]")
    )
    project.write("ignored.txt", "secret\n")
    project.write("lib/deep/a.txt", "a\n")
    (project.root / "lib/deep/run.sh").write_text("#!/bin/sh\n")
    (project.root / "lib/deep/run.sh").chmod(0o755)
    (project.root / "link").symlink_to("lib/deep")
    (project.root / "lib/deep/around").symlink_to("..")
    project.commit("reads what is not there")
    refused = project.exp("run", "--temp", code=1)
    assert "3 deps will not be there outside of your workspace" in refused.stderr
    assert "missing: ignored.txt, lib, link" in refused.stderr
    assert "-C PATH" in refused.stderr
    assert ran(project) == []
    nothing_left(project)
    assert "empty" in project.exp("queue", "status").stdout
    copies = [word for path in ("ignored.txt", "lib", "link") for word in ("-C", path)]
    project.exp("run", "--temp", "-n", "out", *copies)
    assert ran(project) == ["prepare", "train"]
    tree = project.git(
        "ls-tree",
        "-r",
        "--name-only",
        project.git("for-each-ref", "--format=%(objectname)", "refs/exps"),
    ).splitlines()
    assert not [path for path in tree if path.startswith(("lib", "link")) or path == "ignored.txt"]
    assert "lib" in of(project, "out", "dvc.lock")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-C", "nowhere", "--temp"], "there is nothing at 'nowhere' to copy"),
        (["-C", "../repo", "--temp"], "does not lie inside of the repository"),
        (["-C", ".dvc", "--temp"], "the copies themselves would be in it"),
        (["-C", "pipe", "--temp"], "it is neither a file nor a directory"),
        (["-C", "in.txt"], "-C is for runs outside of the workspace"),
        (["--temp", "--queue"], "--queue and --temp cannot be given together"),
        (["--temp", "--dry"], "--dry cannot be given for a run outside"),
        (["--run-all", "-S", "lr=1", "train"], "--run-all cannot be given together with"),
        (["--temp", "-S", "lr=1,2"], "needs the queue"),
        (["--temp", "-n", "a/b"], "it has a slash"),
        (["-r", "nobody"], "there is no experiment 'nobody'"),
    ],
)  # fmt: skip
def test_what_cannot_be(arguments: list[str], words: str, project: Sandbox) -> None:
    os.mkfifo(project.root / "pipe")
    done = project.exp("run", *arguments, code=None)
    assert done.code in (1, 2)
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert ran(project) == []
    nothing_left(project)


def test_a_failed_run_goes_on_under_its_name(project: Sandbox) -> None:
    project.write(
        "dvc.yaml",
        PIPELINE.replace("echo train >> $RUNLOG", "test -e $RUNLOG.ok && echo train >> $RUNLOG"),
    )
    project.commit("fails at first")
    failed = project.exp("run", "--temp", "-n", "out", "-S", "lr=5", code=1)
    assert "`exp run -r out` goes on with it" in failed.stderr
    assert ran(project) == ["prepare"]
    project.write("params.yaml", "lr: 9\n")
    Path(project.env["RUNLOG"] + ".ok").touch()
    refused = project.exp("run", "-r", "out", "-S", "lr=6", code=1)
    assert "it can only go on as it was ordered" in refused.stderr
    project.exp("run", "-r", "out")
    assert ran(project) == ["train"]
    assert json.loads(of(project, "out", "m.json")) == {"lr": 5}
    nothing_left(project)


def test_a_failed_run_in_the_workspace_goes_on_there(project: Sandbox) -> None:
    project.write(
        "dvc.yaml",
        PIPELINE.replace("echo train >> $RUNLOG", "test -e $RUNLOG.ok && echo train >> $RUNLOG"),
    )
    project.commit("fails at first")
    failed = project.exp("run", "-n", "out", "-S", "lr=5", code=1)
    assert "Experiment 'out' has not finished: `exp run -r out` goes on with it" in failed.stderr
    Path(project.env["RUNLOG"] + ".ok").touch()
    project.exp("run", "-r", "out")
    assert ran(project) == ["prepare", "train"]
    assert json.loads(of(project, "out", "m.json")) == {"lr": 5}
    assert "model.txt" in {path.name for path in project.root.iterdir()}
    # It has finished now: from here on it is one to start from.
    project.exp("run", "-r", "out", "-n", "more", "-S", "lr=6")
    assert json.loads(of(project, "more", "m.json")) == {"lr": 6}
    assert json.loads(project.read("m.json")) == {"lr": 5}


def test_a_command_of_a_stage_does_not_wait_for_its_own_run(project: Sandbox) -> None:
    project.write("dvc.yaml", PIPELINE.replace("cat in.txt >", "exp run && cat in.txt >"))
    assert "the run that it is part of holds" in project.exp("run", code=1).stderr
    assert ran(project) == ["prepare"]


def test_from_a_finished_experiment_a_new_one_on_its_baseline(project: Sandbox) -> None:
    project.exp("run", "--temp", "-n", "out", "-S", "lr=5")
    baseline = project.git("rev-parse", "HEAD")
    project.write("in.txt", "later\n")
    project.commit("later")
    ran(project)
    project.exp("run", "-r", "out", "-n", "next", "-S", "lr=7")
    assert ran(project) == ["train"]
    assert of(project, "next", "in.txt") == "data"
    assert of(project, "next", "params.yaml") == "lr: 7  # slow"
    (ref,) = project.git("for-each-ref", "--format=%(refname)", "refs/exps/*/*/next").split()
    assert project.git("rev-parse", f"{ref}^") == baseline


def test_in_a_folder_of_a_repository_a_linked_work_tree_and_with_submodules(tmp_path: Path) -> None:
    library = Sandbox(tmp_path / "library", {})
    top = dvc_sandbox(tmp_path / "repo", tmp_path / "home")
    top = Sandbox(top.root, {**top.env, "RUNLOG": str(tmp_path / "ran.log")})
    library = Sandbox(library.root, top.env)
    library.write("lib.txt", "library\n")
    library.git("init", "-q", "-b", "main")
    library.commit("library")
    top.git(
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        str(library.root),
        "vendor/lib",
    )
    (top.root / "inner").mkdir()
    top.exp("init", "--subdir", "--hash", "md5", cwd="inner")
    top.write("inner/dvc.yaml", PIPELINE.replace("in.txt > prep", "../vendor/lib/lib.txt > prep"))
    for name in ("in.txt", "code.py", "outer.txt"):
        top.write(f"inner/{name}", "data\n")
    top.write("inner/params.yaml", "lr: 1\n")
    top.commit("a project in a folder")
    top.exp("run", "--temp", "-n", "one", cwd="inner")
    top.git("worktree", "add", "-q", "../other")
    other = Sandbox(top.root.parent / "other", top.env)
    other.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init")
    other.exp("run", "--temp", "-n", "two", "-S", "lr=4", cwd="inner")
    for name, lr in (("one", 1), ("two", 4)):
        assert json.loads(of(top, name, "inner/m.json")) == {"lr": lr}
    assert of(top, "one", "inner/dvc.lock").count("size: 8") == 2  # 'library', not 'data'
    assert not (top.root / "inner/.dvc/tmp/exps").exists() or not list(
        (top.root / "inner/.dvc/tmp/exps").iterdir()
    )
    assert len(top.git("worktree", "list").splitlines()) == 2
    assert len(top.git("worktree", "list", cwd="vendor/lib").splitlines()) == 1


def test_the_place_can_be_chosen(project: Sandbox, tmp_path: Path) -> None:
    """It may be shared: with other things, and with other work trees of the repository and their queues."""
    project.exp("config", "redoit.exps_dir", str(tmp_path / "scratch"))
    project.write(".gitignore", "/.dvc/tmp\n")
    project.commit("another place")
    Sandbox(tmp_path, {}).write("scratch/2024/data", "data\n")
    project.git("worktree", "add", "-q", "../other")
    project.exp("run", "--queue", "-n", "waits", "-S", "lr=2", cwd="../other")
    project.exp("run", "--queue", "-n", "runs", "-S", "lr=3")
    project.exp("run", "--run-all")
    assert (tmp_path / "scratch/2024/data").exists()
    assert len(project.git("for-each-ref", "refs/redoit").splitlines()) == 1
    project.exp("run", "--temp", "-n", "out")
    project.exp("apply", "out", "--force")
    assert str(tmp_path / "scratch") in project.read("model.txt")
    project.exp("config", "redoit.exps_dir", "inside")
    assert "names a folder of the project itself" in project.exp("run", "--temp", code=1).stderr

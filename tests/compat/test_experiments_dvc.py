"""Experiments against a real DVC: the same files enter, and its commands take ours for its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from redoit.experiments.refs import Experiment
from redoit.experiments.save import save_experiment
from redoit.git import Git
from redoit.project import find_layout
from redoit.spec import load_index
from redoit.trace import Traces
from tests.compat.oracle import Oracle
from tests.sandbox import Sandbox

pytestmark = pytest.mark.oracle

PIPELINE = """\
stages:
  a:
    cmd: mkdir -p made && cat src/a.py raw.csv > made/out.txt; echo '{"m":1}' > m.json; chmod +x m.json
    deps: [src, raw.csv, new.csv]
    params: [lr]
    outs: [made/out.txt]
    metrics: [m.json: {cache: false}]
  b:
    cmd: cat made/out.txt > curve.csv
    deps: [made/out.txt]
    plots: [curve.csv: {cache: false}]
metrics: [top.json]
params: [extra.yaml]
plots:
- p.csv
- both: {x: {xs.csv: a}, y: {ys.csv: b}}
"""


@pytest.fixture
def here(project: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A project of which Git knows the sources and the data file; the pipeline is new."""
    for name, value in project.env.items():
        if name.startswith(("GIT_", "HOME", "XDG", "DVC_")):
            monkeypatch.setenv(name, value)
    project.write("src/a.py", "1\n")
    project.write("params.yaml", "lr: 1\n")
    for name in ("tracked.txt", "deleted.txt", "staged.txt"):
        project.write(name, f"{name}\n")
    project.write("raw.csv", "raw\n")
    project.write(
        "raw.csv.dvc",
        "outs:\n- md5: f0bc03ef8d8e3b6a4f0a3a3a3a3a3a3a\n  size: 4\n  hash: md5\n  path: raw.csv\n",
    )
    project.write(".gitignore", "*.log\n/raw.csv\n")
    project.commit()
    project.write("dvc.yaml", PIPELINE)
    project.write("new.csv", "1\n")
    for name in ("top.json", "extra.yaml", "p.csv", "xs.csv", "ys.csv"):
        project.write(name, "{}\n")
    return project


def untracked_in_a_dep(here: Sandbox) -> None:
    here.write("src/new.py", "")
    here.write("src/deep/er.py", "")
    here.write("src/debug.log", "")
    here.write("elsewhere.txt", "")


def modified_and_deleted(here: Sandbox) -> None:
    here.write("tracked.txt", "changed\n")
    (here.root / "deleted.txt").unlink()


def staged(here: Sandbox) -> None:
    here.write("staged.txt", "staged\n")
    here.write("added.txt", "added\n")
    here.git("add", "staged.txt", "added.txt")


def links_and_modes(here: Sandbox) -> None:
    (here.root / "src/link").symlink_to("a.py")
    here.write("src/run.sh", "").chmod(0o755)
    (here.root / "tracked.txt").chmod(0o755)
    (here.root / "loose").symlink_to("src")


def large_and_odd(here: Sandbox) -> None:
    here.write("new.csv", b"\0\xff" * 3_000_000)
    here.write("src/ä b[1].py", "")
    here.write("src/empty", "")


def ignored_dep(here: Sandbox) -> None:
    here.write(".gitignore", "*.log\n/raw.csv\nnew.csv\n")


SCENES = [
    untracked_in_a_dep,
    modified_and_deleted,
    staged,
    links_and_modes,
    large_and_odd,
    ignored_dep,
]


def save(where: Path, name: str) -> Experiment:
    layout = find_layout(str(where))
    git = Git(layout.root)
    index = load_index(layout)
    traces = Traces(layout, index.files)
    return save_experiment(
        layout, git, index, traces, name=name, message=None, force=False, baseline=git.head()
    )


def files(sandbox: Sandbox, rev: str) -> dict[str, str]:
    lines = sandbox.git("ls-tree", "-r", "-z", rev).split("\0")
    return {line.split("\t")[1]: line.split("\t")[0] for line in lines if line}


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_the_same_files_enter(
    here: Sandbox, dvc: Oracle, tmp_path: Path, scene: Callable[[Sandbox], None]
) -> None:
    scene(here)
    shutil.copytree(here.root, tmp_path / "copy", symlinks=True)
    theirs = Sandbox(tmp_path / "copy", here.env)
    dvc.on(theirs, "exp", "run", "-q", "-n", "theirs")
    dvc.on(here, "repro", "-q")
    ours = save(here.root, "ours")
    expected = files(
        theirs, theirs.git("for-each-ref", "--format=%(refname)", "refs/exps/*/*/theirs")
    )
    entered = files(here, ours.rev)
    # The one file more: without it the cached outs would turn up in the next `git add`.
    assert entered.pop("made/.gitignore")
    assert entered == expected
    assert here.git("show", "-s", "--format=%B", ours.rev) == theirs.git(
        "for-each-ref", "--format=%(contents)", "refs/exps/*/*/theirs"
    )


def test_dvc_takes_an_experiment_of_ours_for_its_own(here: Sandbox, dvc: Oracle) -> None:
    dvc.on(here, "repro", "-q")
    first = save(here.root, "first")
    here.write("params.yaml", "lr: 2\n")
    dvc.on(here, "repro", "-q")
    second = save(here.root, "second")
    listed = dvc.on(here, "exp", "list", "--name-only").split()
    assert set(listed) == {"first", "second"}
    shown = json.loads(dvc.on(here, "exp", "show", "--json"))
    experiments = {row["name"]: row for base in shown for row in base.get("experiments") or []}
    assert set(experiments) == {"first", "second"}
    revs = {name: row["revs"][0]["data"] for name, row in experiments.items()}
    assert revs["first"]["rev"] == first.rev
    assert revs["second"]["params"]["params.yaml"]["data"] == {"lr": 2}
    assert revs["first"]["metrics"]["m.json"]["data"] == {"m": 1}
    dvc.on(here, "exp", "apply", "first")
    assert here.read("params.yaml") == "lr: 1\n"
    assert "up to date" in dvc.on(here, "status")
    dvc.on(here, "exp", "branch", "second", "promoted")
    assert here.git("rev-parse", "promoted") == second.rev
    dvc.on(here, "exp", "rename", "first", "renamed")
    dvc.on(here, "exp", "remove", "renamed")
    assert here.git("for-each-ref", "--format=%(refname)", "refs/exps/*/*/*") == second.ref

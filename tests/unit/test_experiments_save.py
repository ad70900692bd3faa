"""Experiments on real repositories: what enters the commit, what is left alone, names and conflicts."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from redoit.errors import BadExperimentName, ExperimentError, ExperimentExists, GitError
from redoit.experiments.names import _ADJECTIVES, _NOUNS, new_name
from redoit.experiments.refs import Experiment, ref_of
from redoit.experiments.save import find_same, free_name, save_experiment
from redoit.git import Git
from redoit.model import Address
from redoit.project import Layout, find_layout
from redoit.spec import load_index
from redoit.trace import Traces
from tests.sandbox import Sandbox

PIPELINE = """\
stages:
  prepare:
    cmd: python src/prepare.py
    deps: [src, raw.csv, table.csv]
    params:
    - split
    - conf.json: [a]
    outs:
    - data/clean.csv
  train:
    cmd: python train.py
    deps: [data/clean.csv]
    outs:
    - model
    metrics:
    - scores.json: {cache: false}
    plots:
    - curve.csv: {cache: false}
metrics: [top.json]
params: [extra.yaml]
plots:
- points.csv
- both: {x: {xs.csv: a}, y: {ys.csv: b}}
"""
LOCK = """\
schema: '2.0'
stages:
  prepare:
    cmd: python src/prepare.py
  train:
    cmd: python train.py
"""
MADE = ["dvc.lock", "top.json", "extra.yaml", "points.csv", "xs.csv", "ys.csv", "conf.json"]


@pytest.fixture
def here(project: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A project with a pipeline that has run, of which Git knows ``src/prepare.py`` and ``params.yaml``."""
    for name, value in project.env.items():
        if name.startswith(("GIT_", "HOME", "XDG", "DVC_")):
            monkeypatch.setenv(name, value)
    project.write("src/prepare.py", "")
    project.write("params.yaml", "split: 1\n")
    project.commit()
    project.write("dvc.yaml", PIPELINE)
    project.write("raw.csv.dvc", "outs:\n- md5: " + "a" * 32 + "\n  hash: md5\n  path: raw.csv\n")
    fill(project)
    return project


def fill(project: Sandbox) -> None:
    """What the stages and the user leave behind."""
    project.write("raw.csv", "raw")
    project.write(".gitignore", "/raw.csv\n/model\n*.log\n")
    project.write("data/.gitignore", "/clean.csv\n")
    project.write("data/clean.csv", "clean")
    project.write("model/weights", "w")
    project.write("table.csv", "t")
    project.write("scores.json", "{}").chmod(0o755)
    project.write("curve.csv", "x\n")
    for name in MADE:
        project.write(name, LOCK if name == "dvc.lock" else "{}")
    project.write("src/new.py", "")
    project.write("src/debug.log", "")
    project.write("notes.txt", "mine")
    project.write("other/.gitignore", "/mine\n")


def save(
    where: Path,
    name: str | None = None,
    *,
    message: str | None = None,
    force: bool = False,
    ran: list[Address] | None = None,
) -> Experiment:
    layout, git = parts(where)
    index = load_index(layout)
    return save_experiment(
        layout,
        git,
        index,
        Traces(layout, index.files),
        name=name,
        message=message,
        force=force,
        baseline=git.head(),
        ran=ran,
    )


def same(where: Path) -> Experiment | None:
    layout, git = parts(where)
    return find_same(layout, git, load_index(layout), git.head())


def parts(where: Path) -> tuple[Layout, Git]:
    layout = find_layout(str(where))
    return layout, Git(layout.root)


def changes(sandbox: Sandbox, rev: str) -> dict[str, str]:
    lines = sandbox.git("diff", "--no-renames", "--name-status", "HEAD", rev).splitlines()
    return {path: kind for kind, path in (line.split("\t") for line in lines)}


def test_what_belongs_enters_and_nothing_else(here: Sandbox) -> None:
    wanted = ["dvc.yaml", "raw.csv.dvc", "table.csv", "scores.json", "curve.csv", "src/new.py"]
    wanted += [".gitignore", "data/.gitignore", *MADE]
    experiment = save(here.root)
    assert changes(here, experiment.rev) == dict.fromkeys(wanted, "A")
    assert here.git("ls-tree", experiment.rev, "scores.json").startswith("100755")


def test_tracked_files_enter_as_they_are(here: Sandbox) -> None:
    here.commit()
    here.write("notes.txt", "changed")
    (here.root / "table.csv").unlink()
    here.write("staged.txt", "1")
    here.git("add", "staged.txt")
    here.write("staged.txt", "2")
    here.git("rm", "-q", "--cached", "curve.csv")
    (here.root / "curve.csv").unlink()
    (here.root / "params.yaml").unlink()
    (here.root / "params.yaml").symlink_to("extra.yaml")
    experiment = save(here.root)
    assert changes(here, experiment.rev) == {
        "notes.txt": "M",
        "table.csv": "D",
        "staged.txt": "A",
        "curve.csv": "D",
        "params.yaml": "T",
    }
    assert here.git("show", f"{experiment.rev}:staged.txt") == "2"


def test_the_users_things_are_left_alone(here: Sandbox) -> None:
    here.write("staged.txt", "1")
    here.git("add", "staged.txt")
    here.git("stash", "push", "-q", "--", "staged.txt")
    here.write("params.yaml", "split: 2\n")
    here.git("status")
    index = here.root / ".git/index"
    watched = [
        index,
        here.root / ".git/HEAD",
        here.root / ".git/refs/stash",
        here.root / "params.yaml",
    ]
    before = [(path.read_bytes(), path.stat().st_mtime_ns) for path in watched]
    log = here.git("reflog", "--all")
    save(here.root)
    assert [(path.read_bytes(), path.stat().st_mtime_ns) for path in watched] == before
    assert here.git("reflog", "--all") == log
    assert not list(Path(here.root, ".dvc/tmp/redoit").glob("index-*"))


def test_the_commit(here: Sandbox) -> None:
    head = here.git("rev-parse", "HEAD")
    experiment = save(here.root, "first")
    assert experiment == Experiment("first", experiment.rev, ref_of(head, "first"), head, True)
    assert experiment.ref == f"refs/exps/{head[:2]}/{head[2:]}/first"
    shown = here.git("log", "-1", "--format=%P|%an <%ae>|%B", experiment.ref)
    author = "Ada Author <ada@example.org>"
    assert re.fullmatch(rf"{head}\|{author}\|dvc: commit experiment [0-9a-f]{{64}}\n?", shown)
    other = save(here.root, "second", message="Try ä\n\nmore", ran=[])
    assert here.git("log", "-1", "--format=%B", other.ref).strip() == "Try ä\n\nmore"
    nothing = save(here.root, "third", ran=[])
    empty = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert here.git("log", "-1", "--format=%s", nothing.ref) == f"dvc: commit experiment {empty}"


def test_names(here: Sandbox) -> None:
    save(here.root, "taken")
    git = Git(str(here.root))
    head = git.head()
    assert re.fullmatch(r"[a-z]+-[a-z]+", free_name(git, head, None, force=False))
    assert free_name(git, head, "free", force=False) == "free"
    assert free_name(git, head, "taken", force=True) == "taken"
    with pytest.raises(ExperimentExists, match="'taken' exists already") as caught:
        free_name(git, head, "taken", force=False)
    assert "-f" in str(caught.value.hint)
    for ask in (lambda: free_name(git, head, "a b", force=False), lambda: save(here.root, "a/b")):
        with pytest.raises(BadExperimentName):
            ask()
    here.commit("another baseline")
    assert save(here.root, "taken").created


def test_an_existing_name_is_only_replaced_by_force(here: Sandbox) -> None:
    first = save(here.root, "one")
    with pytest.raises(ExperimentExists):
        save(here.root, "one")
    here.write("params.yaml", "split: 2\n")
    second = save(here.root, "one", force=True)
    assert second.rev != first.rev
    assert here.git("rev-parse", second.ref) == second.rev


def test_the_same_state_is_found(here: Sandbox) -> None:
    assert same(here.root) is None
    first = save(here.root, "one")
    found = same(here.root)
    assert found is not None
    assert (found.name, found.rev, found.created) == ("one", first.rev, False)
    here.write("params.yaml", "split: 2\n")
    assert same(here.root) is None
    here.write("params.yaml", "split: 1\n")
    here.write("notes.txt", "untracked files do not count")
    assert same(here.root) is not None
    here.commit("another baseline")
    assert same(here.root) is None


def test_a_project_in_a_sub_directory(here: Sandbox) -> None:
    inner = Sandbox(here.root / "inner", here.env)
    inner.write(".dvc/config", "")
    inner.write(".dvc/.gitignore", "/config.local\n/tmp\n/cache\n")
    inner.write(
        "dvc.yaml", "stages:\n  a:\n    cmd: x\n    deps: [../table.csv, in.txt]\n    outs: [o]\n"
    )
    inner.write("in.txt", "")
    inner.write("o", "")
    inner.write(".gitignore", "/o\n")
    here.git("add", "src/prepare.py")
    here.write("src/prepare.py", "changed outside of the project")
    experiment = save(inner.root)
    assert changes(here, experiment.rev) == {
        "inner/dvc.yaml": "A",
        "inner/in.txt": "A",
        "inner/.gitignore": "A",
        "src/prepare.py": "M",
    }


def test_ignored_and_foreign_files_stay_out(here: Sandbox) -> None:
    here.write(".gitignore", "/raw.csv\n/model\n*.log\ntable.csv\n")
    here.write("data/.gitignore", "/something_else\n")
    here.write("src/nested/.git/HEAD", "ref: refs/heads/main\n")
    (here.root / "src/nested/.git").rename(here.root / "src/nested/x")
    here.command("git", "init", "-q", "src/nested")
    experiment = save(here.root)
    entered = changes(here, experiment.rev)
    assert "table.csv" not in entered
    assert "data/.gitignore" not in entered
    assert not [path for path in entered if path.startswith("src/nested")]


def test_in_the_middle_of_a_merge(here: Sandbox) -> None:
    here.commit()
    for branch, text in (("side", "split: 2\n"), ("main", "split: 3\n")):
        here.git("checkout", "-q", *(["-b"] if branch == "side" else []), branch)
        here.write("params.yaml", text)
        here.commit()
    here.git("merge", "-q", "side", code=1)
    here.write("params.yaml", "split: 1\n")
    with pytest.raises(ExperimentError, match="merge is not finished") as caught:
        save(here.root)
    assert caught.value.facts["in conflict"] == "params.yaml"
    here.git("add", "params.yaml")
    assert save(here.root).created


def test_without_a_commit_or_a_repository(here: Sandbox) -> None:
    here.git("update-ref", "-d", "HEAD")
    with pytest.raises(GitError, match="no commit yet"):
        save(here.root)
    (here.root / ".git").rename(here.root / "gone")
    with pytest.raises(GitError, match="not in a Git repository"):
        save(here.root)


def test_many_at_once(here: Sandbox) -> None:
    made: list[Experiment] = []
    failed: list[Exception] = []

    def work(number: int) -> None:
        try:
            made.append(save(here.root, None if number % 2 else f"n{number}"))
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len({experiment.name for experiment in made}) == 8
    refs = here.git("for-each-ref", "--format=%(refname)", "refs/exps").splitlines()
    assert sorted(refs) == sorted(experiment.ref for experiment in made)


def test_leftovers_of_a_killed_process_do_not_block(here: Sandbox) -> None:
    tmp = here.root / ".dvc/tmp/redoit"
    tmp.mkdir(parents=True)
    (tmp / "index-1-dead").write_bytes(b"torn")
    (tmp / "index-1-dead.lock").write_bytes(b"")
    assert save(here.root).created


def test_words() -> None:
    for words in (_ADJECTIVES.split(), _NOUNS.split()):
        assert len(set(words)) == len(words) > 150
        assert all(re.fullmatch("[a-z]{3,6}", word) for word in words)
    assert len({new_name() for _ in range(50)}) > 40

    class Everything:
        def __contains__(self, name: object) -> bool:
            return str(name).count("-") == 1

    assert re.fullmatch(r"[a-z]+-[a-z]+-\d", new_name(Everything()))

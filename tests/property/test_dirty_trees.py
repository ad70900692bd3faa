"""Over random dirty work trees: nothing of the user's changes but what a command promises, killed or not."""

from __future__ import annotations

import random
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from redoit.cli.main import COMMANDS, run
from tests.property.dirty_trees import (
    EXPERIMENTS,
    Mine,
    files_of,
    kept,
    make_dirty,
    make_template,
    picture,
    recorded,
)
from tests.sandbox import Sandbox

SEEDS = 24
KILLS = 33

QUIET = [
    ["list", "-A"],
    ["rename", "one", "uno"],
    ["remove", "one", "old"],
    ["remove", "-A"],
    ["clean"],
    ["status"],
    ["why", "score"],
    ["dag"],
    ["run", "--dry"],
    ["repro", "--dry"],
    ["show", "--no-pager"],
    ["run", "--temp", "-n", "away"],
    ["run", "-r", "one", "-n", "again"],
    ["run", "--queue", "-S", "lr=1,2"],
    ["queue", "status"],
    ["diff"],
    ["params", "diff"],
    ["params", "show"],
    ["metrics", "diff"],
    ["metrics", "show"],
]
"""They promise to change nothing of the user's."""


@dataclass(frozen=True)
class Template:
    project: Sandbox
    recorded: set[bytes]
    files: dict[str, dict[str, tuple[bool, bytes]]]
    """Experiment, or HEAD → what its commit has."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    top = tmp_path_factory.mktemp("dirty")
    project = make_template(top / "template", top / "home")
    refs = project.git("for-each-ref", "--format=%(refname)", "refs/exps").splitlines()
    files = {ref.rpartition("/")[2]: files_of(project, ref) for ref in refs}
    assert set(files) == set(EXPERIMENTS)
    return Template(project, recorded(project), {**files, "HEAD": files_of(project, "HEAD")})


@pytest.fixture
def dirty(
    template: Template, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> Sandbox:
    """A copy of the template, made dirty; the process stands in it."""
    project = copy(template, tmp_path / "repo", random.Random(seed))
    for name, value in project.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(project.root)
    return project


def copy(template: Template, root: Path, rng: random.Random) -> Sandbox:
    shutil.copytree(template.project.root, root, symlinks=True)
    project = Sandbox(root, template.project.env)
    print("dirty:", *make_dirty(project, rng), sep="\n  ")
    return project


def same(before: Mine, after: Mine, *, but: tuple[str, ...] = ()) -> None:
    """Nothing is different, but for files of these names."""
    changed = {
        path
        for path in before.files.keys() | after.files.keys()
        if before.files.get(path) != after.files.get(path) and Path(path).name not in but
    }
    assert changed == set()
    assert before.git == after.git


@pytest.mark.parametrize("seed", range(SEEDS))
def test_commands_that_promise_to_change_nothing(dirty: Sandbox, seed: int) -> None:
    before = picture(dirty.root)
    rng = random.Random(f"quiet {seed}")
    for arguments in rng.sample([words for words in QUIET if words[0] in COMMANDS], 3):
        code = run(arguments)
        assert code in (0, 1), arguments
        same(before, picture(dirty.root))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_save_writes_the_lock_alone(dirty: Sandbox, seed: int) -> None:
    before = picture(dirty.root)
    run(["save", "-n", "saved"])
    after = picture(dirty.root)
    same(before, after, but=("dvc.lock", ".gitignore"))
    for path, (_, text) in before.files.items():
        if path.endswith(".gitignore"):
            assert after.files[path][1].startswith(text)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_branch_makes_a_branch_alone(dirty: Sandbox, seed: int) -> None:
    before = picture(dirty.root)
    assert run(["branch", "two", "made"]) == 0
    after = picture(dirty.root)
    made = set(after.git) - set(before.git)
    assert made == {"refs/heads/made", "logs/refs/heads/made"}
    same(before, Mine(after.files, {k: v for k, v in after.git.items() if k not in made}))


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("seed", range(SEEDS))
def test_apply_loses_nothing(template: Template, dirty: Sandbox, seed: int, force: bool) -> None:
    name = EXPERIMENTS[seed % len(EXPERIMENTS)]
    before = picture(dirty.root)
    code = run(["apply", name, *(["--force"] if force else [])])
    after = picture(dirty.root)
    if code:
        assert not force
        same(before, after)
        return
    nothing_lost(template, dirty, before, after)
    there = template.files[name]
    assert {path: after.files.get(path) for path in there} == there
    assert run(["status", "-q"]) == 0
    if not force:
        strangers = before.files.keys() - there.keys() - template.files["HEAD"].keys() - OUTS
        assert {path: after.files.get(path) for path in strangers} == {
            path: before.files[path] for path in strangers
        }
        assert kept(dirty.root) == set()


OUTS = {"out.txt", "model/a", "model/b"}


def nothing_lost(template: Template, project: Sandbox, before: Mine, after: Mine) -> None:
    """All that is a user's in Git is as it was, and what a file held is somewhere."""
    assert before.git == after.git
    there = kept(project.root) | template.recorded
    lost = {
        path
        for path, (_, text) in before.files.items()
        if after.files.get(path, (False, None))[1] != text and text not in there
    }
    assert lost == set()


# --- killed ---------------------------------------------------------------------------------------

COMMANDS_TO_KILL = [
    *(["apply", name, "--force"] for name in EXPERIMENTS),
    *(["apply", name] for name in EXPERIMENTS),
    ["save", "-n", "saved", "-f"],
    ["branch", "two", "made"],
    ["remove", "one", "two"],
    ["run", "--temp", "-f", "-n", "away"],
    ["run", "--queue", "-f", "-n", "later"],
]
STEPS = {"apply": 90, "save": 30, "branch": 7, "remove": 7, "run": 60}
"""About how many steps each takes."""
DRIVER = """\
import os, signal, sys
from redoit.cli.main import run

left = int(sys.argv[1])

def step(event, arguments):
    global left
    if event in EVENTS or (event == "open" and arguments[1] not in (None, "r", "rb")):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

EVENTS = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod",
          "os.utime", "shutil.move", "shutil.copyfile", "subprocess.Popen"}
sys.addaudithook(step)
code = run(sys.argv[2:])
print("steps", int(sys.argv[1]) - left)
sys.exit(code)
"""
"""Runs ``exp`` and kills itself before the nth thing that it does to the disk."""


@pytest.mark.kill
@pytest.mark.parametrize("seed", range(KILLS))
def test_killed(template: Template, tmp_path: Path, seed: int) -> None:
    rng = random.Random(f"kill {seed}")
    project = copy(template, tmp_path / "repo", rng)
    command = COMMANDS_TO_KILL[seed % len(COMMANDS_TO_KILL)]
    step = rng.randint(1, STEPS[command[0]])
    print("command:", *command, "step:", step)
    before = picture(project.root)
    arguments = [sys.executable, "-c", DRIVER, str(step), *command]
    killed = project.command(*arguments, code=None)
    print("ended by itself" if killed.code != -9 else "killed")
    after = picture(project.root)
    lasting = {name: data for name, data in after.git.items() if not name.endswith("heads/made")}
    after = Mine(after.files, lasting)
    if command[0] == "apply":
        nothing_lost(template, project, before, after)
    else:
        same(before, after, but=("dvc.lock", ".gitignore") if command[0] == "save" else ())
    again = project.exp(*command, code=None)
    print(again)
    assert "bug" not in again.stderr
    files = picture(project.root).files
    if "--force" in command or before.files != after.files:
        assert again.code == 0
    if command[0] == "apply":
        nothing_lost(template, project, before, Mine(files, before.git))
        there = template.files[command[1]]
        assert again.code == 1 or {path: files.get(path) for path in there} == there
    names = project.exp("list", "-A", "--name-only").stdout.split()
    if command[0] == "remove":
        assert sorted(names) == ["old", "three"]
    if command[0] == "branch":
        listed = project.git("for-each-ref", "--format=%(refname)", "refs/exps").splitlines()
        ref = next(ref for ref in listed if ref.endswith("/two"))
        assert project.git("rev-parse", "made") == project.git("rev-parse", ref)
    project.git("fsck", "--strict")

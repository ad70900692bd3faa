"""Projects with experiments and a work tree full of edits, and pictures of everything that is a user's."""

from __future__ import annotations

import os
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.sandbox import Sandbox, dvc_sandbox

PIPELINE = """\
stages:
  work:
    cmd: cat in.txt params.yaml > out.txt; mkdir -p model; cp in.txt model/a; cp params.yaml model/b
    deps: [in.txt]
    params: [x]
    outs: [out.txt, model]
  score:
    cmd: wc -c < out.txt > score.txt
    deps: [out.txt]
    metrics: [score.txt: {cache: false}]
"""
EXPERIMENTS = ("one", "two", "three", "old")
SOURCES = [f"src/{name}.py" for name in "abcdefgh"]


def make_template(root: Path, home: Path) -> Sandbox:
    """``one``, ``two`` and ``three`` start from HEAD, ``old`` from the commit before; there is a stash too."""
    project = dvc_sandbox(root, home)
    project.write(".gitignore", "*.ignored\n")
    project.write("dvc.yaml", PIPELINE)
    project.write("in.txt", "data\n")
    project.write("params.yaml", "x: 0\n")
    for path in SOURCES:
        project.write(path, f"# {path}\n")
    project.commit("first")
    project.exp("run", "-q", "-n", "old")
    project.write("src/later.py", "# later\n")
    project.write("params.yaml", "x: 1\n")
    project.git("add", "src", "params.yaml")
    project.git("commit", "-q", "-m", "second")
    project.exp("run", "-q", "-n", "one")
    project.write("params.yaml", "x: 2\n")
    project.write("src/a.py", "# a of two\n")
    project.write("src/new/deep.py", "# new in two\n")
    (project.root / "src" / "b.py").unlink()
    project.exp("save", "-q", "-n", "two-without")
    project.exp("run", "-q")
    project.exp("save", "-q", "-n", "two", "-I", "src/new")
    project.write("params.yaml", "x: 3\n")
    (project.root / "src" / "c.py").chmod(0o755)
    project.exp("run", "-q", "-n", "three")
    names = project.exp("list", "-A", "--name-only").stdout.split()
    project.exp("remove", "-q", *{name for name in names if name not in EXPERIMENTS})
    project.exp("apply", "-q", "one")
    shutil.rmtree(project.root / "src" / "new")
    project.write("src/d.py", "# stashed\n")
    project.git("stash", "push", "-q", "src/d.py")
    return project


@dataclass(frozen=True)
class Mine:
    """What is a user's, at one moment."""

    files: dict[str, tuple[bool, bytes]]
    """Path → (is it executable, content); of a link what it leads to."""
    git: dict[str, bytes]
    """Index, HEAD, stash, branches and tags, configuration: file of ``.git`` → bytes."""


def picture(root: Path) -> Mine:
    """Reads files alone: no Git command that might refresh the index."""
    files = {}
    for folder, folders, names in os.walk(root):
        here = Path(folder).relative_to(root)
        if here == Path("."):
            folders.remove(".git")
        if here == Path(".dvc"):
            folders[:] = [name for name in folders if name not in ("cache", "tmp")]
        for name in (*names, *(n for n in folders if Path(folder, n).is_symlink())):
            files[(here / name).as_posix()] = content(Path(folder, name))
    git = {}
    for path in sorted((root / ".git").rglob("*")):
        name = path.relative_to(root / ".git").as_posix()
        top = name.split("/")[0]
        is_ours = name.startswith(("refs/exps", "refs/redoit")) or top in ("objects", "worktrees")
        if path.is_file() and not is_ours:
            git[name] = path.read_bytes()
    if "packed-refs" in git:
        lines = git["packed-refs"].splitlines()
        git["packed-refs"] = b"\n".join(line for line in lines if b"refs/exps" not in line)
    return Mine(files, git)


def content(path: Path) -> tuple[bool, bytes]:
    if path.is_symlink():
        return False, os.fsencode(os.readlink(path))
    return os.access(path, os.X_OK), path.read_bytes()


def make_dirty(project: Sandbox, rng: random.Random) -> list[str]:
    """Do some things that users do. Returns what was done."""
    done = []
    for number in range(rng.randint(1, 7)):
        action = rng.choice(_ACTIONS)
        path = rng.choice([*SOURCES, "params.yaml", "in.txt", "src/later.py", "score.txt"])
        done.append(f"{action.__name__} {path}")
        action(project, path, f"edit {number} {rng.random()}\n")
    return done


def _clear(project: Sandbox, path: str) -> Path:
    place = project.root / path
    if not place.parent.is_dir():  # there is a file instead, or a link to nowhere
        place.parent.unlink(missing_ok=True)
        place.parent.mkdir(parents=True)
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
    return place


def edit(project: Sandbox, path: str, text: str) -> None:
    _clear(project, path)
    project.write(path, text)


def stage(project: Sandbox, path: str, text: str) -> None:
    edit(project, path, text)
    project.git("add", "-f", path)


def stage_and_edit(project: Sandbox, path: str, text: str) -> None:
    stage(project, path, text)
    edit(project, path, text + "again\n")


def delete(project: Sandbox, path: str, text: str) -> None:
    _clear(project, path)


def forget(project: Sandbox, path: str, text: str) -> None:
    project.git("rm", "-q", "-r", "-f", "--cached", "--ignore-unmatch", path)


def intend(project: Sandbox, path: str, text: str) -> None:
    project.write(f"{path}.new", text)
    project.git("add", "-N", f"{path}.new")


def add_untracked(project: Sandbox, path: str, text: str) -> None:
    project.write(f"{path}.mine", text)


def add_ignored(project: Sandbox, path: str, text: str) -> None:
    project.write(f"{path}.ignored", text)


def write_where_an_experiment_has_a_file(project: Sandbox, path: str, text: str) -> None:
    edit(project, "src/new/deep.py", text)


def write_where_an_experiment_has_a_folder(project: Sandbox, path: str, text: str) -> None:
    edit(project, "src/new", text)


def make_executable(project: Sandbox, path: str, text: str) -> None:
    place = project.root / path
    if place.is_file() and not place.is_symlink():
        place.chmod(0o755)


def make_link(project: Sandbox, path: str, text: str) -> None:
    _clear(project, path).symlink_to(f"nowhere-{len(text)}")


def make_folder(project: Sandbox, path: str, text: str) -> None:
    _clear(project, path)
    project.write(f"{path}/inside.txt", text)


def edit_data(project: Sandbox, path: str, text: str) -> None:
    edit(project, "out.txt", text)


def edit_data_folder(project: Sandbox, path: str, text: str) -> None:
    edit(project, "model/a", text)


def delete_data(project: Sandbox, path: str, text: str) -> None:
    _clear(project, "model")


_ACTIONS = (
    edit, stage, stage_and_edit, delete, forget, intend, add_untracked, add_ignored,
    write_where_an_experiment_has_a_file, write_where_an_experiment_has_a_folder,
    make_executable, make_link, make_folder, edit_data, edit_data_folder, delete_data,
)  # fmt: skip


def recorded(project: Sandbox) -> set[bytes]:
    """Every content that a commit or the cache has."""
    found = set()
    listed = project.git("rev-list", "--objects", "--all", "--filter=object:type=blob")
    for line in listed.splitlines():
        oid = line.split(" ")[0]
        done = project.command("git", "cat-file", "-t", oid)
        if done.stdout == "blob\n":
            found.add(project.command("git", "cat-file", "blob", oid).stdout.encode())
    for path in (project.root / ".dvc" / "cache").rglob("*"):
        if path.is_file():
            found.add(path.read_bytes())
    return found


def kept(root: Path) -> set[bytes]:
    """Every content in a backup."""
    top = root / ".dvc" / "tmp" / "redoit" / "backup"
    return {content(p)[1] for p in top.rglob("*") if p.is_file() or p.is_symlink()}


def files_of(project: Sandbox, rev: str) -> dict[str, tuple[bool, bytes]]:
    """What a commit has, in the form of ``Mine.files``."""
    found = {}
    for line in project.git("ls-tree", "-r", rev).splitlines():
        head, path = line.split("\t")
        mode, _, oid = head.split()
        text = project.command("git", "cat-file", "blob", oid).stdout.encode()
        found[path] = mode == "100755", text
    return found

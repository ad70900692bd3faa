"""The files of a commit against those of the work tree. All paths are relative to the top of the work tree."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from redoit.git import Git

SUBMODULE = "160000"


class TreeFile(NamedTuple):
    """What a tree has at a path: ``mode`` as Git writes it, ``id`` of the content."""

    mode: str
    id: str


def files_of_commit(git: Git, rev: str) -> dict[str, TreeFile]:
    """Every file of a commit, by path."""
    text = git.run("ls-tree", "-r", "-z", "--full-tree", rev)
    files = {}
    for row in text.split(b"\0")[:-1]:
        head, path = row.split(b"\t", 1)
        mode, _, oid = head.decode().split(" ")
        files[os.fsdecode(path)] = TreeFile(mode, oid)
    return files


def files_of_work_tree(git: Git, folder: str, wanted: Iterable[str]) -> dict[str, TreeFile]:
    """Every tracked file that is there, and those of ``wanted`` that are there untracked, as a commit of them
    would have them now. ``folder`` is for a private index; the user's is only read.
    """
    top = Git(git.toplevel)
    with top.private_index(folder) as private:
        top.add_changes(private)
        files = _files_of_index(top, private)
        new = [path for path in wanted if path not in files and is_file(top.toplevel, path)]
        if new:
            top.add(new, private)
            files = _files_of_index(top, private)
    return files


def _files_of_index(top: Git, index: str) -> dict[str, TreeFile]:
    files = {}
    for row in top.run("ls-files", "-z", "--stage", index=index).split(b"\0")[:-1]:
        head, path = row.split(b"\t", 1)
        mode, oid, _ = head.decode().split(" ")
        files[os.fsdecode(path)] = TreeFile(mode, oid)
    return files


def export(git: Git, rev: str, paths: Sequence[str], folder: str) -> None:
    """Write these files of a commit below ``folder`` as a checkout would: line ends, filters, modes."""
    top = Git(git.toplevel)
    with top.private_index(f"{folder}.index") as private:
        top.run("read-tree", rev, index=private)
        names = b"".join(os.fsencode(path) + b"\0" for path in paths)
        prefix = f"--prefix={os.path.join(folder, '')}"
        top.run("checkout-index", "--force", "-z", "--stdin", prefix, input=names, index=private)


def recorded(git: Git, files: Mapping[str, TreeFile], commits: Sequence[str]) -> set[str]:
    """Which of ``files`` have their content in one of ``commits``, at the same path."""
    asked = [path for path in files if "\n" not in path]
    lines = [f"{rev}:{path}" for path in asked for rev in commits]
    if not lines:
        return set()
    text = git.run(
        "cat-file", "--batch-check=%(objectname)", input=os.fsencode("\n".join(lines) + "\n")
    )
    answers = iter(text.split(b"\n"))
    found = set()
    for path in asked:
        if files[path].id.encode() in [next(answers) for _ in commits]:
            found.add(path)
    return found


def is_file(top: str, path: str) -> bool:
    """Whether a file or a link is there, and no link on the way to it."""
    folder = os.path.dirname(path)
    while folder:
        if os.path.islink(os.path.join(top, folder)):
            return False
        folder = os.path.dirname(folder)
    try:
        mode = os.lstat(os.path.join(top, path)).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)

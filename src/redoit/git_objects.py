"""Commits, trees and files as Git stores them, read through one process of ``git cat-file --batch``."""

from __future__ import annotations

import contextlib
import os
import subprocess
from typing import IO, NamedTuple

from redoit.errors import GitError
from redoit.git import Git, environment

_KEPT_BLOB = 1 << 20
"""Bytes of a file up to which its content stays in memory: many commits share it."""


class Commit(NamedTuple):
    """A commit: its id, tree, parents, and when it was made (seconds since 1970)."""

    rev: str
    tree: str
    parents: tuple[str, ...]
    time: int
    message: str


class TreeEntry(NamedTuple):
    """What a name in a tree stands for: ``mode`` as Git has it, the id of the object."""

    mode: int
    id: str

    @property
    def is_tree(self) -> bool:
        return self.mode == 0o040000

    @property
    def is_link(self) -> bool:
        return self.mode == 0o120000

    @property
    def is_file(self) -> bool:
        return self.mode & 0o170000 == 0o100000


class GitObjects:
    """Owns one ``git cat-file --batch`` and what it told of trees and small files; to be closed.

    The process starts with the first question. For one thread at a time.
    """

    def __init__(self, git: Git) -> None:
        self._git = git
        self._process: subprocess.Popen[bytes] | None = None
        self._trees: dict[str, dict[str, TreeEntry]] = {}
        self._blobs: dict[str, bytes] = {}

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            process, self._process = self._process, None
            with contextlib.suppress(OSError), process:
                _pipe(process.stdin).close()

    def find(self, name: str) -> Commit | None:
        """The commit that ``name`` (anything ``git rev-parse`` takes) means, or None."""
        if not name or "\n" in name or "\0" in name or name.startswith("-"):
            return None
        found = self._ask(f"{name}^{{commit}}")
        return None if found is None else _commit(found[0], found[1])

    def commit(self, rev: str) -> Commit:
        """The commit ``rev``. Raises GitError if there is none."""
        commit = self.find(rev)
        if commit is None:
            raise GitError(f"there is no commit {rev}")
        return commit

    def tree(self, tree: str) -> dict[str, TreeEntry]:
        """Name → entry, of the tree with this id. Raises GitError if the repository lacks it."""
        if tree not in self._trees:
            self._trees[tree] = _entries(self._get(tree), len(tree) // 2)
        return self._trees[tree]

    def blob(self, blob: str) -> bytes:
        """The content of a file. Raises GitError if the repository lacks it (a partial clone)."""
        if blob in self._blobs:
            return self._blobs[blob]
        data = self._get(blob)
        if len(data) <= _KEPT_BLOB:
            self._blobs[blob] = data
        return data

    def forget_blobs(self) -> None:
        """Keep no content of files in memory any longer."""
        self._blobs.clear()

    def _get(self, name: str) -> bytes:
        found = self._ask(name)
        if found is None:
            raise GitError(
                f"the Git repository lacks the object {name}",
                hint="run `git fsck`; a partial or shallow clone may have to fetch it",
            )
        return found[1]

    def _ask(self, name: str) -> tuple[str, bytes] | None:
        """Id and content of the object that ``name`` means; None if there is none, or more than one."""
        process = self._process or self._start()
        asked, told = _pipe(process.stdin), _pipe(process.stdout)
        try:
            asked.write(os.fsencode(name) + b"\n")
            asked.flush()
        except BrokenPipeError:
            raise self._died(process) from None
        head = told.readline().split(b" ")
        if head == [b""]:
            raise self._died(process)
        if len(head) != 3 or not head[2].strip().isdigit():  # "NAME missing", "NAME ambiguous"
            return None
        size = int(head[2])
        data = told.read(size + 1)
        if len(data) != size + 1:
            raise self._died(process)
        return head[0].decode(), data[:-1]

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            self._process = subprocess.Popen(
                ["git", "cat-file", "--batch"],
                cwd=self._git.root,
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for us; it ends with its standard input
            )
        except OSError as error:
            raise GitError("git cannot be run", facts={"reason": error.strerror}) from error
        return self._process

    def _died(self, process: subprocess.Popen[bytes]) -> GitError:
        self._process = None
        with contextlib.suppress(OSError):
            _pipe(process.stdin).close()
        said = os.fsdecode(_pipe(process.stderr).read()).strip()
        process.wait()
        return GitError("git cat-file has ended early", facts={"git says": said or "nothing"})


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # Popen was given PIPE
    return stream


def _commit(rev: str, data: bytes) -> Commit:
    head, _, message = data.decode("utf-8", "replace").partition("\n\n")
    tree, parents, time = "", [], 0
    for line in head.split("\n"):
        key, _, value = line.partition(" ")
        if key == "tree":
            tree = value
        elif key == "parent":
            parents.append(value)
        elif key == "committer":
            stamp = value.rsplit(" ", 2)[-2:]
            time = int(stamp[0]) if len(stamp) == 2 and stamp[0].lstrip("-").isdigit() else 0
    return Commit(rev, tree, tuple(parents), time, message)


def _entries(data: bytes, length: int) -> dict[str, TreeEntry]:
    """A tree object: rows of ``MODE NAME NUL ID``, where the id has ``length`` bytes."""
    entries: dict[str, TreeEntry] = {}
    at = 0
    while at < len(data):
        space = data.index(b" ", at)
        nul = data.index(b"\0", space)
        end = nul + 1 + length
        name = os.fsdecode(data[space + 1 : nul])
        entries[name] = TreeEntry(int(data[at:space], 8), data[nul + 1 : end].hex())
        at = end
    return entries

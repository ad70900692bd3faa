"""Outs that the cache keeps are not for Git: their lines in ``.gitignore``, as DVC writes them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable

from redoit.errors import GitError, StoreError
from redoit.files import write_atomic
from redoit.git import Git
from redoit.model import RepoPath
from redoit.project import Layout
from redoit.spec.ignore import GitRules
from redoit.store.links import failing

_META = frozenset("\\[]!*#?")
_ENDS = str.maketrans("\r\n", "??")
"""What would end the line: a pattern has no other word for it than one for any letter."""


class GitIgnore:
    """Owns what this run knows of ``.gitignore`` files and of the files that Git tracks.

    Does nothing in a project without Git. Safe to use from any thread.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._lock = threading.Lock()
        self._rules: GitRules | None = None
        self._git: Git | None = None
        self._tracked: frozenset[str] = frozenset()
        self._done: set[RepoPath] = set()
        self._lines: dict[str, tuple[int, int, set[bytes]]] = {}
        """``.gitignore`` file → its size and mtime in ns, and its lines."""

    def check(self, paths: Iterable[RepoPath]) -> None:
        """Raise StoreError for an out that Git tracks: it cannot be ignored."""
        with self._lock:
            for path in paths:
                if self._has_git() and path in self._tracked:
                    raise StoreError(
                        "Git tracks an out that the cache should keep",
                        facts={"out": path},
                        hint=f"run `git rm -r --cached {path}`, or give the out `cache: false`",
                    )

    def add(self, paths: Iterable[RepoPath]) -> None:
        """Let Git ignore these outs, by a line in the folder of each unless a rule does it already.

        Raises StoreError for an out that Git tracks, and if a file cannot be written.
        """
        for path in paths:
            if path in self._done or path.startswith(("/", "..")):
                continue
            self.check([path])
            with self._lock:
                if self._has_git():
                    self._add(path)
                self._done.add(path)

    def _has_git(self) -> bool:
        """Whether there is a repository around the project; what it tracks is read the first time."""
        if self._rules is None:
            self._rules = GitRules(self._layout.root)
            if not self._layout.config.no_scm and _repository_above(self._layout.root):
                git = Git(self._layout.root)
                try:
                    self._tracked = _with_folders(git.tracked())
                    self._git = git
                except GitError:  # no Git, no repository, or none that can be read
                    pass
        return self._git is not None

    def _add(self, path: RepoPath) -> None:
        folder, _, name = self._layout.abspath(path).rpartition("/")
        file = f"{folder}/.gitignore"
        line = f"/{escaped(name)}"
        lines = self._lines_of(file)
        if os.fsencode(line) in lines:
            return
        assert self._rules is not None
        place = f"{folder}/{name}"
        if self._rules.ignores(place, os.path.isdir(place)):
            return
        with failing(file), open(file, "ab+", buffering=0) as handle:
            size = handle.tell()
            start = b""
            if size:
                handle.seek(size - 1)
                start = b"" if handle.read(1) == b"\n" else b"\n"
            handle.write(start + os.fsencode(line) + b"\n")
            status = os.fstat(handle.fileno())
            if status.st_size == size + len(start) + len(os.fsencode(line)) + 1:
                lines.add(os.fsencode(line))
                self._lines[file] = (status.st_size, status.st_mtime_ns, lines)

    def _lines_of(self, file: str) -> set[bytes]:
        """The lines of the file, which is read again only when it has changed."""
        try:
            status = os.stat(file)
        except OSError:
            return set()
        known = self._lines.get(file)
        if known is None or known[:2] != (status.st_size, status.st_mtime_ns):
            known = (status.st_size, status.st_mtime_ns, set(_read(file).splitlines()))
            self._lines[file] = known
        return known[2]

    def remove(self, path: RepoPath) -> None:
        """Take the line of an out away again; a file without lines goes too. Raises StoreError."""
        with self._lock:
            self._done.discard(path)
            folder, _, name = self._layout.abspath(path).rpartition("/")
            file = f"{folder}/.gitignore"
            data = _read(file)
            lines = data.splitlines(keepends=True)
            own = {os.fsencode(f"/{name}"), os.fsencode(f"/{escaped(name)}")}
            rest = [line for line in lines if not own & {line.strip(), line.rstrip(b"\r\n")}]
            if len(rest) == len(lines):
                return
            with failing(file):
                if not rest:
                    os.unlink(file)
                    return
                write_atomic(file, b"".join(rest), staging=self._layout.tmp)


def escaped(name: str) -> str:
    """``name`` as a pattern that means it, and nothing else that is likely to be there."""
    if _META.isdisjoint(name) and not name.endswith(" ") and "\n" not in name and "\r" not in name:
        return name
    text = "".join(f"\\{letter}" if letter in _META else letter for letter in name)
    text = text.translate(_ENDS)
    # Git takes spaces at the end of a line away.
    return f"{text[:-1]}\\ " if text.endswith(" ") else text


def _read(file: str) -> bytes:
    try:
        with open(file, "rb") as handle:
            return handle.read()
    except OSError:
        return b""


def _repository_above(folder: str) -> bool:
    """Whether a repository could be around ``folder``: it spares starting Git for nothing."""
    while not os.path.lexists(f"{folder}/.git"):
        parent = os.path.dirname(folder)
        if parent == folder:
            return False
        folder = parent
    return True


def _with_folders(files: Iterable[str]) -> frozenset[str]:
    """The files and every folder that one of them lies in."""
    found: set[str] = set()
    for file in files:
        found.add(file)
        folder = file.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return frozenset(found)

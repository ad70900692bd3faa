"""A project on disk with the store room opened on it, for the tests of that room."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redoit.model import Content, Entry, RepoPath
from redoit.project import Layout
from redoit.spec.ignore import read_ignore
from redoit.store import Look, StatCache, Store


class Room:
    """One run's Look, StatCache and Store on the project at ``root``."""

    def __init__(self, root: Path, *, algo: str = "md5", config: str = "") -> None:
        self.root = root
        self._time = 10**18 + 1000
        (root / ".dvc").mkdir(parents=True, exist_ok=True)
        if config or not (root / ".dvc" / "config").exists():
            (root / ".dvc" / "config").write_text(config)
        if algo != "md5":
            (root / ".dvc" / "redoit.toml").write_text(f'hash = "{algo}"\n')
        self._open()

    def _open(self) -> None:
        self.layout = Layout(str(self.root))
        self.state = StatCache(self.layout)
        self.look = Look(self.layout, self.state, read_ignore(self.layout))
        self.store = Store(self.layout, self.look, self.state)

    def again(self) -> Room:
        """End this run and begin the next one."""
        self.state.close()
        self._open()
        return self

    def write(self, path: str, content: str | bytes = "", *, old: bool = True) -> Path:
        """Write a file; unless ``old`` is False, so long ago that its stamp can be trusted."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        if old:
            self._time += 1
            os.utime(file, ns=(self._time, self._time))
        self.look.forget(RepoPath(path))
        return file

    def commit(self, path: str, *, cached: bool = True) -> Content:
        return self.store.commit(RepoPath(path), cached=cached)

    def checkout(self, path: str, what: Content | Entry, *, copy: bool = False) -> None:
        self.store.checkout(RepoPath(path), entry_of(what), copy=copy)

    def matches(self, path: str, what: Content | Entry) -> bool:
        return self.look.matches(RepoPath(path), entry_of(what))

    def content(self, path: str) -> Content | None:
        return self.look.content(RepoPath(path))

    def objects(self) -> dict[str, bytes]:
        """Name below the cache → content, of every file in it."""
        cache = Path(self.layout.cache_dir)
        return {
            str(file.relative_to(cache)): file.read_bytes()
            for file in sorted(cache.rglob("*"))
            if file.is_file()
        }

    def object_of(self, what: Content) -> Path:
        return Path(self.store.object_path(what.oid, what.algo))


def entry_of(what: Content | Entry) -> Entry:
    return what if isinstance(what, Entry) else what.entry("")


def files_below(folder: Path) -> dict[str, bytes]:
    """Relative path → content, of every file in ``folder``."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


_watchers: list[list[str]] = []


def _watch(event: str, args: tuple[object, ...]) -> None:
    if event == "open" and _watchers and isinstance(args[0], str):
        for watcher in _watchers:
            watcher.append(args[0])


sys.addaudithook(_watch)


@contextmanager
def opened(folder: Path) -> Iterator[list[str]]:
    """The files below ``folder`` (relative to it) that are opened inside the ``with``, in order.

    Folders and what lies in .dvc are left out.
    """
    raw: list[str] = []
    _watchers.append(raw)
    found: list[str] = []
    try:
        yield found
    finally:
        _watchers.remove(raw)
        inside = f"{folder}/"
        found += [
            path.removeprefix(inside)
            for path in raw
            if path.startswith(inside) and "/.dvc/" not in path and not os.path.isdir(path)
        ]

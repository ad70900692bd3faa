"""A remote that is a folder of a file system of fsspec."""

from __future__ import annotations

import contextlib
import posixpath
import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from redoit.store.storage import Stored, temporary_in


class Opened(NamedTuple):
    """A file system of fsspec; ``root`` is the remote's folder as it names it."""

    system: Any
    root: str


class FsspecStorage:
    """A folder of a file system of fsspec.

    ``renames``: a file is visible while it is being written, so that it gets a temporary name first. ``again``: connects
    anew, for a file system that does not when its connection has ended. ``get_options`` are given to its ``get_file``.
    ``whole``: a file of up to so many bytes is written by one call, where that saves questions.
    """

    def __init__(
        self,
        opened: Opened,
        *,
        lists: bool = True,
        writable: bool = True,
        renames: bool = False,
        whole: int = 0,
        attempts: int = 3,
        again: Callable[[], Any] | None = None,
        get_options: Mapping[str, Any] | None = None,
    ) -> None:
        self._opened, self._root = _quiet(opened.system), opened.root
        self._again = again
        self._get_options = get_options or {}
        self._lock = threading.Lock()
        self.lists = lists
        self.writable = writable
        self.attempts = attempts
        self.near = False
        self._renames = renames
        self._whole = whole
        self._made: set[str] = set()
        """Folders that are known to be there."""

    @property
    def _fs(self) -> Any:
        """The file system, connected: one connection that was cut does not end all that is still to do."""
        if self._again is not None and self._opened.client.is_closed():
            with self._lock:
                if self._opened.client.is_closed():
                    self._opened = _quiet(self._again())
        return self._opened

    def list(self, folder: str) -> list[Stored]:
        top = self._path(folder)
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            found = self._fs.find(top, detail=True)
            return [
                Stored(name, int(info.get("size") or 0))
                for path, info in found.items()
                if info.get("type") != "directory" and (name := self._name(path)) is not None
            ]
        return []

    def size(self, name: str) -> int | None:
        try:
            return int(self._fs.info(self._path(name)).get("size") or 0)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def info(self, name: str, version: str | None = None) -> Mapping[str, Any]:
        """What the file system tells of a file or folder, or of that version of a file. Raises FileNotFoundError."""
        found: Mapping[str, Any] = self._fs.info(self._path(name), **_version(version))
        return found

    def infos(self, folder: str) -> dict[str, Mapping[str, Any]]:
        """The same of every file in and below ``folder``, by its name relative to that."""
        top = self._path(folder).strip("/")
        found = self._fs.find(self._path(folder), detail=True)
        return {
            path.strip("/").removeprefix(top).lstrip("/"): info
            for path, info in found.items()
            if info.get("type") != "directory"
        }

    def checksum(self, name: str) -> str:
        """What changes when what the file system tells of a file changes."""
        return str(self._fs.checksum(self._path(name)))

    def get(self, name: str, place: str, version: str | None = None) -> None:
        """Write the file's content, or that of its ``version``, to ``place``."""
        self._fs.get_file(self._path(name), place, **self._get_options, **_version(version))

    def put(self, place: str, name: str) -> None:
        path = self._path(name)
        if not self._renames:
            self._fs.put_file(place, path)
            return
        folder = posixpath.dirname(path)
        if folder not in self._made:
            self._fs.makedirs(folder, exist_ok=True)
            self._made.add(folder)
        temporary = temporary_in(folder)
        try:
            self._write(place, temporary)
            self._fs.mv(temporary, path)
        except BaseException:
            with contextlib.suppress(Exception):
                self._fs.rm_file(temporary)
            raise

    def _write(self, place: str, path: str) -> None:
        with open(place, "rb") as file:
            data = file.read(self._whole + 1) if self._whole else b""
        if not self._whole or len(data) > self._whole:
            self._fs.put_file(place, path)
            return
        # Not by a file object of its own: one whose connection is gone is closed at the end of Python, and waits for ever.
        self._fs.pipe_file(path, data)

    def remove(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(self._path(name))

    def finish(self) -> None:
        """What is behind a network is durable when it was taken, or there is no way to ask."""

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if self._root and name else name or self._root

    def _name(self, path: str) -> str | None:
        """The name of what the file system calls ``path``."""
        root = self._root.strip("/")
        path = path.strip("/")
        if not root:
            return path
        return path[len(root) + 1 :] if path.startswith(f"{root}/") else None


def _version(version: str | None) -> dict[str, str]:
    """How a file system that knows versions is asked for one."""
    return {} if version is None else {"version_id": version}


def _quiet(system: Any) -> Any:
    """``system``, whose library does not print what it forgot to look at: what failed is told by the call that failed."""
    loop = getattr(system, "loop", None)
    if loop is not None:
        loop.set_exception_handler(lambda _, context: None)
    return system

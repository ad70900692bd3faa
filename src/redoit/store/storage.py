"""What a remote must be able to do, and the remote that is a folder.

Names are relative paths with ``/``. A file appears under its name whole or not at all.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from typing import NamedTuple, Protocol

from redoit.store.drafts import copy_file, write_all
from redoit.store.objects import sync_file_system


class Stored(NamedTuple):
    """A file of a remote; ``size`` in bytes."""

    name: str
    size: int


class Storage(Protocol):
    """Where a remote's files are. Safe to use from several threads.

    Every method raises OSError, or what a library behind it raises; ``FileNotFoundError`` means that there
    is no such file.
    """

    lists: bool
    """Whether it can tell what it has."""
    writable: bool
    attempts: int
    """How often what fails is worth trying."""
    near: bool
    """Whether moving a file is work and no waiting, so that threads only get into each other's way."""

    def list(self, folder: str) -> list[Stored]:
        """Every file in and below ``folder``; none if there is no such folder."""

    def size(self, name: str) -> int | None:
        """The size of a file in bytes; None if there is none."""

    def get(self, name: str, place: str) -> None:
        """Write the file's content to ``place``, a path on this machine."""

    def put(self, place: str, name: str) -> None:
        """Make the content of ``place`` the file ``name``, replacing another."""

    def remove(self, name: str) -> None:
        """Remove a file; missing is fine."""

    def finish(self) -> None:
        """Wait until everything that was put survives a power cut, as far as that can be had."""


_READ_ONLY = 0o444


_SMALL = 1 << 17
"""Up to this size, in bytes, a file is copied by one read and one write."""
_FAR = ("nfs", "cifs", "smb", "fuse", "9p", "ceph", "lustre", "gpfs", "glusterfs", "afs", "ncp")
"""How kinds of file systems are called that lie on other machines."""


def _copy(source: str, target: str, flags: int, mode: int | None = None) -> None:
    """Write the content of one file to another, opened with ``flags``. Raises OSError."""
    old = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        new = os.open(target, flags | os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            data = os.pread(old, _SMALL + 1, 0)
            if len(data) <= _SMALL:
                write_all(new, data)
            else:
                copy_file(old, new)
            if mode is not None:
                os.fchmod(new, mode)
        finally:
            os.close(new)
    finally:
        os.close(old)


def _is_near(folder: str) -> bool:
    """Whether the folder, made already or not, lies on this machine, as far as that can be known."""
    kinds: dict[str, str] = {}
    with contextlib.suppress(OSError), open("/proc/self/mounts", encoding="utf-8") as mounts:
        kinds = {row[1]: row[2] for row in map(str.split, mounts)}
    place = os.path.realpath(folder)
    while place not in kinds:
        if place in ("/", ""):
            return False
        place = os.path.dirname(place)
    return not kinds[place].startswith(_FAR)


def temporary_in(folder: str) -> str:
    """A new name for a file of a remote that is being sent into ``folder``."""
    return f"{folder}/.{os.getpid()}-{os.urandom(6).hex()}.tmp"


def is_temporary(name: str) -> bool:
    """Whether a file is called like that."""
    return re.fullmatch(r"\.\d+-[0-9a-f]{12}\.tmp", name) is not None


def copy_content(source: str, target: str) -> None:
    """Write the content of one file to another, new or not. Raises OSError."""
    _copy(source, target, os.O_TRUNC)


class FolderStorage:
    """The folder ``root`` of this machine, or of one whose disk is mounted here."""

    lists = True
    writable = True
    attempts = 1

    def __init__(self, root: str, *, shared: bool = False) -> None:
        self._root = root
        self.near = _is_near(root)
        self._dir_mode = 0o2775 if shared else None

    def list(self, folder: str) -> list[Stored]:
        top = self._path(folder)
        found: list[Stored] = []
        stack = [(top, folder)]
        while stack:
            place, name = stack.pop()
            try:
                with os.scandir(place) as entries:
                    for entry in entries:
                        inner = f"{name}/{entry.name}" if name else entry.name
                        if entry.is_dir(follow_symlinks=False):
                            stack.append((entry.path, inner))
                        elif entry.is_file():
                            found.append(Stored(inner, entry.stat().st_size))
            except (FileNotFoundError, NotADirectoryError):
                continue
        return found

    def size(self, name: str) -> int | None:
        try:
            return os.stat(self._path(name)).st_size
        except (FileNotFoundError, NotADirectoryError):
            return None

    def get(self, name: str, place: str) -> None:
        try:
            copy_content(self._path(name), place)
        except FileNotFoundError:
            if os.path.isdir(self._root):
                raise
            text = f"there is no folder {self._root}: nothing was pushed yet, or it is not mounted"
            raise NotADirectoryError(errno.ENOTDIR, text, self._root) from None

    def put(self, place: str, name: str) -> None:
        path = self._path(name)
        folder = os.path.dirname(path)
        temporary = temporary_in(folder)
        try:
            try:
                _copy(place, temporary, os.O_EXCL, _READ_ONLY)
            except FileNotFoundError:  # of the folder, mostly
                self._make(folder)
                _copy(place, temporary, os.O_EXCL, _READ_ONLY)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise

    def remove(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path(name))

    def finish(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            sync_file_system(self._root)

    def _make(self, folder: str) -> None:
        if self._dir_mode is None or os.path.isdir(folder):
            os.makedirs(folder, exist_ok=True)
            return
        self._make(os.path.dirname(folder))
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder)
            os.chmod(folder, self._dir_mode)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root

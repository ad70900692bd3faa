"""Files written whole or not at all, and small parsed states kept by content digest."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterator
from typing import Any

import xxhash

DRAFT = "draft-"
"""How the names of files begin that are being written."""
_NAME_MAX = 200
"""Bytes of a file's name in that of its draft: systems take 255 in all."""


def write_atomic(path: str, data: bytes, *, sync: bool = True, staging: str | None = None) -> None:
    """Write ``data`` to ``path`` so that a reader sees the old content or the new, never a part.

    ``sync`` waits until the data are on the disk before the rename: for everything whose loss at
    a power cut would matter. ``staging`` is a folder of ours: what a kill leaves behind lies there, and
    not among the user's files, if both are on one file system.
    Raises OSError; then ``path`` is as it was and no temporary is left.
    """
    parent = os.path.dirname(path)
    os.makedirs(parent, exist_ok=True)
    if staging is not None:
        os.makedirs(staging, exist_ok=True)
        try:
            _write_by(_draft(staging, f"{DRAFT}{os.path.basename(path)}"), path, data, sync=sync)
            return
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
    _write_by(_draft(parent, f".{os.path.basename(path)}"), path, data, sync=sync)


def _draft(folder: str, name: str) -> str:
    """A path that is unique among processes and threads; of a long name it has the beginning."""
    name = os.fsdecode(os.fsencode(name)[:_NAME_MAX])
    return os.path.join(folder, f"{name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")


def _write_by(temporary: str, path: str, data: bytes, *, sync: bool) -> None:
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            os.chmod(temporary, os.stat(path).st_mode & 0o7777)
        os.replace(temporary, path)
        if sync:
            sync_folder(os.path.dirname(path))
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def sync_folder(path: str) -> None:
    """Make what was created and renamed in a folder survive a power cut, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def digest_bytes(data: bytes) -> str:
    """xxh3-128 of ``data`` as 32 hex digits."""
    return str(xxhash.xxh3_128_hexdigest(data))


class Kept:
    """Parsed states of files, kept as JSON under the digest of what they were parsed from.

    A state is only a saved re-computation: a missing, torn or foreign one is as good as none.
    Values must survive JSON unchanged (``keep`` refuses others by doing nothing).
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def _path(self, kind: str, key: str) -> str:
        return os.path.join(self._folder, f"{kind}-{key}.json")

    def get(self, kind: str, key: str) -> Any | None:
        """The state kept under ``kind`` and ``key``, or None."""
        try:
            with open(self._path(kind, key), "rb") as file:
                return json.loads(file.read())
        except (OSError, ValueError):
            return None

    def keep(self, kind: str, key: str, value: Any, *, newest: int = 8) -> None:
        """Keep ``value``; of this ``kind`` only the ``newest`` states stay. Never raises for a full disk."""
        if not survives_json(value):
            return
        with contextlib.suppress(OSError):
            os.makedirs(self._folder, exist_ok=True)
            write_atomic(
                self._path(kind, key), json.dumps(value, separators=(",", ":")).encode(), sync=False
            )
            self._prune(kind, newest)

    def _prune(self, kind: str, newest: int) -> None:
        rows: list[tuple[float, str]] = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.startswith(f"{kind}-"):
                    with contextlib.suppress(OSError):
                        rows.append((entry.stat().st_mtime, entry.path))
        for _, path in sorted(rows, reverse=True)[newest:]:
            with contextlib.suppress(OSError):
                os.unlink(path)


def survives_json(value: Any) -> bool:
    """Whether ``value`` comes back from JSON equal and of the same types."""
    stack = [value]
    while stack:
        item = stack.pop()
        if item is None or type(item) in (str, int, float, bool):
            continue
        if type(item) is list:
            stack.extend(item)
        elif type(item) is dict:
            if any(type(key) is not str for key in item):
                return False
            stack.extend(item.values())
        else:
            return False
    return True


@contextlib.contextmanager
def locked(path: str, *, wait: bool = True, shared: bool = False) -> Iterator[bool]:
    """Hold a lock of the operating system on ``path``, alone or ``shared``; it vanishes with the process.

    Yields True when held, False when ``wait`` is False and another process has it.
    """
    import fcntl

    os.makedirs(os.path.dirname(path), exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
            fcntl.flock(handle, kind if wait else kind | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(handle)

"""Where runs meet that want the same stage with the same inputs: one of them runs it, the others wait for its outputs."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from threading import Event

_PATIENCE = 0.05
"""Seconds between two tries to get a lock that another process holds."""

_HAS_RANGES = sys.platform == "linux" and hasattr(fcntl, "F_OFD_SETLK")
"""Whether a part of a file can be locked for one opening of it, and not for the whole process."""


class Meeting:
    """One lock of the operating system for each key of the run cache, under a path that all runs of a project share.

    A lock vanishes with its process, so that nobody waits for one that was killed. It is on the byte of one file that the key
    says: a file for each key, made and removed again for every stage, costs more than all else that the run writes, as ext4
    looks through the numbers of the files that were removed just before. Only where there are no such locks it is a file.
    """

    def __init__(self, path: str, *, ranges: bool = _HAS_RANGES) -> None:
        self._path = path
        self._take = _take_byte if ranges else _take_file
        self._is_shared = ranges

    @contextlib.contextmanager
    def alone(self, key: str, stopped: Event, waiting: Callable[[], None]) -> Iterator[bool]:
        """Be the only one in the block with this key. Calls ``waiting`` once if another is in it.

        Yields False, holding nothing, if ``stopped`` was set while it waited. Raises OSError.
        """
        handle = self._take(self._path, key)
        if handle is None:
            waiting()
            while handle is None and not stopped.wait(_PATIENCE):
                handle = self._take(self._path, key)
        if handle is None:
            yield False
            return
        try:
            yield True
        finally:
            if not self._is_shared:
                # Whoever opened the file meanwhile finds out that it has no name any more.
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(f"{self._path}-{key}")
            os.close(handle)


def _take_byte(path: str, key: str) -> int | None:
    """A handle that holds the lock on the byte of ``key`` in the file; None if another opening of it has it."""
    handle = _open(path)
    try:
        at = int.from_bytes(sha256(key.encode()).digest()[:8], "big") >> 2
        lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, at, 1, 0)
        fcntl.fcntl(handle, fcntl.F_OFD_SETLK, lock)
    except (BlockingIOError, PermissionError):
        os.close(handle)
        return None
    except BaseException:
        os.close(handle)
        raise
    return handle


def _take_file(path: str, key: str) -> int | None:
    """A handle that holds the lock on a file of its own for ``key``; None if another process, or another thread, has it."""
    path = f"{path}-{key}"
    while True:
        handle = _open(path)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                return handle
        except BlockingIOError:
            os.close(handle)
            return None
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _open(path: str) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o666)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return os.open(path, flags, 0o666)

"""Where runs meet that want the same stage with the same inputs: one of them runs it, the others wait for its outputs."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from threading import Event

_PATIENCE = 0.05
"""Seconds between two tries to get a lock that another process holds."""


class Meeting:
    """One lock of the operating system for each key of the run cache, in a folder that all runs of a project share.

    A lock vanishes with its process, so that nobody waits for one that was killed.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    @contextlib.contextmanager
    def alone(self, key: str, stopped: Event, waiting: Callable[[], None]) -> Iterator[bool]:
        """Be the only one in the block with this key. Calls ``waiting`` once if another is in it.

        Yields False, holding nothing, if ``stopped`` was set while it waited. Raises OSError.
        """
        os.makedirs(self._folder, exist_ok=True)
        path = os.path.join(self._folder, key)
        handle = _take(path)
        if handle is None:
            waiting()
            while handle is None and not stopped.wait(_PATIENCE):
                handle = _take(path)
        if handle is None:
            yield False
            return
        try:
            yield True
        finally:
            # Whoever opened the file meanwhile finds out that it has no name any more.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            os.close(handle)


def _take(path: str) -> int | None:
    """A handle that holds the lock on ``path``; None if another process, or another thread, has it."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
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

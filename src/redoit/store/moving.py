"""Files moved to or from a remote, whatever they are: several at a time, tried again, counted, and given up on."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from redoit.errors import StoreError
from redoit.store.moved import Failure, Meter, Moved
from redoit.store.parallel import each_in_parallel, processors
from redoit.store.remotes import Remote, because, unusable
from redoit.store.storage import Storage

_Result = TypeVar("_Result")
_Item = TypeVar("_Item")

_PAUSE = 0.1
"""Seconds before the second attempt; four times as long before each further one."""
_LARGE = 1 << 20
"""From this size, in bytes, a file is copied for long enough without the interpreter's lock."""
_HOPELESS = 8
"""So many failures in a row, and no further transfer is tried."""


def default_jobs() -> int:
    """How many transfers at a time, unless it is said: they wait more than they work."""
    return 4 * (os.cpu_count() or 1)


def jobs_for(jobs: int, remote: Remote, mean: float = 0) -> int:
    """How many transfers at a time of files with ``mean`` bytes: what is asked for, or what is fastest."""
    if asked := jobs or remote.jobs:
        return asked
    if not remote.storage.near:
        return default_jobs()
    return processors() if mean > _LARGE else 1


class Altered(Exception):
    """What came is not what its name says, which is given."""


class Moving:
    """One transfer under way with a remote; owns what came of it so far. Thread-safe."""

    def __init__(self, remote: Remote, jobs: int, meter: Meter) -> None:
        self._remote = remote
        self._asked = jobs
        self.jobs = jobs_for(jobs, remote)
        self._meter = meter
        self._lock = threading.Lock()
        self._in_a_row = 0
        self.moved = Moved()

    def all(self, verb: str, moves: Sequence[Callable[[], None]], size: int | None) -> None:
        """Do all of these, and tell the meter: it is to ``verb`` so many files of ``size`` bytes together."""
        self.each(verb, lambda move: move(), moves, size)

    def each(
        self, verb: str, move: Callable[[_Item], object], items: Sequence[_Item], size: int | None
    ) -> None:
        """As ``all``: ``move`` each of the items."""
        if not items:
            return
        self._meter.begin(verb, len(items), size)
        try:
            jobs = jobs_for(self._asked, self._remote, (size or 0) / len(items))
            each_in_parallel(move, items, jobs)
        finally:
            self._meter.ended()

    def arrived(self, size: int) -> None:
        """Count a file of ``size`` bytes that is there now."""
        with self._lock:
            self.moved.files += 1
            self.moved.size += size
        self._meter.moved(size)

    def tried(self, path: str, move: Callable[[], _Result]) -> _Result | None:
        """What ``move`` returns, at the last attempt at the latest; None if it failed, which is noted."""
        why = ""
        for attempt in range(self._remote.storage.attempts):
            if self._in_a_row >= _HOPELESS:
                self.failed(path, why or "not tried: too much had failed before")
                return None
            if attempt:
                time.sleep(_PAUSE * 4 ** (attempt - 1))
            try:
                result = move()
            except FileNotFoundError:
                with self._lock:
                    self.moved.missing.append(path)
                return None
            except Altered as altered:
                why = f"{altered} at the remote is not what its name says: remove it there, push it again"
            except StoreError as error:  # of the cache: no other attempt will do better
                self.failed(path, f"{error.what}: {error.facts.get('because', '')}".rstrip(": "))
                return None
            except Exception as error:  # noqa: BLE001  whatever a library of a remote raises
                why = because(error, self._remote.secrets)
                if isinstance(error, PermissionError):
                    break
            else:
                self._in_a_row = 0
                return result
        self.failed(path, why)
        return None

    def failed(self, path: str, why: str) -> None:
        """Note that something did not travel."""
        with self._lock:
            self._in_a_row += 1
            self.moved.failures.append(Failure(path, why))


def discard(place: str) -> None:
    """Remove a file; missing is fine."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(place)


def answer(storage: Storage, question: Callable[[], _Result]) -> _Result:
    """What ``question`` returns; it is asked as often as is worth trying. Raises what the last attempt raises."""
    for attempt in range(storage.attempts - 1):
        with contextlib.suppress(Exception):
            return question()
        time.sleep(_PAUSE * 4**attempt)
    return question()


@contextlib.contextmanager
def asking(remote: Remote) -> Iterator[None]:
    """Turn whatever a library of the remote raises into RemoteError."""
    try:
        yield
    except StoreError:
        raise
    except Exception as error:  # whatever a library of a remote raises
        raise unusable(remote.name, remote.url, error, remote.secrets) from error

"""Several things at once, in threads: reading and digesting leave the interpreter's lock."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

_Item = TypeVar("_Item")
_NONE = object()


def in_parallel(tasks: Sequence[Callable[[], object]], jobs: int = 0) -> None:
    """Do all tasks, ``jobs`` at a time (0: one per processor we may use).

    When one raises, no further one starts, and that exception is raised in the end.
    """
    each_in_parallel(lambda task: task(), tasks, jobs)


def each_in_parallel(
    act: Callable[[_Item], object], items: Collection[_Item], jobs: int = 0
) -> None:
    """As ``in_parallel``: ``act`` on each of the items."""
    jobs = min(jobs or processors(), len(items))
    if jobs <= 1:
        for item in items:
            act(item)
        return
    rest = iter(items)
    lock = threading.Lock()
    failures: list[BaseException] = []

    def work() -> None:
        while not failures:
            with lock:
                item = next(rest, _NONE)
            if item is _NONE:
                return
            try:
                act(item)  # type: ignore[arg-type]
            except BaseException as error:  # noqa: BLE001  raised again below
                failures.append(error)

    threads = [threading.Thread(target=work, name="store", daemon=True) for _ in range(jobs - 1)]
    for thread in threads:
        thread.start()
    try:
        work()
    finally:
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]


def processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1

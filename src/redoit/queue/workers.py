"""Workers: processes that are known to live as long as they hold the lock of a file.

A task belongs to its worker while that lives. The lock of a process that was killed is free at once, and after a reboot;
one that sleeps with its machine keeps it. A worker also gives a sign of life now and then, on a clock that stands still
while the machine sleeps: one that gives none for long, because it was stopped, is ended, so that its task goes on.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from redoit.errors import QueueError
from redoit.experiments.outside import workers_lock
from redoit.files import locked
from redoit.project import Layout
from redoit.queue.database import Database
from redoit.queue.task import State

if TYPE_CHECKING:
    import sqlite3

HEARTBEAT = 5.0
"""Seconds between two signs of life."""
LAPSE = 120.0
"""Seconds without a sign of life after which a worker counts as lost."""
_ENDING = 2.0
"""Seconds that the system may take to end a killed process."""
ATTEMPTS = 10
"""So often a task may take its worker down before it counts as failed."""


_COLUMNS = "id, pid, beat, alone, guard, stopping"


class Worker(NamedTuple):
    """A worker process."""

    id: str
    pid: int
    beat: float
    """Time of its last sign of life (``time.monotonic``, seconds)."""
    alone: bool
    """It runs one task of its own, none of the queue."""
    guard: bool
    """It has nothing to do but to watch the others."""
    stopping: bool
    """It ends after its present task."""


@contextlib.contextmanager
def place_among(layout: Layout, *, alone: bool = False) -> Iterator[str]:
    """Be a worker of the project in the block, and show signs of life; yields one's id. Raises QueueError.

    While garbage is collected, it waits.
    """
    with locked(workers_lock(layout), shared=True), _known(layout, alone=alone) as worker:
        yield worker


@contextlib.contextmanager
def _known(layout: Layout, *, alone: bool) -> Iterator[str]:
    worker = f"{os.getpid()}-{os.urandom(6).hex()}"
    path = _lock(layout, worker)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    ending = threading.Event()
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with (
            contextlib.closing(Database(layout)) as queue,
            queue.change(durable=False) as connection,
        ):
            connection.execute(
                "INSERT INTO workers (id, pid, beat, alone) VALUES (?, ?, ?, ?)",
                (worker, os.getpid(), time.monotonic(), int(alone)),
            )
        beating = threading.Thread(target=_beat, args=(layout, worker, ending), daemon=True)
        beating.start()
        try:
            yield worker
        finally:
            ending.set()
            beating.join()
            with (
                contextlib.closing(Database(layout)) as queue,
                queue.change(durable=False) as connection,
            ):
                connection.execute("DELETE FROM workers WHERE id = ?", (worker,))
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        os.close(handle)


def _beat(layout: Layout, worker: str, ending: threading.Event) -> None:
    with contextlib.closing(Database(layout)) as queue:
        while not ending.wait(HEARTBEAT):
            # A full disk, or another process that is slow to write, passes: the next one tells.
            with contextlib.suppress(QueueError), queue.change(durable=False) as connection:
                connection.execute(
                    "UPDATE workers SET beat = ? WHERE id = ?", (time.monotonic(), worker)
                )


def living(queue: Database, layout: Layout) -> list[Worker]:
    """The workers that live, those that run a task alone included."""
    rows = queue.rows(f"SELECT {_COLUMNS} FROM workers ORDER BY id")
    return [worker for worker in map(_worker, rows) if is_alive(layout, worker.id)]


def _worker(row: Any) -> Worker:
    return Worker(*row[:3], *map(bool, row[3:]))


def has_lapsed(worker: Worker) -> bool:
    """Whether a worker has given no sign of life for so long that its task is taken from it.

    One that runs a task alone may be stopped by its user, who knows.
    """
    return not worker.alone and time.monotonic() - worker.beat > LAPSE


def is_alive(layout: Layout, worker: str) -> bool:
    """Whether the process of a worker is there."""
    try:
        handle = os.open(_lock(layout, worker), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def give_back(connection: sqlite3.Connection, layout: Layout) -> None:
    """In a transaction: put tasks of workers that are gone back into the queue, and forget those workers.

    A task that nobody may take, that was to be ended anyway, or that has cost too many workers has failed.
    """
    rows = connection.execute(f"SELECT {_COLUMNS} FROM workers").fetchall()
    gone = [worker.id for worker in map(_worker, rows) if _lost(layout, worker)]
    for worker in gone:
        connection.execute("DELETE FROM workers WHERE id = ?", (worker,))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_lock(layout, worker))
    held = "state = ? AND worker NOT IN (SELECT id FROM workers)"
    running = State.RUNNING.value
    for condition, error in (
        ("stop IS NOT NULL", "it was killed"),
        ("alone", "its process was killed"),
        (f"attempt >= {ATTEMPTS}", f"its worker was killed {ATTEMPTS} times"),
    ):
        connection.execute(
            f"UPDATE tasks SET state = ?, error = ?, ended = ?, worker = NULL, waiting = 0, stop = NULL "
            f"WHERE {held} AND {condition}",
            (State.FAILED.value, error, time.time(), running),
        )
    connection.execute(
        f"UPDATE tasks SET state = ?, worker = NULL, stage = NULL, waiting = 0, done = 0 WHERE {held}",
        (State.QUEUED.value, running),
    )


def _lost(layout: Layout, worker: Worker) -> bool:
    if not is_alive(layout, worker.id):
        return True
    if not has_lapsed(worker):
        return False
    # It holds its lock, so the number is still its own.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(worker.pid, signal.SIGKILL)
    deadline = time.monotonic() + _ENDING
    while is_alive(layout, worker.id):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _lock(layout: Layout, worker: str) -> str:
    return os.path.join(layout.tmp, "workers", f"{worker}.lock")

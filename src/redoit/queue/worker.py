"""A worker: takes tasks from the queue, one after the other, until there is none."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from enum import Enum

from redoit.engine.listener import Listener
from redoit.errors import Interrupted
from redoit.git import Git
from redoit.project import Layout
from redoit.queue.database import Database
from redoit.queue.leftovers import clean_queue, log_path
from redoit.queue.running import Ending, run_task
from redoit.queue.task import State, Stop, Task
from redoit.queue.workers import give_back, is_alive, place_among

_LOOK = 0.5
"""Seconds between two looks of the one worker that has nothing to do but to watch the others."""


class Nothing(Enum):
    """Why a worker got no task."""

    EMPTY = "the queue is empty"
    OTHERS_RUN = "other workers still run tasks, and one of them may die"


def work(
    layout: Layout,
    make_listener: Callable[[], Listener],
    show: Callable[[Task, Ending], None],
    began: Callable[[], None],
) -> None:
    """Be a worker until the queue is empty. ``began`` is called when the others know of us; ``show`` at each end.

    While a task runs, our standard output and standard error are its log. Raises Interrupted on SIGTERM; the task
    is in the queue again then.
    """
    with (
        _ended_by_signals(),
        place_among(layout) as me,
        contextlib.closing(Database(layout)) as queue,
    ):
        began()
        while True:
            task = take(queue, layout, me)
            if task is Nothing.EMPTY:
                clean_queue(layout, Git(layout.root), queue)
                return
            if isinstance(task, Task):
                with logged(log_path(layout, task.id), task), heeding_stops(layout, task):
                    show(task, run_task(layout, queue, task, make_listener()))
                queue.progress(task, worker=None)  # its log is complete
            else:
                _watch(queue, layout)


def take(queue: Database, layout: Layout, me: str) -> Task | Nothing:
    """Lease the oldest task that is queued; without one, end, or stay as the one who watches the others."""
    with queue.change() as connection:
        give_back(connection, layout)
        stopping = connection.execute("SELECT stopping FROM workers WHERE id = ?", (me,)).fetchone()
        found = connection.execute(
            "SELECT id FROM tasks WHERE state = ? ORDER BY id LIMIT 1", (State.QUEUED.value,)
        ).fetchone()
        is_over = stopping is None or stopping[0]
        if found is not None and not is_over:
            connection.execute(
                "UPDATE tasks SET state = ?, worker = ?, attempt = attempt + 1, started = ?, ended = NULL, "
                "stop = NULL, error = NULL, stage = NULL, waiting = 0, done = 0, planned = 0 WHERE id = ?",
                (State.RUNNING.value, me, time.time(), found[0]),
            )
            connection.execute("UPDATE workers SET guard = 0 WHERE id = ?", (me,))
        else:
            others = connection.execute(
                "SELECT (SELECT count(*) FROM tasks WHERE state = ? AND NOT alone), "
                "(SELECT count(*) FROM workers WHERE guard AND id != ?)",
                (State.RUNNING.value, me),
            ).fetchone()
            if is_over or not others[0] or others[1]:
                # In the same step, so that whoever queues a task now knows that we will not take it.
                connection.execute("DELETE FROM workers WHERE id = ?", (me,))
                return Nothing.EMPTY
            connection.execute("UPDATE workers SET guard = 1 WHERE id = ?", (me,))
            return Nothing.OTHERS_RUN
    task = queue.task(found[0])
    assert task is not None
    return task


def _watch(queue: Database, layout: Layout) -> None:
    """Wait until something changes in the queue, or a worker dies."""
    version = queue.version()
    busy = {task.worker for task in queue.tasks(State.RUNNING)}
    while queue.version() == version and all(
        worker is not None and is_alive(layout, worker) for worker in busy
    ):
        time.sleep(_LOOK)


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and Ctrl-C end the worker between stages too; what its terminal does is nothing to it."""

    def stop(number: int, _: object) -> None:
        raise Interrupted(f"the worker was ended by {signal.Signals(number).name}")

    before = {
        number: signal.signal(number, handler)
        for number, handler in (
            (signal.SIGTERM, stop),
            (signal.SIGINT, stop),
            (signal.SIGHUP, signal.SIG_IGN),
            (signal.SIGUSR1, lambda *_: None),
        )
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def heeding_stops(layout: Layout, task: Task) -> Iterator[None]:
    """In the block, SIGUSR1 makes us look whether the task is to be ended, and then end its run."""

    def look(*_: object) -> None:
        with contextlib.closing(Database(layout)) as queue:
            stop = queue.stop_of(task.id)
        if stop is not None:
            signal.raise_signal(signal.SIGTERM)
            if stop is Stop.AT_ONCE:
                signal.raise_signal(signal.SIGTERM)

    signal.signal(signal.SIGUSR1, look)
    try:
        yield
    finally:
        # One that is on its way comes too late; and what is ignored would be ignored by commands as well.
        signal.signal(signal.SIGUSR1, lambda *_: None)


@contextlib.contextmanager
def logged(path: str, task: Task) -> Iterator[None]:
    """In the block, our standard output and standard error, and that of what we start, go to the end of a file."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    saved = [os.dup(number) for number in (1, 2)]
    try:
        sys.stdout.flush()
        sys.stderr.flush()
        for number in (1, 2):
            os.dup2(handle, number)
        again = f", attempt {task.attempt}" if task.attempt > 1 else ""
        print(f"Experiment '{task.name}'{again}, {time.strftime('%Y-%m-%d %H:%M:%S')}", flush=True)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, old in zip((1, 2), saved, strict=True):
            os.dup2(old, number)
            os.close(old)
        os.close(handle)

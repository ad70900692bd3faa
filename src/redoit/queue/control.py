"""Workers started and stopped, tasks ended, repeated and removed."""

from __future__ import annotations

import contextlib
import difflib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from redoit.errors import QueueError, TaskNotFound
from redoit.files import locked
from redoit.git import Git
from redoit.project import Layout
from redoit.queue.database import Database
from redoit.queue.leftovers import clean_queue, forget, log_path
from redoit.queue.task import ENDED, State, Stop, Task
from redoit.queue.workers import Worker, give_back, has_lapsed, is_alive, living

WORKER_MODULE = "redoit.cli.worker"
"""What a worker process runs; its arguments are the project's root and a handle to close when it is known."""


class Overview(NamedTuple):
    """The queue at one moment."""

    tasks: list[Task]
    workers: list[Worker]
    """Those that take tasks from the queue."""


def overview(queue: Database, layout: Layout) -> Overview:
    """All tasks and workers; tasks whose worker is gone are in the queue again."""
    running = queue.tasks(State.RUNNING)
    well = {worker.id for worker in living(queue, layout) if not has_lapsed(worker)}
    if any(task.worker not in well for task in running):
        with queue.change() as connection:
            give_back(connection, layout)
    workers = [worker for worker in living(queue, layout) if not worker.alone]
    return Overview(queue.tasks(), workers)


def start_workers(queue: Database, layout: Layout, jobs: int) -> int:
    """Let up to ``jobs`` workers run in the background, no more than there are tasks. Returns how many are new.

    They survive the terminal, and end when the queue is empty. Raises QueueError if one cannot be started.
    """
    with locked(os.path.join(layout.tmp, "starting")):
        now = overview(queue, layout)
        there = [worker for worker in now.workers if not worker.stopping]
        queued = sum(task.state is State.QUEUED for task in now.tasks)
        number = min(jobs - len(there), queued - sum(worker.guard for worker in there))
        if not (queued or there):
            clean_queue(layout, Git(layout.root), queue)
        starting = [_start(layout) for _ in range(number)]
        for process, handle in starting:
            _await(layout, process, handle)
        return len(starting)


def _start(layout: Layout) -> tuple[subprocess.Popen[bytes], int]:
    reading, writing = os.pipe()
    log = os.path.join(layout.tmp, "logs", "workers.log")
    os.makedirs(os.path.dirname(log), exist_ok=True)
    with open(log, "ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", WORKER_MODULE, layout.root, str(writing)],
            cwd=layout.tmp,  # Python looks for modules there first: not among the user's
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=(writing,),
        )
    os.close(writing)
    return process, reading


def _await(layout: Layout, process: subprocess.Popen[bytes], handle: int) -> None:
    """Wait until the worker is known to the queue: it says so by a byte, or ends."""
    try:
        known = os.read(handle, 1)
    finally:
        os.close(handle)
    if not known and process.wait():
        raise QueueError(
            "a worker could not be started",
            facts={"log": os.path.join(layout.tmp, "logs", "workers.log")},
            hint="see the end of that log",
        )
    process.returncode = 0  # it goes on without us: nobody shall wait for it


def stop_workers(queue: Database, layout: Layout, *, kill: bool) -> list[Worker]:
    """Let workers end after their present task; with ``kill``, end that too. Returns the workers."""
    workers = [worker for worker in living(queue, layout) if not worker.alone]
    with queue.change() as connection:
        connection.executemany(
            "UPDATE workers SET stopping = 1 WHERE id = ?", [(worker.id,) for worker in workers]
        )
    if kill:
        ids = {worker.id for worker in workers}
        tasks = [task for task in queue.tasks(State.RUNNING) if task.worker in ids]
        kill_tasks(queue, layout, tasks, Stop.GENTLY)
    return workers


def kill_tasks(queue: Database, layout: Layout, tasks: Iterable[Task], how: Stop) -> None:
    """End tasks that run: they have failed then. Raises QueueError for one that another user's worker runs."""
    running = [task for task in tasks if task.state is State.RUNNING]
    with queue.change() as connection:
        connection.executemany(
            "UPDATE tasks SET stop = ? WHERE id = ? AND state = ?",
            [(how.value, task.id, State.RUNNING.value) for task in running],
        )
    pids = {worker.id: worker.pid for worker in living(queue, layout)}
    for task in running:
        if task.worker in pids:
            try:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pids[task.worker], signal.SIGUSR1)
            except PermissionError:
                raise QueueError(
                    f"'{task.name}' is run by another user's worker",
                    facts={"process": pids[task.worker]},
                    hint="only that user can end it",
                ) from None


def retry(queue: Database, tasks: Sequence[Task]) -> None:
    """Put tasks that have failed into the queue again. Raises QueueError for one that has not."""
    for task in tasks:
        if task.state is not State.FAILED:
            raise QueueError(
                f"'{task.name}' has not failed: it is {_said(task)}",
                hint="`exp queue status` shows which have",
            )
    with queue.change() as connection:
        connection.executemany(
            "UPDATE tasks SET state = ?, worker = NULL, attempt = 0, alone = 0, error = NULL, started = NULL, ended = NULL, "
            "stage = NULL, done = 0, stop = NULL WHERE id = ? AND state = ?",
            [(State.QUEUED.value, task.id, State.FAILED.value) for task in tasks],
        )


def resume(queue: Database, task: Task, worker: str) -> Task:
    """Lease a task that has failed, to be run at once by ourselves. Raises QueueError if another has it."""
    with queue.change() as connection:
        changed = connection.execute(
            "UPDATE tasks SET state = ?, worker = ?, attempt = attempt + 1, alone = 1, started = ?, "
            "ended = NULL, error = NULL, stop = NULL WHERE id = ? AND state = ?",
            (State.RUNNING.value, worker, time.time(), task.id, State.FAILED.value),
        ).rowcount
    found = queue.task(task.id)
    if not changed or found is None:
        raise QueueError(f"'{task.name}' is being run by another process")
    return found


def remove(queue: Database, layout: Layout, git: Git, tasks: Sequence[Task]) -> None:
    """Remove tasks from the queue; experiments that came of them stay. Raises QueueError if one runs."""
    for task in tasks:
        if task.state is State.RUNNING:
            raise QueueError(
                f"'{task.name}' is running",
                hint=f"end it with `exp queue kill {task.name}`, then remove it",
            )
    forget(layout, git, queue, tasks)


def find_tasks(queue: Database, names: Iterable[str], preferred: State | None = None) -> list[Task]:
    """The newest task of each name, of those in the state ``preferred`` if there are any; also by the numbers of tasks.

    Raises TaskNotFound, naming all that there are not.
    """
    tasks = sorted(queue.tasks(), key=lambda task: task.state is preferred)
    named = {task.name: task for task in tasks}
    known = {str(task.id): task for task in tasks} | named
    unknown = [name for name in names if name not in known]
    if unknown:
        near = [m for name in unknown for m in difflib.get_close_matches(name, named, 1)]
        raise TaskNotFound(
            f"there is no task {', '.join(map(repr, unknown))} in the queue",
            hint=f"did you mean {' and '.join(map(repr, near))}?"
            if near
            else "`exp queue status` shows all there are",
        )
    return list({known[name].id: known[name] for name in names}.values())


def follow_log(queue: Database, layout: Layout, task: Task, *, follow: bool) -> Iterator[bytes]:
    """What a task has printed; with ``follow``, also what it prints until it has ended. Raises QueueError."""
    path = log_path(layout, task.id)
    now: Task | None = task
    offset = 0
    while now is not None:
        # First the state, then the file: what is written before the end is seen.
        writing = now.worker is not None and is_alive(layout, now.worker)
        over = (now.state in ENDED and not writing) or not follow
        with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
            file.seek(offset)
            while data := file.read(1 << 16):
                offset += len(data)
                yield data
        if over:
            break
        time.sleep(0.1)
        now = queue.task(task.id)
    if not offset and not follow:
        raise QueueError(
            f"there is no output of '{task.name}': "
            + ("it went to where it ran" if task.alone else f"it is {_said(task)}"),
            hint="`exp queue start` starts workers" if task.state is State.QUEUED else None,
        )


def _said(task: Task) -> str:
    return {State.SUCCESS: "done"}.get(task.state, task.state.value)

"""The queue of a project: ``Project.queue``. Light, so that a look at it costs little."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from redoit.errors import QueueError
from redoit.git import Git
from redoit.project import Layout
from redoit.queue import control
from redoit.queue.control import Overview
from redoit.queue.database import Database, has_queue
from redoit.queue.leftovers import clean_queue
from redoit.queue.task import State, Stop, Task
from redoit.queue.workers import Worker


class Queue:
    """The experiments that wait, run or have ended, and their workers. Keeps nothing open between calls.

    Every verb raises QueueError if the database cannot be used.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    @contextlib.contextmanager
    def _open(self) -> Iterator[Database]:
        with contextlib.closing(Database(self._layout)) as queue:
            yield queue

    def tasks(self) -> Overview:
        """All tasks, the oldest first, and the workers."""
        with self._open() as queue:
            return control.overview(queue, self._layout)

    def start(self, jobs: int = 1) -> int:
        """Let up to ``jobs`` workers run in the background; returns how many are new."""
        with self._open() as queue:
            return control.start_workers(queue, self._layout, jobs)

    def stop(self, *, kill: bool = False) -> list[Worker]:
        """Let the workers end after their present task, or with ``kill`` end that too; returns them."""
        with self._open() as queue:
            return control.stop_workers(queue, self._layout, kill=kill)

    def kill(self, names: Sequence[str], *, force: bool = False) -> list[Task]:
        """End tasks that run, with ``force`` by SIGKILL; they have failed then. Raises TaskNotFound, QueueError."""
        with self._open() as queue:
            tasks = control.find_tasks(queue, names, State.RUNNING)
            for task in tasks:
                if task.state is not State.RUNNING:
                    raise QueueError(f"'{task.name}' is not running: it is {task.state.value}")
            control.kill_tasks(queue, self._layout, tasks, Stop.AT_ONCE if force else Stop.GENTLY)
            return tasks

    def retry(self, names: Sequence[str]) -> list[Task]:
        """Queue tasks that have failed again; what had finished is not run again. Raises TaskNotFound, QueueError."""
        with self._open() as queue:
            tasks = control.find_tasks(queue, names, State.FAILED)
            control.retry(queue, tasks)
            return tasks

    def remove(self, names: Sequence[str] = (), states: Sequence[State] = ()) -> list[Task]:
        """Remove tasks by name, or all in these states; experiments stay. Raises TaskNotFound, QueueError."""
        with self._open() as queue:
            control.overview(queue, self._layout)
            tasks = control.find_tasks(queue, names) if names else []
            tasks += queue.tasks(*states) if states else []
            control.remove(queue, self._layout, Git(self._layout.root), tasks)
            return tasks

    def clean(self) -> list[str]:
        """Remove workspaces and commits that no task needs any more; returns what was removed."""
        if not has_queue(self._layout):
            return []
        with self._open() as queue:
            return clean_queue(self._layout, Git(self._layout.root), queue)

    def log(self, name: str, *, follow: bool = False) -> Iterator[bytes]:
        """What a task has printed, from its set-up on, piece by piece. Raises TaskNotFound, QueueError."""
        with self._open() as queue:
            (task,) = control.find_tasks(queue, [name])
            yield from control.follow_log(queue, self._layout, task, follow=follow)

    def durations(self) -> dict[str, float]:
        """Stage → seconds of its last run."""
        with self._open() as queue:
            return queue.durations()

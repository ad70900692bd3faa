"""The queue of a project: ``Project.queue``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

from redoit.engine.listener import Listener
from redoit.errors import QueueError
from redoit.experiments.outside import folder_of
from redoit.experiments.overview import Execution, Pending
from redoit.experiments.run import Wish
from redoit.git import Git
from redoit.model import Request
from redoit.project import Layout
from redoit.queue import control
from redoit.queue.control import Overview
from redoit.queue.database import Database, has_queue
from redoit.queue.leftovers import clean_queue, log_path
from redoit.queue.orders import (
    Ordered,
    experiment_origin,
    is_experiment,
    make_orders,
    workspace_origin,
)
from redoit.queue.running import Ending, run_task
from redoit.queue.task import Order, State, Stop, Task
from redoit.queue.worker import heeding_stops, work
from redoit.queue.workers import Worker, place_among


class Queue:
    """Experiments that run outside of the workspace, now or later. Keeps nothing open between calls.

    Every verb raises QueueError if the database cannot be used.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    @contextlib.contextmanager
    def _open(self) -> Iterator[Database]:
        with contextlib.closing(Database(self._layout)) as queue:
            yield queue

    def add(
        self,
        request: Request,
        wish: Wish,
        *,
        copy: Sequence[str] = (),
        rev: str | None = None,
    ) -> Ordered:
        """Queue an experiment for each combination of the values in ``wish.set_params``, frozen as all is now.

        It starts from the workspace, or from what the experiment ``rev`` recorded. ``copy``: ignored or untracked
        paths that it needs. Raises UsageError, ParamsProblem, BadExperimentName, ExperimentExists,
        ExperimentNotFound, ExperimentError, GitError; then nothing is queued.
        """
        git = Git(self._layout.root)
        with self._open() as queue:
            origin = experiment_origin(git, rev) if rev else workspace_origin(self._layout, git)
            ordered = make_orders(self._layout, git, queue, origin, request, wish, copy=copy)
            queue.add(ordered.orders)
        return ordered

    def run_now(
        self,
        request: Request,
        wish: Wish,
        listener: Listener,
        *,
        copy: Sequence[str] = (),
        rev: str | None = None,
    ) -> tuple[Task, Ending]:
        """Run one experiment at once, outside of the workspace.

        With ``rev``: go on with that task if it has failed, under its name; else start from what that experiment
        recorded, as a new one on the same baseline. Raises as ``add``, and Interrupted.
        """
        git = Git(self._layout.root)
        with self._open() as queue, place_among(self._layout, alone=True) as me:
            task = self._unfinished(queue, git, rev, request, wish) if rev else None
            if task is not None:
                task = control.resume(queue, task, me)
            else:
                origin = experiment_origin(git, rev) if rev else workspace_origin(self._layout, git)
                ordered = make_orders(
                    self._layout, git, queue, origin, request, wish, copy=copy, sweep=False
                )
                for file in ordered.unnoticed:
                    listener.warned(
                        f"no stage depends on a param of {file}: the change alone runs nothing"
                    )
                task = queue.task(queue.add(ordered.orders, worker=me)[0])
                assert task is not None
            with heeding_stops(self._layout, task):
                ending = run_task(self._layout, queue, task, listener)
            if ending.error is not None and rev is None:  # there is nothing to go on with
                control.remove(queue, self._layout, git, [task._replace(state=State.FAILED)])
            return task, ending

    def _unfinished(
        self, queue: Database, git: Git, name: str, request: Request, wish: Wish
    ) -> Task | None:
        """The task called ``name``, if it is one to go on with."""
        control.overview(queue, self._layout)
        tasks = queue.tasks(names=[name])
        if not tasks or tasks[-1].state is State.SUCCESS:
            return None
        task = tasks[-1]
        if task.state is not State.FAILED:
            if is_experiment(git, name):
                return None
            raise QueueError(
                f"'{name}' has not failed: it is {task.state.value}",
                hint="`exp queue status` shows what is going on",
            )
        if wish.set_params or wish.name or request.targets:
            raise QueueError(
                f"'{name}' has not finished, so it can only go on as it was ordered",
                hint="leave out targets, -S and -n; or remove it (`exp queue remove`) and order another",
            )
        return task

    def tasks(self) -> Overview:
        """All tasks, the oldest first, and the workers."""
        with self._open() as queue:
            return control.overview(queue, self._layout)

    def start(self, jobs: int = 1) -> int:
        """Let up to ``jobs`` workers run in the background; returns how many are new."""
        with self._open() as queue:
            return control.start_workers(queue, self._layout, jobs)

    def work(
        self,
        make_listener: Callable[[], Listener],
        show: Callable[[Task, Ending], None],
        began: Callable[[], None],
    ) -> None:
        """Be a worker, until the queue is empty: see ``redoit.queue.worker``."""
        work(self._layout, make_listener, show, began)

    def stop(self, *, kill: bool = False) -> list[Worker]:
        """Let the workers end after their present task, or with ``kill`` end that too; returns them."""
        with self._open() as queue:
            return control.stop_workers(queue, self._layout, kill=kill)

    def kill(self, names: Sequence[str], *, force: bool = False) -> list[Task]:
        """End tasks that run, with ``force`` by SIGKILL; they have failed then. Raises TaskNotFound, QueueError."""
        with self._open() as queue:
            tasks = control.find_tasks(queue, names)
            for task in tasks:
                if task.state is not State.RUNNING:
                    raise QueueError(f"'{task.name}' is not running: it is {task.state.value}")
            control.kill_tasks(queue, self._layout, tasks, Stop.AT_ONCE if force else Stop.GENTLY)
            return tasks

    def retry(self, names: Sequence[str]) -> list[Task]:
        """Queue tasks that have failed again; what had finished is not run again. Raises TaskNotFound, QueueError."""
        with self._open() as queue:
            tasks = control.find_tasks(queue, names)
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

    def pending(self, *, queued: bool = True, failed: bool = True) -> list[Pending]:
        """The tasks as ``Project.overview`` shows them, the oldest first; without those that wait or have failed."""
        if not has_queue(self._layout):
            return []
        now = self.tasks()
        pids = {worker.id: worker.pid for worker in now.workers}
        hidden = {State.QUEUED} if not queued else set()
        hidden |= {State.FAILED} if not failed else set()
        return [
            Pending(
                task.name,
                task.order.baseline,
                task.rev or task.order.start,
                Execution(
                    task.state.value,
                    str(task.id),
                    folder_of(self._layout, str(task.id)) if task.state is State.RUNNING else None,
                    log_path(self._layout, task.id) if task.attempt and not task.alone else None,
                    pids.get(task.worker or ""),
                    task.error,
                ),
            )
            for task in now.tasks
            if task.state not in hidden
        ]

    def durations(self) -> dict[str, float]:
        """Stage → seconds of its last run."""
        with self._open() as queue:
            return queue.durations()


__all__ = ["Ending", "Order", "Ordered", "Overview", "Queue", "State", "Task"]

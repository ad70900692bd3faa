"""Experiments run at once outside of the workspace, and how tasks look in an overview."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from redoit.engine.listener import Listener
from redoit.errors import QueueError
from redoit.experiments.outside import folder_of
from redoit.experiments.overview import Execution, Pending
from redoit.git import Git
from redoit.model import Request, Wish
from redoit.project import Layout
from redoit.queue.control import overview, remove, resume
from redoit.queue.database import Database, has_queue
from redoit.queue.leftovers import log_path
from redoit.queue.orders import (
    experiment_origin,
    is_experiment,
    make_orders,
    workspace_origin,
)
from redoit.queue.running import Ending, run_task
from redoit.queue.task import State, Task
from redoit.queue.worker import heeding_stops
from redoit.queue.workers import place_among


def run_now(
    layout: Layout,
    request: Request,
    wish: Wish,
    listener: Listener,
    *,
    copy: Sequence[str] = (),
    rev: str | None = None,
) -> tuple[Task, Ending]:
    """Run one experiment at once, outside of the workspace.

    With ``rev``: go on with that task if it has failed, under its name; else start from what that experiment
    recorded, as a new one on the same baseline. Raises as ``queue.orders.order``, and Interrupted.
    """
    git = Git(layout.root)
    with contextlib.closing(Database(layout)) as queue, place_among(layout, alone=True) as me:
        task = _unfinished(queue, layout, git, rev, request, wish) if rev else None
        if task is not None:
            task = resume(queue, task, me)
        else:
            origin = experiment_origin(git, rev) if rev else workspace_origin(layout, git)
            ordered = make_orders(layout, git, queue, origin, request, wish, copy=copy, sweep=False)
            for file in ordered.unnoticed:
                listener.warned(
                    f"no stage depends on a param of {file}: the change alone runs nothing"
                )
            task = queue.task(queue.add(ordered.orders, worker=me)[0])
            assert task is not None
        with heeding_stops(layout, task):
            ending = run_task(layout, queue, task, listener)
        if ending.error is not None and rev is None:  # there is nothing to go on with
            remove(queue, layout, git, [task._replace(state=State.FAILED)])
        return task, ending


def _unfinished(
    queue: Database, layout: Layout, git: Git, name: str, request: Request, wish: Wish
) -> Task | None:
    """The task called ``name``, if it is one to go on with."""
    overview(queue, layout)
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


def pending(layout: Layout, *, queued: bool, failed: bool) -> list[Pending]:
    """The tasks as an overview of experiments shows them, the oldest first; ``queued`` and ``failed`` ones if wanted."""
    if not has_queue(layout):
        return []
    with contextlib.closing(Database(layout)) as queue:
        now = overview(queue, layout)
    pids = {worker.id: worker.pid for worker in now.workers}
    hidden = {
        state for state, shown in ((State.QUEUED, queued), (State.FAILED, failed)) if not shown
    }
    return [
        Pending(
            task.name,
            task.order.baseline,
            task.rev or task.order.start,
            Execution(
                task.state.value,
                str(task.id),
                folder_of(layout, str(task.id)) if task.state is State.RUNNING else None,
                log_path(layout, task.id) if task.attempt and not task.alone else None,
                pids.get(task.worker or ""),
                task.error,
            ),
        )
        for task in now.tasks
        if task.state not in hidden
    ]

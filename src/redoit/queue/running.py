"""A task carried out by the worker that holds it: workspace made, stages run, experiment recorded, workspace removed."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Sequence

from redoit.engine.listener import Listener
from redoit.errors import ExperimentExists, Interrupted, RedoitError
from redoit.experiments.outside import Outside, folder_of, remove, set_up
from redoit.experiments.refs import Experiment, ref_of
from redoit.experiments.run import OutsideResult, run_outside
from redoit.experiments.save import name_experiment
from redoit.git import Git
from redoit.model import Outcome, Reason, RunResult, Stage, StageResult, Wish
from redoit.project import Layout
from redoit.queue.database import Database
from redoit.queue.leftovers import tidy
from redoit.queue.task import State, Task

KILLED = "it was killed"


class TaskListener:
    """Passes on what a run tells to another Listener, and notes in the queue how far the task has come."""

    def __init__(self, queue: Database, task: Task, listener: Listener) -> None:
        self._queue = queue
        self._lock = threading.Lock()
        self._task = task
        self._listener = listener
        self._done = 0
        self.durations: list[tuple[str, float]] = []

    def planned(self, stages: Sequence[Stage], jobs: int) -> None:
        self._listener.planned(stages, jobs)
        self._note(planned=len(stages))

    def started(self, stage: Stage, reasons: Sequence[Reason]) -> None:
        self._listener.started(stage, reasons)
        self._note(stage=stage.address, stage_since=time.time(), waiting=0)

    def waiting(self, stage: Stage) -> None:
        self._listener.waiting(stage)
        self._note(stage=stage.address, waiting=1)

    def command(self, stage: Stage, command: str) -> None:
        self._listener.command(stage, command)
        self._note(stage=stage.address, waiting=0)

    def output(self, stage: Stage, line: bytes) -> None:
        self._listener.output(stage, line)

    def finished(self, stage: Stage, result: StageResult) -> None:
        self._listener.finished(stage, result)
        self._done += 1
        if result.outcome is Outcome.RAN:
            self.durations.append((stage.address, result.seconds))
        if result.outcome is not Outcome.UP_TO_DATE:
            self._note(done=self._done, stage=None)

    def confirm(self, stage: Stage) -> bool:
        return self._listener.confirm(stage)

    def warned(self, text: str) -> None:
        self._listener.warned(text)

    def ended(self) -> None:
        self._listener.ended()

    def _note(self, **values: object) -> None:
        with self._lock:
            self._queue.progress(self._task, **values)


class Ending:
    """What became of a task: its experiment, or why there is none."""

    def __init__(
        self,
        run: RunResult | None = None,
        experiment: Experiment | None = None,
        error: RedoitError | None = None,
    ) -> None:
        self.run = run
        self.experiment = experiment
        self.error = error
        """What ended it before, or beside, its stages."""


def run_task(layout: Layout, queue: Database, task: Task, listener: Listener) -> Ending:
    """Carry out ``task``, whose lease is ours. Whatever happens to it is in the Ending and in the queue, not raised.

    If the lease was lost meanwhile, nothing is recorded. Raises Interrupted if the worker itself is to end.
    """
    git, order = Git(layout.root), task.order
    try:
        if queue.stop_of(task.id) is not None:  # before we could hear of it
            raise Interrupted(KILLED)
        copies = (
            os.path.join(layout.tmp, order.copies) if order.copies else git.toplevel,
            order.copied,
        )
        outside, fresh = set_up(layout, git, str(task.id), order.start, order.baseline, copies)
        if not fresh:
            listener.warned("going on in the workspace that a killed process left")
        with contextlib.closing(Database(layout)) as notes:
            telling = TaskListener(notes, task, listener)
            result = _run(outside, task, telling)
            notes.learn(telling.durations)
    except Interrupted:
        killed = queue.stop_of(task.id) is not None
        if task.alone or killed:
            _end(layout, git, queue, task, KILLED, None)
        else:
            _hand_back(queue, task)
        if killed and not task.alone:
            return Ending()
        raise
    except RedoitError as error:
        _end(layout, git, queue, task, error.what, None)
        return Ending(error=error)
    if result.rev is not None:
        return Ending(result.run, _succeed(layout, git, queue, task, result.rev))
    if result.run.interrupted and not task.alone and queue.stop_of(task.id) is None:
        # The worker itself is to end: the next one goes on in the same workspace.
        _hand_back(queue, task)
        raise Interrupted("the worker was ended; its task is in the queue again")
    _end(layout, git, queue, task, reason(result.run), result.progress)
    return Ending(result.run)


def _run(outside: Outside, task: Task, listener: Listener) -> OutsideResult:
    order = task.order
    cwd = os.path.join(outside.layout.root, order.request.cwd)
    return run_outside(
        outside,
        order.request._replace(cwd=cwd),
        Wish(order.name, order.message),
        listener,
        start=order.start,
        baseline=order.baseline,
        copied=order.copied,
    )


def reason(run: RunResult) -> str:
    """Why a run did not come to its end, in a line."""
    if run.interrupted:
        return KILLED
    failed = [stage for stage in run.stages if stage.outcome is Outcome.FAILED]
    for stage in failed:
        if isinstance(stage.error, RedoitError):
            return stage.error.what
    return f"stage '{failed[0].address}' failed: {failed[0].error}" if failed else "a stage failed"


def _succeed(layout: Layout, git: Git, queue: Database, task: Task, rev: str) -> Experiment | None:
    """Record the experiment and end the task in one step; None if the lease is gone."""
    with queue.change() as connection:
        if not queue.holds(connection, task):
            return None
        experiment = _name(git, task, rev)
        connection.execute(
            "UPDATE tasks SET state = ?, rev = ?, name = ?, ended = ?, stage = NULL, waiting = 0, "
            "done = planned, stop = NULL, error = NULL WHERE id = ?",
            (State.SUCCESS.value, rev, experiment.name, time.time(), task.id),
        )
    tidy(layout, git, queue, task)
    return experiment


def _name(git: Git, task: Task, rev: str) -> Experiment:
    order = task.order
    replace = order.replace
    for ref in git.refs(ref_of(order.baseline, order.name)):
        # A worker that was killed between naming the experiment and saying so.
        tree = git.run("rev-parse", f"{rev}^{{tree}}").decode().strip()
        replace = replace or (task.attempt > 1 and ref.tree == tree)
    name = order.name
    number = 1
    while True:
        try:
            return name_experiment(git, rev, order.baseline, name, force=replace)
        except ExperimentExists:  # the name has been taken since: the work is not lost for that
            number += 1
            name = f"{order.name}-{number}"


def _end(
    layout: Layout, git: Git, queue: Database, task: Task, error: str, progress: str | None
) -> None:
    """The task has failed; what had finished is where it starts from the next time."""
    start = task.order.start
    if progress is not None:
        git.run("update-ref", task.order.ref, progress)
        start = progress
    with queue.change() as connection:
        if not queue.holds(connection, task):
            return
        connection.execute(
            "UPDATE tasks SET state = ?, error = ?, start = ?, ended = ?, waiting = 0, stop = NULL "
            "WHERE id = ?",
            (State.FAILED.value, error, start, time.time(), task.id),
        )
    remove(git, folder_of(layout, str(task.id)))


def _hand_back(queue: Database, task: Task) -> None:
    with queue.change() as connection:
        if queue.holds(connection, task):
            connection.execute(
                "UPDATE tasks SET state = ?, worker = NULL, stage = NULL, waiting = 0 WHERE id = ?",
                (State.QUEUED.value, task.id),
            )

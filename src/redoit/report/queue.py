"""The queue as people and programs see it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from redoit.queue.control import Overview
from redoit.queue.task import ENDED, State, Task
from redoit.report.words import Paint, count, duration, table

_HEADERS = ("Task", "Name", "Created", "State", "Stage", "Time")


def status_lines(overview: Overview, paint: Paint, now: float) -> list[str]:
    """A row for each task, and what the workers do. ``now``: seconds since 1970."""
    lines = []
    if overview.tasks:
        rows = table([_HEADERS, *(_row(task, now) for task in overview.tasks)])
        lines = [paint.bold(rows[0])]
        colours = {State.FAILED: paint.red, State.RUNNING: paint.green}
        lines += [
            colours.get(task.state, str)(row)
            for task, row in zip(overview.tasks, rows[1:], strict=True)
        ]
        lines += [""]
    return [*lines, summary(overview)]


def summary(overview: Overview) -> str:
    """``3 queued, 2 running; 2 workers``."""
    parts = [
        f"{number} {state.value}"
        for state in State
        if (number := sum(task.state is state for task in overview.tasks))
    ]
    busy = len([worker for worker in overview.workers if not worker.stopping])
    stopping = len(overview.workers) - busy
    workers = count(busy, "worker") if busy or not stopping else ""
    more = f"{stopping} stopping" if stopping else ""
    said = ", ".join(part for part in (workers, more) if part)
    text = f"{', '.join(parts) if parts else 'The queue is empty'}; {said}"
    if not overview.workers and any(task.state is State.QUEUED for task in overview.tasks):
        text += " (`exp queue start` starts them)"
    return text


def _row(task: Task, now: float) -> tuple[str, ...]:
    return (
        str(task.id),
        task.name,
        _clock(task.created, now),
        task.state.value,
        stage_of(task),
        took(task, now),
    )


def stage_of(task: Task) -> str:
    """What a task does now, or why it failed."""
    if task.state is State.FAILED:
        return task.error or ""
    if task.state is not State.RUNNING:
        return ""
    if task.stage is None:
        return "setting up" if not task.planned else f"{task.done} of {task.planned} stages done"
    place = f"{task.stage} ({min(task.done + 1, task.planned)} of {task.planned})"
    return f"{place}, waiting for another experiment that runs it" if task.waiting else place


def took(task: Task, now: float) -> str:
    """How long a task has taken, or takes until now; of a stage that runs, that too."""
    if task.started is None:
        return ""
    end = task.ended if task.state in ENDED and task.ended is not None else now
    text = duration(int(max(end - task.started, 0)))
    if task.state is State.RUNNING and task.stage is not None and task.stage_since is not None:
        text += f" (stage {duration(int(max(now - task.stage_since, 0)))})"
    return text


def _clock(then: float, now: float) -> str:
    """The time of day; with the date if it is not of today."""
    that, this = time.localtime(then), time.localtime(now)
    today = that[:3] == this[:3]
    return time.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M", that)


def status_json(overview: Overview) -> dict[str, Any]:
    """Tasks and workers as data; times in seconds since 1970."""
    return {
        "tasks": [
            {
                "id": task.id,
                "name": task.name,
                "state": task.state.value,
                "baseline": task.order.baseline,
                "start": task.order.start,
                "rev": task.rev,
                "created": task.created,
                "started": task.started,
                "ended": task.ended,
                "stage": task.stage,
                "stage_since": task.stage_since,
                "waiting": task.waiting,
                "stages_done": task.done,
                "stages_planned": task.planned,
                "attempt": task.attempt,
                "worker": task.worker,
                "error": task.error,
                "overrides": {file: list(texts) for file, texts in task.order.overrides},
            }
            for task in overview.tasks
        ],
        "workers": [
            {"id": worker.id, "pid": worker.pid, "stopping": worker.stopping}
            for worker in overview.workers
        ],
    }


def remaining(
    tasks: Sequence[Task], durations: Mapping[str, float], workers: int, now: float
) -> float | None:
    """About how many seconds until all of ``tasks`` have ended; None if nothing is known yet.

    Tasks are taken to last as long as those that have succeeded did on the average; before one has, as long as all
    stages that were ever timed together.
    """
    done = [
        t.ended - t.started for t in tasks if t.state is State.SUCCESS and t.started and t.ended
    ]
    each = sum(done) / len(done) if done else sum(durations.values())
    if not each:
        return None
    left = sum(each for task in tasks if task.state is State.QUEUED)
    left += sum(
        max(each - (now - task.started), 0.0)
        for task in tasks
        if task.state is State.RUNNING and task.started
    )
    return left / max(workers, 1)

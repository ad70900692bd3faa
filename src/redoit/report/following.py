"""The queue while it is worked off: a live table on a terminal, else a line for each experiment that ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import IO

from redoit.queue.control import Overview
from redoit.queue.task import ENDED, State, Task
from redoit.report.live import LiveScreen, wants_live
from redoit.report.queue import remaining, stage_of, took
from redoit.report.screen import Screen
from redoit.report.words import Paint, count, duration, table

_LISTED = 12
"""So many running tasks are listed; more than that, and the others are counted."""


class Following:
    """Shows how tasks go on; told of the queue again and again by ``see``. ``failed``: names of those that failed."""

    def __init__(
        self,
        out: IO[str],
        err: IO[str],
        paint: Paint,
        tasks: Sequence[Task],
        durations: Mapping[str, float],
        *,
        quiet: bool = False,
        live: bool | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._durations = durations
        self._clock = clock
        self._paint = paint
        self._quiet = quiet
        self._wanted = {task.id for task in tasks if task.state not in ENDED}
        self._told: set[int] = {task.id for task in tasks if task.state in ENDED}
        self._now: Overview = Overview(list(tasks), [])
        self.failed: list[str] = []
        shown = (wants_live(out) if live is None else live) and not quiet
        self._live = LiveScreen(out, err, self.status) if shown else None
        self._screen: Screen = self._live or Screen(out, err)
        if self._live is not None:
            self._live.start()

    def see(self, overview: Overview) -> bool:
        """Show what has changed. False when all tasks have ended, and their workers are through with them: they may
        still be pushing.
        """
        self._now = overview
        for task in overview.tasks:
            if task.id not in self._told:
                self._wanted.add(task.id)
                if task.state in ENDED:
                    self._told.add(task.id)
                    self._end(task)
        busy = {worker.id for worker in overview.workers}
        return any(task.state not in ENDED or task.worker in busy for task in self._tasks())

    def close(self) -> None:
        """Take the live part away. Can be called twice."""
        if self._live is not None:
            self._live.stop()

    def _tasks(self) -> list[Task]:
        return [task for task in self._now.tasks if task.id in self._wanted]

    def _end(self, task: Task) -> None:
        time_ = took(task, self._clock())
        if task.state is State.SUCCESS:
            if not self._quiet:
                rev = f" ({task.rev[:7]})" if task.rev else ""
                self._screen.line(f"Experiment '{task.name}'{rev} done in {time_}")
            return
        self.failed.append(task.name)
        text = f"error: experiment '{task.name}' failed after {time_}: {task.error}"
        self._screen.line(
            self._paint.red(text) + f"\n  `exp queue logs {task.name}` shows its output", error=True
        )

    def status(self) -> list[str]:
        """The live part now."""
        now = self._clock()
        tasks = self._tasks()
        running = [task for task in tasks if task.state is State.RUNNING]
        rows = [(f"  {task.name}", took(task, now), stage_of(task)) for task in running[:_LISTED]]
        lines = table(rows)
        if len(running) > _LISTED:
            lines.append(f"  and {len(running) - _LISTED} more")
        done = sum(task.state in ENDED for task in tasks)
        queued = sum(task.state is State.QUEUED for task in tasks)
        text = (
            f"{done:,} of {count(len(tasks), 'experiment')} done, "
            f"{len(running)} running, {queued:,} queued"
        )
        left = remaining(tasks, self._durations, len(self._now.workers), now)
        if left is not None and done < len(tasks):
            text += f", about {duration(round(left))} left"
        return [*lines, text]

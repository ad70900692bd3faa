"""The queue on the screen while it is worked off."""

from __future__ import annotations

import sys
import time

from redoit.api import Project
from redoit.queue.task import ENDED, State
from redoit.report.following import Following
from redoit.report.words import Paint, count, wants_colour


def follow_queue(project: Project, jobs: int, *, quiet: bool) -> int:
    """Start up to ``jobs`` workers and show what they do until the queue is empty; 1 if an experiment failed.

    Workers that die are replaced. Ctrl-C ends the watching, not the workers.
    """
    queue = project.queue
    overview = queue.tasks()
    if not quiet and all(task.state in ENDED for task in overview.tasks):
        print("Nothing is queued: `exp run --queue` queues experiments")
        return 0
    following = Following(
        sys.stdout,
        sys.stderr,
        Paint(wants_colour(sys.stdout)),
        overview.tasks,
        queue.durations(),
        quiet=quiet,
    )
    try:
        while following.see(overview):
            waiting = any(task.state is State.QUEUED for task in overview.tasks)
            if waiting and len(overview.workers) < jobs:
                queue.start(jobs)
            time.sleep(_LOOK)
            overview = queue.tasks()
    except KeyboardInterrupt:
        following.close()
        print(
            "The workers go on in the background: `exp queue status` shows them, `exp queue stop --kill` ends them",
            file=sys.stderr,
        )
        raise
    finally:
        following.close()
    if following.failed and not quiet:
        print(f"{count(len(following.failed), 'experiment')} failed", file=sys.stderr)
    return int(bool(following.failed))


_LOOK = 0.1
"""Seconds between two looks at the queue."""

"""The end of a run on the screen, the same for ``exp run`` and ``exp repro``; and that of a queue."""

from __future__ import annotations

import sys
import time

from redoit.api import Project
from redoit.errors import RedoitError
from redoit.model import RunResult
from redoit.profile import Profile
from redoit.queue.task import ENDED, State
from redoit.report.following import Following
from redoit.report.profile import profile_json, profile_table
from redoit.report.progress import PlainListener
from redoit.report.summary import summary
from redoit.report.words import Paint, count, wants_colour


def show_end(result: RunResult, listener: PlainListener, *, quiet: bool, dry: bool) -> None:
    """Print what the run came to; each failure was shown when it happened."""
    if result.interrupted:
        listener.screen.line("interrupted: what had finished is recorded", error=True)
    if not quiet:
        listener.screen.line(summary(result, dry=dry))


def wanted_profile(table: bool, file: str | None) -> Profile | None:
    """A new Profile if one of the two was asked for."""
    return Profile() if table or file is not None else None


def write_profile(
    profile: Profile | None,
    result: RunResult,
    listener: PlainListener,
    *,
    table: bool,
    file: str | None,
) -> None:
    """Print where the time went, and write it to ``file``. Raises RedoitError if that cannot be written."""
    if profile is None:
        return
    spent = profile.spent()
    if table:
        listener.screen.line(profile_table(spent))
    if file is not None:
        try:
            with open(file, "w", encoding="utf-8") as opened:
                opened.write(profile_json(spent, result))
        except OSError as error:
            raise RedoitError(
                f"cannot write where the time went: {error.strerror}",
                facts={"file": file},
                hint="the run itself is done; name another file with --profile-json",
            ) from None


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

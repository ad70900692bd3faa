"""What a worker process runs: ``python -m redoit.cli.worker ROOT HANDLE``; started by ``exp queue start``."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

from redoit.api import Project
from redoit.cli.ending import show_end
from redoit.errors import Interrupted
from redoit.late import late
from redoit.queue.running import Ending
from redoit.queue.task import Task
from redoit.report.failure import logged
from redoit.report.progress import PlainListener
from redoit.report.screen import Screen
from redoit.report.words import Paint, wants_colour

if TYPE_CHECKING:
    from redoit.cli.share import auto_push
else:
    auto_push = late("redoit.cli.share", "auto_push")


def main(root: str, handle: int) -> int:
    """Work until the queue is empty. ``handle``: written to when the queue knows us."""

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # as `exp` itself does

    def began() -> None:
        os.write(handle, b".")
        os.close(handle)

    project = Project(root)

    def show(task: Task, ending: Ending) -> None:
        _show(task, ending)
        if ending.experiment is not None and project.layout.config.exp_auto_push:
            auto_push(project, ending.experiment, quiet=False)

    try:
        project.work(_listener, show, began)
    except Interrupted:
        return 130
    return 0


def _listener() -> PlainListener:
    paint = Paint(wants_colour(sys.stdout, os.environ))
    return PlainListener(Screen(sys.stdout, sys.stderr), paint, verbose=True, log=True)


def _show(task: Task, ending: Ending) -> None:
    """The end of the log of a task."""
    if ending.error is not None:
        print(logged(ending.error), file=sys.stderr)
    if ending.run is not None:
        show_end(ending.run, _listener(), quiet=False, dry=False)
    if ending.experiment is not None:
        print(f"Experiment '{ending.experiment.name}' ({ending.experiment.rev[:7]})")
    elif ending.error is None:
        how = "has failed" if ending.run is not None else "was killed"
        print(f"'{task.name}' {how}; `exp queue retry {task.name}` goes on with it")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))

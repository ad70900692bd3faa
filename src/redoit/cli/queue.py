"""``exp queue``."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence

import click

from redoit.api.queue import Queue
from redoit.cli import complete
from redoit.cli.options import quiet_option, traceback_option
from redoit.errors import UsageError
from redoit.project import find_layout
from redoit.queue.task import State
from redoit.report.queue import status_json, status_lines
from redoit.report.words import Paint, count, wants_colour


@click.group("queue")
def command() -> None:
    """Run queued experiments in the background, and see how they do.

    `exp run --queue` puts experiments into the queue. TASKS are names or numbers of `exp queue status`.
    """


def _queue() -> Queue:
    return Queue(find_layout(os.getcwd()))


@command.command("start")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="Run up to N experiments at the same time (default: 1).",
)
@quiet_option("Print nothing.")
@traceback_option
def start(jobs: int, quiet: bool) -> int:
    """Start workers that run what is queued, outside of the workspace.

    They go on in the background when the terminal is closed, and end when the queue is empty. Workers
    that run already count among the N.
    """
    queue = _queue()
    started = queue.start(jobs)
    if not quiet:
        if started:
            print(f"Started {count(started, 'worker')}")
        elif any(task.state is State.QUEUED for task in queue.tasks().tasks):
            print("Enough workers are running already")
        else:
            print("Nothing is queued: `exp run --queue` queues experiments")
    return 0


@command.command("stop")
@click.option("--kill", is_flag=True, help="End the experiments that are running, too.")
@quiet_option("Print nothing.")
@traceback_option
def stop(kill: bool, quiet: bool) -> int:
    """Let the workers end when the experiments that they run now are done.

    What is queued stays queued. Experiments ended by --kill have failed: `exp queue retry` goes on with
    them.
    """
    workers = _queue().stop(kill=kill)
    if not quiet:
        when = "now" if kill else "after their present experiment"
        print(
            f"{count(len(workers), 'worker')} will end {when}"
            if workers
            else "There are no workers"
        )
    return 0


@command.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, times in seconds since 1970.")
@traceback_option
def status(as_json: bool) -> int:
    """Show every task of the queue: its state, the stage it is at, how long it has taken; and the workers."""
    overview = _queue().tasks()
    if as_json:
        print(json.dumps(status_json(overview)))
    else:
        print("\n".join(status_lines(overview, Paint(wants_colour(sys.stdout)), time.time())))
    return 0


@command.command("logs")
@click.argument("task", shell_complete=complete.tasks)
@click.option("-f", "--follow", is_flag=True, help="Go on until the task has ended.")
@traceback_option
def logs(task: str, follow: bool) -> int:
    """Print what TASK, a name or number of `exp queue status`, has printed, from its set-up on.

    Of several with one name, it is the newest.
    """
    for data in _queue().log(task, follow=follow):
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    return 0


@command.command("kill")
@click.argument("tasks", nargs=-1, required=True, shell_complete=complete.tasks)
@click.option("-f", "--force", is_flag=True, help="End their commands by SIGKILL.")
@quiet_option("Print nothing.")
@traceback_option
def kill(tasks: Sequence[str], force: bool, quiet: bool) -> int:
    """End TASKS that are running.

    Their commands get SIGTERM, and SIGKILL some seconds later. What had finished is kept: `exp queue
    retry` goes on from there.
    """
    for task in _queue().kill(tasks, force=force):
        if not quiet:
            print(f"Killed '{task.name}'")
    return 0


@command.command("retry")
@click.argument("tasks", nargs=-1, required=True, shell_complete=complete.tasks)
@quiet_option("Print nothing.")
@traceback_option
def retry(tasks: Sequence[str], quiet: bool) -> int:
    """Queue TASKS that have failed again, to go on with the first stage that had not finished."""
    for task in _queue().retry(tasks):
        if not quiet:
            print(f"Queued '{task.name}' again")
    return 0


@command.command("remove")
@click.argument("tasks", nargs=-1, shell_complete=complete.tasks)
@click.option("--queued", is_flag=True, help="Remove all that wait.")
@click.option("--success", is_flag=True, help="Remove all that have succeeded.")
@click.option("--failed", is_flag=True, help="Remove all that have failed.")
@click.option("--all", "all_", is_flag=True, help="Remove all but those that run.")
@quiet_option("Print nothing.")
@traceback_option
def remove(
    tasks: Sequence[str], queued: bool, success: bool, failed: bool, all_: bool, quiet: bool
) -> int:
    """Remove TASKS from the queue, with their logs. Experiments that came of them stay."""
    states = [
        state
        for state, is_wanted in (
            (State.QUEUED, queued or all_),
            (State.SUCCESS, success or all_),
            (State.FAILED, failed or all_),
        )
        if is_wanted
    ]
    if bool(tasks) == bool(states):
        raise UsageError(
            "the tasks to remove are given twice"
            if tasks
            else "it is not said which tasks to remove",
            hint="give either names, or --queued, --success, --failed or --all",
        )
    removed = _queue().remove(tasks, states)
    if not quiet:
        for task in removed:
            print(f"Removed '{task.name}'")
        if not removed:
            print("There was nothing to remove")
    return 0

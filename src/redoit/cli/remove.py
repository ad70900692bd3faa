"""``exp remove``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from redoit.api import Project
from redoit.cli import complete
from redoit.cli.options import quiet_option, traceback_option
from redoit.cli.selection import selection_options
from redoit.errors import UsageError
from redoit.experiments.refs import Selection
from redoit.queue.task import State


@click.command("remove")
@click.argument("experiments", nargs=-1, shell_complete=complete.experiments)
@selection_options("Remove")
@click.option("--queue", "queued", is_flag=True, help="Remove all experiments that are queued.")
@click.option("--keep", is_flag=True, help="Keep the chosen experiments and remove all others.")
@click.option(
    "-g",
    "--git-remote",
    metavar="REMOTE",
    help="Remove them from this Git repository instead, given by name or address.",
)
@quiet_option("Print nothing.")
@traceback_option
def command(
    experiments: Sequence[str],
    revs: Sequence[str],
    num: int,
    all_commits: bool,
    queued: bool,
    keep: bool,
    git_remote: str | None,
    quiet: bool,
) -> int:
    """Remove EXPERIMENTS, given by name, ref or sha, or those of some commits: all of them or none.

    Only refs are removed: until Git's next garbage collection, an experiment can be had again under
    the sha that is printed, for example by `git branch NAME SHA`.
    """
    chosen = bool(revs) or all_commits
    if queued:
        if chosen or experiments or keep or git_remote:
            raise UsageError(
                "--queue cannot be given together with other experiments",
                hint="`exp queue remove` removes single ones",
            )
        dropped = Project().queue.remove(states=[State.QUEUED])
        if not quiet:
            _tell([f"Removed '{task.name}' from the queue" for task in dropped])
        return 0
    if bool(experiments) == chosen:
        raise UsageError(
            "the experiments to remove are given twice"
            if chosen
            else "it is not said which experiments to remove",
            hint="give either names, or --rev COMMIT, or -A for all there are",
        )
    selection = Selection(tuple(revs), num, all_commits) if chosen else None
    removed = Project().remove_experiments(experiments, selection, keep=keep, remote=git_remote)
    if not quiet:
        _tell([f"Removed '{each.name}' ({each.rev[:7]})" for each in removed])
    return 0


def _tell(lines: Sequence[str]) -> None:
    print("\n".join(lines or ["There was nothing to remove"]))

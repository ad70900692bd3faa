"""``exp remove``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from redoit.api import Project
from redoit.cli import complete
from redoit.cli.options import RunCommand, quiet_option, traceback_option
from redoit.cli.selection import selection_options
from redoit.errors import UsageError
from redoit.experiments.refs import Selection


@click.command("remove", cls=RunCommand)
@click.argument("experiments", nargs=-1, shell_complete=complete.experiments)
@selection_options("Remove")
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
    keep: bool,
    git_remote: str | None,
    quiet: bool,
) -> int:
    """Remove EXPERIMENTS, given by name, ref or sha, or those of some commits: all of them or none.

    Only refs are removed: until Git's next garbage collection, an experiment can be had again under
    the sha that is printed, for example by `git branch NAME SHA`.
    """
    chosen = bool(revs) or all_commits
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
        for each in removed:
            print(f"Removed '{each.name}' ({each.rev[:7]})")
        if not removed:
            print("There was nothing to remove")
    return 0

"""``exp rename``."""

from __future__ import annotations

import click

from redoit.api import Project
from redoit.cli import complete
from redoit.cli.options import quiet_option, traceback_option


@click.command("rename")
@click.argument("experiment", shell_complete=complete.experiments)
@click.argument("name")
@click.option("-f", "--force", is_flag=True, help="Replace an experiment that has that name.")
@click.option(
    "-g",
    "--git-remote",
    metavar="REMOTE",
    help="Rename it in this Git repository instead, given by name or address.",
)
@quiet_option("Print nothing.")
@traceback_option
def command(experiment: str, name: str, force: bool, git_remote: str | None, quiet: bool) -> int:
    """Give EXPERIMENT, a name, ref or sha, the name NAME. Its commit stays the same."""
    renamed = Project().rename_experiment(experiment, name, force=force, remote=git_remote)
    if not quiet:
        print(f"Experiment '{renamed.name}' ({renamed.rev[:7]}), formerly '{experiment}'")
    return 0

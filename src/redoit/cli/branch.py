"""``exp branch``."""

from __future__ import annotations

import click

from redoit.api import Project
from redoit.cli import complete
from redoit.cli.options import quiet_option, traceback_option


@click.command("branch")
@click.argument("experiment", shell_complete=complete.experiments)
@click.argument("branch", required=False)
@quiet_option("Print nothing.")
@traceback_option
def command(experiment: str, branch: str | None, quiet: bool) -> int:
    """Make a Git branch of EXPERIMENT, a name, ref or sha.

    It is called BRANCH, or else as the experiment with '-branch' behind. Nothing is checked out.
    """
    found, name = Project().branch(experiment, branch)
    if not quiet:
        print(f"Branch '{name}' ({found.rev[:7]}) of experiment '{found.name}'")
        print(f"To go there: git checkout {name}")
    return 0

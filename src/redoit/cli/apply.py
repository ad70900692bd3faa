"""``exp apply``."""

from __future__ import annotations

import os

import click

from redoit.api import Project
from redoit.cli import complete
from redoit.cli.options import quiet_option, traceback_option
from redoit.experiments.apply import Applied
from redoit.printable import printable
from redoit.report.words import count


@click.command("apply")
@click.argument("experiment", shell_complete=complete.experiments)
@click.option(
    "--force/--no-force",
    default=False,
    help="Overwrite edits that are recorded nowhere, and keep a copy; without it, stop and name them "
    "(default).",
)
@quiet_option("Print nothing.")
@traceback_option
def command(experiment: str, force: bool, quiet: bool) -> int:
    """Make the workspace what EXPERIMENT, a name, ref or sha, recorded.

    Files, params and outputs become as they were after it; files that it deleted are deleted. Your
    branch, your index and files that it does not know stay as they are. An edit is recorded if HEAD
    or any experiment has it; the copies of others are made in .dvc/tmp/redoit/backup.
    """
    applied = Project().apply(experiment, force=force)
    if not quiet:
        named = f"'{applied.experiment.name}' ({applied.experiment.rev[:7]})"
        done = _done(applied)
        print(f"Applied {named}: {done}" if done else f"The workspace is {named} already")
        if applied.backup is not None:
            print(f"What was in the way is in {printable(os.path.relpath(applied.backup))}")
    return 0


def _done(applied: Applied) -> str:
    parts = [
        f"{count(len(applied.written), 'file')} written" if applied.written else "",
        f"{count(len(applied.deleted), 'file')} deleted" if applied.deleted else "",
        f"{count(len(applied.outs), 'output')} from the cache" if applied.outs else "",
    ]
    return ", ".join(part for part in parts if part)

"""``exp clean``."""

from __future__ import annotations

import click

from redoit.api import Project
from redoit.cli.options import quiet_option, traceback_option
from redoit.report.words import count


@click.command("clean")
@quiet_option("Print nothing.")
@traceback_option
def command(quiet: bool) -> int:
    """Remove the temporary files that killed commands left behind.

    Experiments, the cache and what `exp apply --force` has kept stay.
    """
    removed = Project().clean()
    if not quiet:
        print(
            f"Removed {count(len(removed), 'leftover')}: {', '.join(removed)}"
            if removed
            else "There was nothing to remove"
        )
    return 0

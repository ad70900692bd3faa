"""``exp status``."""

from __future__ import annotations

import json
import os
import sys

import click

from redoit.api import Project
from redoit.cli.options import quiet_option, targets_argument, verbose_option
from redoit.report.status import status_json, status_lines
from redoit.report.words import Paint, wants_colour


@click.command("status")
@targets_argument
@click.option("--json", "as_json", is_flag=True, help="Print JSON: every stage, every reason.")
@quiet_option("Print nothing; exit with 1 if a stage would run.")
@verbose_option("List every stage; show a traceback with every error.")
def command(targets: tuple[str, ...], as_json: bool, quiet: bool, verbose: int) -> int:
    """Show which stages would run, and why in a word.

    TARGETS are as for `exp run`. Runs nothing and changes nothing. `exp why` tells more.
    """
    rows = Project().status(targets, cwd=os.getcwd())
    if quiet:
        return int(any(row.reasons for row in rows))
    if as_json:
        print(json.dumps(status_json(rows), indent=2))
    else:
        paint = Paint(wants_colour(sys.stdout))
        print("\n".join(status_lines(rows, paint, verbose=verbose > 0)))
    return 0

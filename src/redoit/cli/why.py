"""``exp why``."""

from __future__ import annotations

import os
import sys

import click

from redoit.api import Project
from redoit.cli import complete
from redoit.cli.options import traceback_option
from redoit.report.status import why_lines
from redoit.report.words import Paint, wants_colour


@click.command("why")
@click.argument("stage", shell_complete=complete.stages)
@traceback_option
def command(stage: str) -> int:
    """Show in full why STAGE would run.

    Every reason by name: the command with a diff, each file with its old and new digest, each
    param with its old and new value. STAGE may be a foreach or matrix group, or a dvc.yaml.
    """
    paint = Paint(wants_colour(sys.stdout))
    rows = Project().why(stage, cwd=os.getcwd())
    print("\n".join(line for row in rows for line in why_lines(row, paint)))
    return 0

"""``exp dag``."""

from __future__ import annotations

import os

import click

from redoit.api import Project
from redoit.cli.options import targets_argument, traceback_option
from redoit.errors import UsageError
from redoit.report import dag


@click.command("dag")
@targets_argument
@click.option("--mermaid", is_flag=True, help="Print a Mermaid flowchart.")
@click.option("--dot", is_flag=True, help="Print a graph for Graphviz.")
@click.option("--full", is_flag=True, help="Draw each member of a foreach or matrix group.")
@traceback_option
def command(targets: tuple[str, ...], mermaid: bool, dot: bool, full: bool) -> int:
    """Draw the stages and what they depend on.

    With TARGETS, only these and what they depend on. A stage is drawn below all that it depends
    on; a graph too wide for that is listed by level. ○ is a .dvc file, ● a stage.
    """
    if mermaid and dot:
        raise UsageError(
            "--mermaid and --dot cannot be given together", hint="leave one of them out"
        )
    plan = Project().dag(targets, cwd=os.getcwd())
    stages = {stage.address: stage for stage in plan.stages}
    picture = dag.picture(stages, plan.upstream, full=full)
    lines = dag.mermaid if mermaid else dag.dot if dot else dag.text
    print("\n".join(lines(picture)))
    return 0

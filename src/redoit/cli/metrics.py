"""``exp metrics``."""

from __future__ import annotations

import click

from redoit.cli import complete
from redoit.cli.options import traceback_option
from redoit.cli.values import DiffCommand, commit_options, diff, form_options, show, wanted_of
from redoit.experiments.overview import Asked
from redoit.experiments.values import Kind
from redoit.report.experiments import PRECISION

_recursive = click.option(
    "-R",
    "--recursive",
    is_flag=True,
    expose_value=False,
    help="Directories among the targets are searched, also without this option.",
)
_precision = click.option(
    "--precision",
    type=click.IntRange(min=1),
    default=PRECISION,
    metavar="N",
    help=f"Significant digits of a number (default: {PRECISION}).",
)


@click.group("metrics")
def command() -> None:
    """Show metrics, and how they differ."""


@command.command("show")
@click.argument("targets", nargs=-1)
@commit_options
@form_options("what `dvc metrics show` prints")
@_recursive
@_precision
@traceback_option
def _show(
    targets: tuple[str, ...],
    all_branches: bool,
    all_tags: bool,
    all_commits: bool,
    as_json: bool,
    as_markdown: bool,
    precision: int,
) -> int:
    """Show the metrics of the workspace, and of commits.

    TARGETS are metrics files or directories with them, tracked or not; by default all metrics of
    the project. The workspace is left out if its metrics are those of the branch.
    """
    asked = Asked(all_branches=all_branches, all_tags=all_tags, all_commits=all_commits)
    wanted = wanted_of(Kind.METRICS, targets)
    return show(wanted, asked, precision=precision, as_json=as_json, as_markdown=as_markdown)


@command.command("diff", cls=DiffCommand)
@click.argument("a_rev", required=False, shell_complete=complete.revisions)
@click.argument("b_rev", required=False, shell_complete=complete.revisions)
@click.option(
    "--targets",
    multiple=True,
    metavar="PATH...",
    help="Only these metrics files, tracked or not; a directory means the files in it.",
)
@_recursive
@click.option("--all", "unchanged", is_flag=True, help="Show metrics that are equal too.")
@form_options("what `dvc metrics diff` prints")
@click.option("--no-path", is_flag=True, help="Leave out the files that the values are from.")
@_precision
@traceback_option
def _diff(
    a_rev: str | None,
    b_rev: str | None,
    targets: tuple[str, ...],
    unchanged: bool,
    as_json: bool,
    as_markdown: bool,
    no_path: bool,
    precision: int,
) -> int:
    """Show how metrics changed from A_REV to B_REV.

    Both are experiments, commits, branches, tags, or "workspace". Without B_REV it is the
    workspace, without A_REV too it is compared with HEAD.
    """
    return diff(
        wanted_of(Kind.METRICS, targets),
        a_rev,
        b_rev,
        unchanged=unchanged,
        precision=precision,
        no_path=no_path,
        as_json=as_json,
        as_markdown=as_markdown,
    )

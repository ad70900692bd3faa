"""``exp params``."""

from __future__ import annotations

import click

from redoit.cli import complete
from redoit.cli.options import traceback_option
from redoit.cli.values import DiffCommand, commit_options, diff, form_options, show, wanted_of
from redoit.experiments.overview import Asked
from redoit.experiments.values import Kind
from redoit.report.experiments import PRECISION

_deps = click.option("--deps", "deps_only", is_flag=True, help="Only params that stages depend on.")


@click.group("params")
def command() -> None:
    """Show params, and how they differ."""


@command.command("show")
@click.argument("targets", nargs=-1)
@commit_options
@_deps
@form_options("of the shape of `dvc metrics show`")
@traceback_option
def _show(
    targets: tuple[str, ...],
    all_branches: bool,
    all_tags: bool,
    all_commits: bool,
    deps_only: bool,
    as_json: bool,
    as_markdown: bool,
) -> int:
    """Show the params of the workspace, and of commits.

    TARGETS are params files or directories with them, tracked or not; by default all that stages
    depend on, and those that stand at the top of a dvc.yaml.
    """
    asked = Asked(all_branches=all_branches, all_tags=all_tags, all_commits=all_commits)
    wanted = wanted_of(Kind.PARAMS, targets, deps_only=deps_only)
    return show(wanted, asked, precision=None, as_json=as_json, as_markdown=as_markdown)


@command.command("diff", cls=DiffCommand)
@click.argument("a_rev", required=False, shell_complete=complete.revisions)
@click.argument("b_rev", required=False, shell_complete=complete.revisions)
@click.option(
    "--targets",
    multiple=True,
    metavar="PATH...",
    help="Only these params files, tracked or not; a directory means the files in it.",
)
@click.option("--all", "unchanged", is_flag=True, help="Show params that are equal too.")
@_deps
@form_options("what `dvc params diff` prints")
@click.option("--no-path", is_flag=True, help="Leave out the files that the values are from.")
@traceback_option
def _diff(
    a_rev: str | None,
    b_rev: str | None,
    targets: tuple[str, ...],
    unchanged: bool,
    deps_only: bool,
    as_json: bool,
    as_markdown: bool,
    no_path: bool,
) -> int:
    """Show how params changed from A_REV to B_REV.

    Both are experiments, commits, branches, tags, or "workspace". Without B_REV it is the
    workspace, without A_REV too it is compared with HEAD.
    """
    return diff(
        wanted_of(Kind.PARAMS, targets, deps_only=deps_only),
        a_rev,
        b_rev,
        unchanged=unchanged,
        precision=PRECISION,
        no_path=no_path,
        as_json=as_json,
        as_markdown=as_markdown,
    )

"""``exp show``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

import click

from redoit.api import Project
from redoit.cli.options import one_of, traceback_option
from redoit.cli.selection import selection_options
from redoit.experiments.overview import Asked
from redoit.printable import printable
from redoit.report import experiments, grid, pager
from redoit.report.experiments_json import to_json
from redoit.report.words import Paint, wants_colour


@click.command("show")
@selection_options("Show", " (default: HEAD)")
@click.option("-a", "--all-branches", is_flag=True, help="Show the tips of all Git branches.")
@click.option("-T", "--all-tags", is_flag=True, help="Show all commits that have a Git tag.")
@click.option("--only-changed", is_flag=True, help="Only columns whose values are not all equal.")
@click.option(
    "--drop",
    multiple=True,
    metavar="REGEX",
    help="Leave out columns whose name starts with a match of REGEX; may be given several times.",
)
@click.option(
    "--keep",
    multiple=True,
    metavar="REGEX",
    help="Keep such columns, whatever --drop and --only-changed say.",
)
@click.option("--param-deps", is_flag=True, help="Only params that stages depend on.")
@click.option(
    "--sort-by",
    metavar="COLUMN",
    help="Sort the experiments of each baseline by a metric or param: KEY or FILE:KEY.",
)
@click.option(
    "--sort-order",
    type=click.Choice(("asc", "desc")),
    default="asc",
    help="Which come first with --sort-by: the smallest (asc, default) or the largest.",
)
@click.option("--sha", is_flag=True, help="Show commits, not the names of branches and tags.")
@click.option("--hide-workspace", is_flag=True, help="Leave out the row of the workspace.")
@click.option("--hide-queued", is_flag=True, help="Leave out experiments that are queued.")
@click.option("--hide-failed", is_flag=True, help="Leave out experiments that have failed.")
@click.option(
    "--precision",
    type=click.IntRange(min=1),
    metavar="N",
    help="Significant digits of a number (default: 5; with --csv all).",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: what `dvc exp show` prints.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
@click.option("--md", "as_markdown", is_flag=True, help="Print a Markdown table.")
@click.option("--no-pager", is_flag=True, help="Print a long table without a pager.")
@click.option(
    "-f", "--force", is_flag=True, help="Read all commits anew, also those that were read before."
)
@click.option(
    "--no-fetch",
    is_flag=True,
    help="Taken as DVC takes it: nothing is ever fetched for this table.",
)
@traceback_option
def command(
    revs: Sequence[str],
    num: int,
    all_branches: bool,
    all_tags: bool,
    all_commits: bool,
    only_changed: bool,
    drop: Sequence[str],
    keep: Sequence[str],
    param_deps: bool,
    sort_by: str | None,
    sort_order: str,
    sha: bool,
    hide_workspace: bool,
    hide_queued: bool,
    hide_failed: bool,
    precision: int | None,
    as_json: bool,
    as_csv: bool,
    as_markdown: bool,
    no_pager: bool,
    force: bool,
    no_fetch: bool,  # noqa: ARG001 - editors' extensions pass it
) -> int:
    """Show the experiments as a table, with their metrics, params and deps.

    The workspace comes first, then HEAD, or the commits that are asked for, each with the
    experiments that started from it, the newest first. On a terminal a table that is too wide
    goes on below; one that is too long is shown by DVC_PAGER, PAGER or less.
    """
    one_of(("--json", as_json), ("--csv", as_csv), ("--md", as_markdown))
    asked = Asked(tuple(revs), num, all_branches, all_tags, all_commits)
    shown = Project().overview(
        asked,
        hide_workspace=hide_workspace,
        hide_queued=hide_queued,
        hide_failed=hide_failed,
        sha_only=sha,
        fresh=force,
    )
    if as_json:
        print(json.dumps(to_json(shown, param_deps=param_deps)))
        return 0
    view = experiments.View(
        only_changed,
        tuple(drop),
        tuple(keep),
        param_deps,
        sort_by,
        sort_order == "desc",
        precision or (None if as_csv else experiments.PRECISION),
    )
    table = experiments.build(shown, view)
    if as_csv:
        print(grid.comma_separated(*experiments.csv_rows(table, view)), end="")
    elif as_markdown:
        print("\n".join(grid.markdown(*experiments.markdown_rows(table, view))))
    else:
        drawn = experiments.grid(table, view, Paint(wants_colour(sys.stdout)))
        pager.show(
            lambda: grid.blocks(drawn, pager.terminal_width()),
            lambda: grid.text(drawn),
            paged=not no_pager,
            environ=os.environ,
        )
    for line in experiments.unreadable(table):
        print(printable(f"warning: {line}"), file=sys.stderr)
    return 0

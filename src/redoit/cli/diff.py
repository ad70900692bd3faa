"""``exp diff``."""

from __future__ import annotations

import json
import sys

import click

from redoit.api import Project
from redoit.cli import complete
from redoit.cli.options import one_of, traceback_option
from redoit.printable import printable
from redoit.report.compare import comparison_json, comparison_lines, comparison_markdown
from redoit.report.experiments import PRECISION
from redoit.report.pager import terminal_width
from redoit.report.words import Paint, is_terminal, wants_colour


@click.command("diff")
@click.argument("a_rev", required=False, shell_complete=complete.revisions)
@click.argument("b_rev", required=False, shell_complete=complete.revisions)
@click.option(
    "--all", "unchanged", is_flag=True, help="Show metrics and params that are equal too."
)
@click.option("--param-deps", is_flag=True, help="Only params that stages depend on.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: what `dvc exp diff` prints.")
@click.option("--md", "as_markdown", is_flag=True, help="Print Markdown tables.")
@click.option("--no-path", is_flag=True, help="Leave out the files that the values are from.")
@click.option(
    "--precision",
    type=click.IntRange(min=1),
    default=PRECISION,
    metavar="N",
    help=f"Significant digits of a metric (default: {PRECISION}).",
)
@traceback_option
def command(
    a_rev: str | None,
    b_rev: str | None,
    unchanged: bool,
    param_deps: bool,
    as_json: bool,
    as_markdown: bool,
    no_path: bool,
    precision: int,
) -> int:
    """Show what changed in metrics and params from A_REV to B_REV.

    Both are experiments, commits, branches, tags, or "workspace". Without B_REV it is the
    workspace, without A_REV too it is compared with HEAD.
    """
    one_of(("--json", as_json), ("--md", as_markdown))
    found = Project().compare(a_rev, b_rev, unchanged=unchanged, param_deps=param_deps)
    old, new = a_rev or "HEAD", b_rev or "workspace"
    for name, revision in ((old, found.old), (new, found.new)):
        if revision.problem is not None:
            print(
                printable(f"warning: {name} cannot be read: {revision.problem.what}"),
                file=sys.stderr,
            )
    if as_json:
        print(json.dumps(comparison_json(found)))
    elif as_markdown:
        lines = comparison_markdown(found, old, new, precision=precision, with_path=not no_path)
        print("\n".join(lines))
    else:
        lines = comparison_lines(
            found,
            old,
            new,
            precision=precision,
            with_path=not no_path,
            paint=Paint(wants_colour(sys.stdout)),
            room=terminal_width() if is_terminal(sys.stdout) else None,
        )
        print("\n".join(lines))
    return 0

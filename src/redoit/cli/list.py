"""``exp list``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from redoit.api import Project
from redoit.cli.options import quiet_option, traceback_option
from redoit.cli.selection import selection_options
from redoit.errors import UsageError
from redoit.experiments.refs import Selection


@click.command("list")
@click.argument("git_remote", required=False)
@selection_options("List", " (default: HEAD)")
@click.option(
    "--name-only", "--names-only", "name_only", is_flag=True, help="Print names, nothing else."
)
@click.option(
    "--sha-only", "--shas-only", "sha_only", is_flag=True, help="Print commits, nothing else."
)
@quiet_option("Print nothing; exit with 1 if there is an error.")
@traceback_option
def command(
    git_remote: str | None,
    revs: Sequence[str],
    num: int,
    all_commits: bool,
    name_only: bool,
    sha_only: bool,
    quiet: bool,
) -> int:
    """List the experiments that started from HEAD, or from other commits, the newest first.

    GIT_REMOTE, the name or address of a Git repository, lists those that are there.
    """
    if name_only and sha_only:
        raise UsageError(
            "--name-only and --sha-only cannot be given together", hint="leave one of them out"
        )
    project = Project()
    found = project.experiments(Selection(tuple(revs) or ("HEAD",), num, all_commits), git_remote)
    if quiet:
        return 0
    plain = name_only or sha_only
    names = {} if plain else project.names_of_commits()
    last = None
    for each in found:
        if plain:
            print(each.rev if sha_only else each.name)
            continue
        if each.baseline != last:
            print(f"{names.get(each.baseline, each.baseline[:7])}:")
            last = each.baseline
        print(f"\t{each.rev[:7]} [{each.name}]")
    return 0

"""``exp data checkout``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from redoit.api import Project
from redoit.cli.data_options import RECURSIVE, WITH_DEPS, data_request, data_targets
from redoit.cli.options import quiet_option, traceback_option
from redoit.data.checkout import CheckedOut
from redoit.printable import quoted
from redoit.report.words import count

FORCE = click.option(
    "-f",
    "--force",
    is_flag=True,
    help="Overwrite changed data that the cache does not have.",
)


@click.command("checkout")
@data_targets
@WITH_DEPS
@RECURSIVE
@FORCE
@click.option(
    "--relink", is_flag=True, help="Link also unchanged data anew, as cache.type says now."
)
@click.option(
    "--allow-missing", is_flag=True, help="It is no error if the cache lacks some of the data."
)
@click.option("--summary", is_flag=True, help="Count instead of listing paths.")
@quiet_option("Print nothing.")
@traceback_option
def checkout(
    targets: Sequence[str],
    with_deps: bool,
    recursive: bool,
    force: bool,
    relink: bool,
    allow_missing: bool,
    summary: bool,
    quiet: bool,
) -> int:
    """Make the workspace hold the data that dvc.lock and .dvc files record.

    TARGETS are as for `exp data push`. Changed data that the cache does not have are not overwritten.
    """
    request = data_request(targets, with_deps=with_deps, recursive=recursive)
    done = Project().data.checkout(request, force=force, relink=relink, allow_missing=allow_missing)
    tell_checkout(done, quiet=quiet, summary=summary)
    return 0


def tell_checkout(done: CheckedOut, *, quiet: bool, summary: bool = False) -> None:
    """Print what a checkout did."""
    if quiet:
        return
    if not summary:
        for letter, paths in (("A", done.added), ("M", done.modified)):
            for path in paths:
                print(f"{letter}\t{quoted(path)}")
    parts = [
        f"{count(len(paths), 'path')} {what}"
        for paths, what in (
            (done.added, "added"),
            (done.modified, "modified"),
            (done.missing, "not in the cache"),
        )
        if paths
    ]
    if summary or not done.changed:
        print(", ".join(parts) or "The workspace is as recorded")

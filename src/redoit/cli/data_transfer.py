"""``exp data push``, ``fetch`` and ``pull``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from redoit.api import Project
from redoit.cli.data_options import data_targets, transfer_options, transfer_request
from redoit.cli.data_workspace import FORCE, tell_checkout
from redoit.cli.options import quiet_option, traceback_option
from redoit.data.transfer import Transferred
from redoit.model import OutKind
from redoit.printable import printable
from redoit.report.transfer import TransferLine, size_text
from redoit.report.words import count

_QUIET = quiet_option("Print nothing.")


@click.command("push")
@data_targets
@transfer_options
@_QUIET
@traceback_option
def push(quiet: bool, **options: Any) -> int:
    """Send data to a remote: what the cache has of it, and the remote lacks.

    TARGETS are files and directories that are data, paths inside of such a directory, stages, and .dvc
    files; by default all data of the project.
    """
    meter = TransferLine(sys.stderr, quiet=quiet)
    _tell(Project().data.push(transfer_request(**options), meter), "sent", quiet)
    return 0


@click.command("fetch")
@data_targets
@transfer_options
@click.option(
    "--max-size",
    type=click.IntRange(min=1),
    metavar="BYTES",
    help="Get only files and directories that are smaller.",
)
@click.option(
    "--type",
    "kinds",
    multiple=True,
    type=click.Choice([OutKind.METRIC.value, OutKind.PLOT.value]),
    help="Get only metrics, or only plots; may be given twice.",
)
@_QUIET
@traceback_option
def fetch(quiet: bool, max_size: int | None, kinds: Sequence[str], **options: Any) -> int:
    """Get data from a remote into the cache; the workspace stays as it is.

    TARGETS are as for `exp data push`.
    """
    meter = TransferLine(sys.stderr, quiet=quiet)
    request = transfer_request(**options)
    request = request._replace(max_size=max_size, kinds=tuple(OutKind(kind) for kind in kinds))
    _tell(Project().data.fetch(request, meter), "got", quiet)
    return 0


@click.command("pull")
@data_targets
@transfer_options
@FORCE
@click.option(
    "--allow-missing", is_flag=True, help="It is no error if the remote lacks some of the data."
)
@_QUIET
@traceback_option
def pull(quiet: bool, force: bool, allow_missing: bool, **options: Any) -> int:
    """Get data from a remote into the cache, and put them into the workspace.

    TARGETS are as for `exp data push`. What is in the way and not in the cache is not overwritten.
    """
    meter = TransferLine(sys.stderr, quiet=quiet)
    pulled = Project().data.pull(
        transfer_request(**options), meter, force=force, allow_missing=allow_missing
    )
    _tell(pulled.transferred, "got", quiet)
    tell_checkout(pulled.workspace, quiet=quiet)
    return 0


def _tell(done: Transferred, verb: str, quiet: bool) -> None:
    for warning in done.warnings:
        print(printable(f"warning: {warning}"), file=sys.stderr)
    if quiet:
        return
    moved = done.moved
    if moved.files:
        print(f"{count(moved.files, 'file')} {verb}, {size_text(moved.size)}")
    else:
        print("Everything is there already")

"""``exp data add``, ``commit``, ``remove`` and ``move``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from redoit.api import Project
from redoit.cli.data_options import (
    GLOB,
    RECURSIVE,
    REMOTE,
    WITH_DEPS,
    data_request,
    data_targets,
)
from redoit.cli.options import quiet_option, traceback_option
from redoit.data.bring import BringRequest
from redoit.errors import UsageError
from redoit.printable import quoted
from redoit.report.transfer import TransferLine
from redoit.report.words import some

_QUIET = quiet_option("Print nothing.")
_RELINK = click.option(
    "--no-relink",
    is_flag=True,
    help="Leave the data the files that they are, instead of linking them to the cache.",
)
_FILES = click.argument("targets", nargs=-1, required=True, type=click.Path(), metavar="TARGETS...")


@click.command("add")
@_FILES
@GLOB
@click.option(
    "--no-commit", is_flag=True, help="Leave the data out of the cache; only record them."
)
@_RELINK
@click.option(
    "-o",
    "--out",
    metavar="PATH",
    type=click.Path(),
    help="Copy the target to PATH and add that: the target may lie anywhere on this machine.",
)
@click.option(
    "--to-remote",
    is_flag=True,
    help="Send the target to a remote and record it; neither workspace nor cache get it.",
)
@REMOTE
@click.option(
    "-j",
    "--jobs",
    "--remote-jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="With --to-remote: send up to N files at the same time.",
)
@click.option("-f", "--force", is_flag=True, help="Replace what is there, with -o or --to-remote.")
@_QUIET
@traceback_option
def add(
    targets: Sequence[str],
    glob: bool,
    no_commit: bool,
    no_relink: bool,
    out: str | None,
    to_remote: bool,
    remote: str | None,
    jobs: int | None,
    force: bool,
    quiet: bool,
) -> int:
    """Put files and directories under .dvc files: Git keeps those, the cache keeps the data.

    Adding what is data already records it as it is now.
    """
    if (remote or jobs) and not to_remote:
        raise UsageError("-r and -j are for --to-remote", hint="give that too, or leave them out")
    if out is not None and len(targets) > 1:
        raise UsageError("--out is for one target", hint="add the others by commands of their own")
    if to_remote and (no_commit or glob):
        raise UsageError("--to-remote goes neither with --no-commit nor with --glob")
    data = Project().data
    if out is None and not to_remote:
        request = data_request(targets, glob=glob)
        done = data.add(request, no_commit=no_commit, relink=not no_relink)
    else:
        meter = TransferLine(sys.stderr, quiet=quiet)
        whole = BringRequest("", out, os.getcwd(), to_remote, remote, jobs or 0, force)
        whole = whole._replace(no_commit=no_commit, relink=not no_relink)
        done = [data.bring(whole._replace(source=target), meter) for target in targets]
    if not quiet:
        for each in done:
            print(f"{'Added' if each.changed else 'Unchanged:'} {quoted(each.file)}")
    return 0


@click.command("commit")
@data_targets
@click.option(
    "-f",
    "--force",
    is_flag=True,
    help="Also of stages whose command, deps or params have changed, as if they had run.",
)
@WITH_DEPS
@RECURSIVE
@_RELINK
@_QUIET
@traceback_option
def commit(
    targets: Sequence[str],
    force: bool,
    with_deps: bool,
    recursive: bool,
    no_relink: bool,
    quiet: bool,
) -> int:
    """Record data that were changed by hand, and put them into the cache.

    TARGETS are data, stages and .dvc files; by default all.
    """
    request = data_request(targets, with_deps=with_deps, recursive=recursive)
    done = Project().data.commit(request, force=force, relink=not no_relink)
    if not quiet:
        print(f"Recorded {some(done, 8)}" if done else "Nothing has changed")
    return 0


@click.command("remove")
@_FILES
@click.option("--outs", is_flag=True, help="Also remove data and outs from the workspace.")
@_QUIET
@traceback_option
def remove(targets: Sequence[str], outs: bool, quiet: bool) -> int:
    """Remove .dvc files and stages. Their data stay in the workspace and the cache.

    TARGETS are .dvc files, the data that they describe, and stages and groups of stages: those go from dvc.yaml and dvc.lock.
    """
    done = Project().data.remove(data_request(targets), outs=outs)
    if not quiet:
        for address in done:
            print(f"Removed {quoted(address)}")
    return 0


@click.command("move")
@click.argument("source", type=click.Path())
@click.argument("target", type=click.Path())
@_QUIET
@traceback_option
def move(source: str, target: str, quiet: bool) -> int:
    """Give data another path, with their .dvc file and their line in .gitignore.

    TARGET may be a directory to move into.
    """
    old, new = Project().data.move(source, target, os.getcwd())
    if not quiet:
        print(f"Moved {quoted(old)} to {quoted(new)}")
    return 0

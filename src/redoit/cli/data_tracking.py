"""``exp data add``, ``commit``, ``remove`` and ``move``."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from redoit.api import Project
from redoit.cli.data_options import GLOB, RECURSIVE, WITH_DEPS, data_request, data_targets
from redoit.cli.options import quiet_option, traceback_option
from redoit.report.words import some

_QUIET = quiet_option("Print nothing.")
_FILES = click.argument("targets", nargs=-1, required=True, type=click.Path(), metavar="TARGETS...")


@click.command("add")
@_FILES
@GLOB
@click.option(
    "--no-commit", is_flag=True, help="Leave the data out of the cache; only record them."
)
@_QUIET
@traceback_option
def add(targets: Sequence[str], glob: bool, no_commit: bool, quiet: bool) -> int:
    """Put files and directories under .dvc files: Git keeps those, the cache keeps the data.

    Adding what is data already records it as it is now.
    """
    done = Project().data.add(data_request(targets, glob=glob), no_commit=no_commit)
    if not quiet:
        for each in done:
            print(f"{'Added' if each.changed else 'Unchanged:'} {each.file}")
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
@_QUIET
@traceback_option
def commit(
    targets: Sequence[str], force: bool, with_deps: bool, recursive: bool, quiet: bool
) -> int:
    """Record data that were changed by hand, and put them into the cache.

    TARGETS are data, stages and .dvc files; by default all.
    """
    request = data_request(targets, with_deps=with_deps, recursive=recursive)
    done = Project().data.commit(request, force=force)
    if not quiet:
        print(f"Recorded {some(done, 8)}" if done else "Nothing has changed")
    return 0


@click.command("remove")
@_FILES
@click.option("--outs", is_flag=True, help="Also remove the data from the workspace.")
@_QUIET
@traceback_option
def remove(targets: Sequence[str], outs: bool, quiet: bool) -> int:
    """Remove .dvc files. The data stay in the workspace and the cache.

    TARGETS are .dvc files, or the data that they describe.
    """
    done = Project().data.remove(data_request(targets), outs=outs)
    if not quiet:
        for file in done:
            print(f"Removed {file}")
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
        print(f"Moved {old} to {new}")
    return 0

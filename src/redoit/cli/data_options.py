"""Options that several ``exp data`` commands share."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from redoit.cli import complete
from redoit.data.targets import DataRequest
from redoit.data.transfer import TransferRequest
from redoit.data.used import Commits

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

WITH_DEPS = click.option(
    "-d",
    "--with-deps",
    is_flag=True,
    help="Also the data of all stages that the targets depend on.",
)
RECURSIVE = click.option(
    "-R",
    "--recursive",
    is_flag=True,
    help="Targets may be directories: all data in and below them.",
)
GLOB = click.option("--glob", is_flag=True, help="Targets may hold *, ? and [...].")
REMOTE = click.option(
    "-r",
    "--remote",
    metavar="NAME",
    shell_complete=complete.remotes,
    help="The remote (default: that of the out, else the default remote).",
)
JOBS = click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Move up to N files at the same time (default: the remote's jobs, or 4 for each processor; in a folder of this machine fewer).",
)
_TRANSFER: Sequence[Callable[[Any], Any]] = (
    REMOTE,
    JOBS,
    click.option("-a", "--all-branches", is_flag=True, help="Also the data of all branches."),
    click.option("-T", "--all-tags", is_flag=True, help="Also the data of all tags."),
    click.option("-A", "--all-commits", is_flag=True, help="Also the data of all commits."),
    WITH_DEPS,
    RECURSIVE,
    GLOB,
    click.option(
        "--run-cache/--no-run-cache",
        default=False,
        help="Also the run cache: the outputs of earlier runs (default: no).",
    ),
)


def transfer_options(command: Decorated) -> Decorated:
    """The options that push, fetch and pull have in common."""
    for option in reversed(_TRANSFER):
        command = option(command)
    return command


def data_targets(command: Decorated) -> Decorated:
    """``TARGETS``: data and stages."""
    return click.argument("targets", nargs=-1, shell_complete=complete.stages)(command)


def data_request(
    targets: Sequence[str],
    *,
    with_deps: bool = False,
    recursive: bool = False,
    glob: bool = False,
) -> DataRequest:
    """The targets of a command, relative to the working directory."""
    return DataRequest(tuple(targets), os.getcwd(), with_deps, recursive, glob)


def transfer_request(
    *,
    targets: Sequence[str],
    remote: str | None,
    jobs: int | None,
    all_branches: bool,
    all_tags: bool,
    all_commits: bool,
    with_deps: bool,
    recursive: bool,
    glob: bool,
    run_cache: bool,
) -> TransferRequest:
    """The command line of push, fetch or pull."""
    return TransferRequest(
        data_request(targets, with_deps=with_deps, recursive=recursive, glob=glob),
        Commits(all_branches, all_tags, all_commits),
        remote,
        jobs or 0,
        run_cache,
    )

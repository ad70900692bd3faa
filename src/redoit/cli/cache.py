"""``exp cache``."""

from __future__ import annotations

import sys

import click

from redoit.api import Project
from redoit.cli.options import quiet_option, traceback_option
from redoit.printable import printable
from redoit.report.words import count, some


@click.group("cache")
def command() -> None:
    """Check the cache, or change its digest."""


@command.command("dir")
@traceback_option
def folder() -> int:
    """Print where the cache is."""
    print(Project().layout.cache_dir)
    return 0


@command.command("verify")
@quiet_option("Print nothing; exit with 1 if an object is bad.")
@traceback_option
def verify(quiet: bool) -> int:
    """Read every object of the cache, and name those whose content is not their name.

    Exits with 1 if there is one.
    """
    bad = 0
    for found in Project().verify_cache():
        bad += 1
        if not quiet:
            print(printable(str(found)))
    if not quiet:
        print(f"{count(bad, 'bad object')}" if bad else "All objects are as their names say")
    return int(bad > 0)


@command.command("migrate")
@click.option(
    "--to",
    "algo",
    type=click.Choice(["md5", "xxh128"]),
    required=True,
    help="md5: for DVC; xxh128: faster, for Redoit alone.",
)
@quiet_option("Print nothing.")
@traceback_option
def migrate(algo: str, quiet: bool) -> int:
    """Give the cache, dvc.lock and .dvc files the other digest. Runs nothing.

    Exits with 1 if the content of a record is nowhere to be had.
    """
    result = Project().migrate_cache(algo)
    for path in result.lost:
        print(
            f"warning: the content of '{printable(path)}' is neither in the cache nor in the workspace; "
            "its record stays as it was",
            file=sys.stderr,
        )
    if not quiet:
        rewritten = some(result.files, 8)
        print(f"Migrated to {algo}: {rewritten}" if rewritten else f"Everything is {algo} already")
    return int(bool(result.lost))

"""``exp remote``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from redoit.api.remotes import Remotes
from redoit.cli import complete
from redoit.cli.levels import chosen_level, level_options, project_root
from redoit.cli.options import quiet_option, traceback_option
from redoit.errors import UsageError
from redoit.printable import printable
from redoit.redact import SECRETS, redacted

_QUIET = quiet_option("Print nothing.")


@click.group("remote")
def command() -> None:
    """Name the places where data are kept besides the cache.

    They stand in DVC's configuration, under DVC's names.
    """


@command.command("add")
@click.argument("name")
@click.argument("url")
@click.option("-d", "--default", is_flag=True, help="Make it the default remote.")
@click.option("-f", "--force", is_flag=True, help="Replace the remote that has the name.")
@level_options
@_QUIET
@traceback_option
def add(name: str, url: str, default: bool, force: bool, levels: Sequence[str], quiet: bool) -> int:
    """Add the remote NAME at URL: a path, s3://…, gs://…, azure://…, ssh://…, http(s)://…, webdav(s)://….

    A relative path is relative to this folder. Credentials belong into --local.
    """
    Remotes(project_root()).add(name, url, chosen_level(levels), default=default, force=force)
    if default and not quiet:
        print(f"'{name.lower()}' is the default remote")
    if redacted(url) != url and not quiet:
        _warn("the URL holds a password", f"add it with --local: {redacted(url)}", levels)
    return 0


def _warn(what: str, hint: str, levels: Sequence[str]) -> None:
    """Say that a secret has gone into the file that Git keeps, if it has."""
    if chosen_level(levels) in (None, "project"):
        print(f"warning: {what}, and stands in .dvc/config, which Git keeps", file=sys.stderr)
        print(f"  {hint}", file=sys.stderr)


@command.command("modify")
@click.argument("name", shell_complete=complete.remotes)
@click.argument("option")
@click.argument("value", required=False)
@click.option("-u", "--unset", is_flag=True, help="Remove the option.")
@level_options
@_QUIET
@traceback_option
def modify(
    name: str,
    option: str,
    value: str | None,
    unset: bool,
    levels: Sequence[str],
    quiet: bool,
) -> int:
    """Set OPTION of the remote NAME to VALUE."""
    if unset != (value is None):
        raise UsageError(
            "--unset takes no VALUE" if unset else f"the value of {option} is missing",
            hint="`exp remote modify NAME OPTION VALUE`, or `exp remote modify --unset NAME OPTION`",
        )
    Remotes(project_root()).modify(name, option, value, chosen_level(levels))
    if value is not None and option.lower() in SECRETS and not quiet:
        move = f"`exp remote modify -u {name} {option}`, and set it with --local"
        _warn(f"{option.lower()} is secret", move, levels)
    return 0


@command.command("list")
@level_options
@traceback_option
def listed(levels: Sequence[str]) -> int:
    """List the remotes with their URLs."""
    for remote in Remotes(project_root()).list(chosen_level(levels)):
        print(
            f"{remote.name}\t{printable(remote.url)}" + ("\t(default)" if remote.is_default else "")
        )
    return 0


@command.command("default")
@click.argument("name", required=False, shell_complete=complete.remotes)
@click.option("-u", "--unset", is_flag=True, help="Have no default remote any more.")
@level_options
@_QUIET
@traceback_option
def default(name: str | None, unset: bool, levels: Sequence[str], quiet: bool) -> int:
    """Make NAME the default remote; without NAME, print which one is.

    Exits with 1 if there is none to print.
    """
    if unset and name is not None:
        raise UsageError("--unset takes no NAME", hint="leave one of them out")
    remotes, level = Remotes(project_root()), chosen_level(levels)
    if name is not None or unset:
        remotes.set_default(name, level)
        return 0
    found = remotes.default(level)
    if not quiet:
        print(found or "There is no default remote")
    return int(found is None)


@command.command("rename")
@click.argument("name", shell_complete=complete.remotes)
@click.argument("new")
@level_options
@_QUIET
@traceback_option
def rename(
    name: str,
    new: str,
    levels: Sequence[str],
    quiet: bool,  # noqa: ARG001 - there is nothing to print
) -> int:
    """Give the remote NAME the name NEW."""
    Remotes(project_root()).rename(name, new, chosen_level(levels))
    return 0


@command.command("remove")
@click.argument("name", shell_complete=complete.remotes)
@level_options
@_QUIET
@traceback_option
def remove(
    name: str,
    levels: Sequence[str],
    quiet: bool,  # noqa: ARG001 - there is nothing to print
) -> int:
    """Forget the remote NAME. What lies there stays."""
    Remotes(project_root()).remove(name, chosen_level(levels))
    return 0

"""``exp config``."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from redoit.cli.levels import chosen_level, level_options, project_root
from redoit.cli.options import traceback_option
from redoit.config.edit import Option, get_option, list_options, set_option, unset_option
from redoit.errors import ConfigError, UsageError
from redoit.redact import HIDDEN, SECRETS, redacted


@click.command("config")
@click.argument("name", required=False)
@click.argument("value", required=False)
@level_options
@click.option("-l", "--list", "listing", is_flag=True, help="List what is set (also without NAME).")
@click.option("-u", "--unset", is_flag=True, help="Remove the option.")
@click.option("--show-origin", is_flag=True, help="Show the file before each value.")
@traceback_option
def command(
    name: str | None,
    value: str | None,
    levels: Sequence[str],
    listing: bool,
    unset: bool,
    show_origin: bool,
) -> int:
    """Read and change settings.

    NAME is section.option or remote.NAME.option, as for `dvc config`; redoit.hash and
    redoit.exps_dir are Redoit's own.
    Without VALUE it is printed, with VALUE it is set. --list shows passwords as ***.
    """
    _check_usage(name, value, listing=listing, unset=unset, show_origin=show_origin)
    level = chosen_level(levels)
    root = project_root()
    if name is None:
        for option in list_options(root, level):
            print(_origin(option, root, show_origin) + f"{option.name}={_listed(option)}")
    elif unset:
        unset_option(root, name, level)
    elif value is not None:
        set_option(root, name, value, level, cwd=os.getcwd())
    else:
        found = get_option(root, name, level)
        if found is None:
            where = f" on the level {level}" if level else ""
            raise ConfigError(
                f"{name} is not set{where}", hint=f"`exp config {name} VALUE` sets it"
            )
        print(_origin(found, root, show_origin) + found.value)
    return 0


def _listed(option: Option) -> str:
    """Its value, unless that is not to be seen by whoever looks at a list."""
    secret = option.name.rpartition(".")[2] in SECRETS
    return HIDDEN if secret else redacted(option.value)


def _check_usage(
    name: str | None,
    value: str | None,
    *,
    listing: bool,
    unset: bool,
    show_origin: bool,
) -> None:
    if listing and name is not None:
        raise UsageError("--list takes no NAME", hint=f"`exp config {name}` prints one option")
    if unset and (name is None or value is not None):
        raise UsageError(
            "--unset takes a NAME and no VALUE", hint="`exp config --unset core.remote`"
        )
    if show_origin and (unset or value is not None):
        raise UsageError("--show-origin is for reading", hint="leave it out")


def _origin(option: Option, root: str | None, wanted: bool) -> str:
    if not wanted:
        return ""
    inside = root is not None and option.file.startswith(f"{root}{os.sep}")
    return (os.path.relpath(option.file, root) if inside else option.file) + "\t"

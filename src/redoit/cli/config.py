"""``exp config``."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import click

from redoit.cli.options import traceback_option
from redoit.config.edit import Option, get_option, list_options, set_option, unset_option
from redoit.errors import ConfigError, NotAProject, UsageError
from redoit.project import find_layout

_LEVELS = {
    "system": "For all users of this machine.",
    "global": "For you, in all projects.",
    "project": "For the project, shared by Git: .dvc/config (the default for writing).",
    "local": "For the project on this machine: .dvc/config.local.",
}


def _level_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for name, text in reversed(_LEVELS.items()):
        command = click.option(f"--{name}", "levels", flag_value=name, multiple=True, help=text)(
            command
        )
    return command


@click.command("config")
@click.argument("name", required=False)
@click.argument("value", required=False)
@_level_options
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
    Without VALUE it is printed, with VALUE it is set.
    """
    _check_usage(name, value, levels, listing=listing, unset=unset, show_origin=show_origin)
    level = levels[0] if levels else None
    root = _root()
    if name is None:
        for option in list_options(root, level):
            print(_origin(option, root, show_origin) + f"{option.name}={option.value}")
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


def _check_usage(
    name: str | None,
    value: str | None,
    levels: Sequence[str],
    *,
    listing: bool,
    unset: bool,
    show_origin: bool,
) -> None:
    if len(set(levels)) > 1:
        raise UsageError(
            f"{' and '.join(f'--{level}' for level in levels)} cannot be given together",
            hint="choose one level",
        )
    if listing and name is not None:
        raise UsageError("--list takes no NAME", hint=f"`exp config {name}` prints one option")
    if unset and (name is None or value is not None):
        raise UsageError(
            "--unset takes a NAME and no VALUE", hint="`exp config --unset core.remote`"
        )
    if show_origin and (unset or value is not None):
        raise UsageError("--show-origin is for reading", hint="leave it out")


def _root() -> str | None:
    """The project's top folder; None outside of one, where only the user's own levels are."""
    try:
        return find_layout(os.getcwd()).root
    except NotAProject:
        return None


def _origin(option: Option, root: str | None, wanted: bool) -> str:
    if not wanted:
        return ""
    inside = root is not None and option.file.startswith(f"{root}{os.sep}")
    return (os.path.relpath(option.file, root) if inside else option.file) + "\t"

"""Options that choose one of DVC's configuration files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import click

from redoit.errors import NotAProject, UsageError
from redoit.project import find_layout

_LEVELS = {
    "system": "For all users of this machine.",
    "global": "For you, in all projects.",
    "project": "For the project, shared by Git: .dvc/config (the default for writing).",
    "local": "For the project on this machine: .dvc/config.local.",
}


def level_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--system``, ``--global``, ``--project``, ``--local``: the parameter ``levels``."""
    for name, text in reversed(_LEVELS.items()):
        command = click.option(f"--{name}", "levels", flag_value=name, multiple=True, help=text)(
            command
        )
    return command


def chosen_level(levels: Sequence[str]) -> str | None:
    """The one level that was given, or None. Raises UsageError for several."""
    if len(set(levels)) > 1:
        raise UsageError(
            f"{' and '.join(f'--{level}' for level in levels)} cannot be given together",
            hint="choose one level",
        )
    return levels[0] if levels else None


def project_root() -> str | None:
    """The project's top folder; None outside of one, where only the user's own levels are."""
    try:
        return find_layout(os.getcwd()).root
    except NotAProject:
        return None

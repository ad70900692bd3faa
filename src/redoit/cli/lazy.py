"""A group of commands whose modules are imported when one of them is called: its ``--help`` costs nothing."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import click

from redoit.errors import UsageError


class Member(NamedTuple):
    """A command of a group: what it does, and where it is."""

    help: str
    module: str
    """In this package."""
    name: str = "command"


class LazyGroup(click.Group):
    """``members``: name → Member, in the order in which they are listed."""

    def __init__(self, *args: Any, members: Mapping[str, Member], **options: Any) -> None:
        super().__init__(*args, **options)
        self.members = members

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.members)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        member = self.members.get(cmd_name)
        if member is None:
            return None
        module = importlib.import_module(f"redoit.cli.{member.module}")
        command: click.Command = getattr(module, member.name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in self.members:
            from difflib import get_close_matches

            path = ctx.command_path
            near = get_close_matches(args[0], self.members, 1)
            raise UsageError(
                f"there is no command '{' '.join([*path.split()[1:], args[0]])}'",
                hint=f"did you mean `{path} {near[0]}`?"
                if near
                else f"`{path} --help` lists them all",
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, member.help) for name, member in self.members.items()])

"""Writes ``commands.md`` beside this file from the commands themselves.

    python docs/generate_commands.py

The test-suite fails when the page is not what this writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from redoit.cli.main import cli

PAGE = Path(__file__).with_name("commands.md")

_HEAD = """\
# Commands

Written by `docs/generate_commands.py` from the commands themselves; `exp COMMAND --help` says the same.

Exit codes, for every command:

| code | meaning |
|---|---|
| 0 | everything asked for is done or up to date |
| 1 | a stage failed, or the command could not do its work |
| 2 | the command line is wrong |
| 130 | interrupted by Ctrl-C or SIGTERM; what had finished is recorded |

Results go to standard output, errors and warnings to standard error. `NO_COLOR` turns colours off; with `CI` set,
or when the output is no terminal, progress is plain lines. With `-v` an error comes with its traceback.

Completion: `eval "$(_EXP_COMPLETE=bash_source exp)"` in `~/.bashrc`, `zsh_source` in `~/.zshrc`, `fish_source` for fish. It
knows the stages, experiments, branches, tags and params of the project.
"""


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its full name, groups before their members."""
    context = click.Context(cli, info_name="exp")
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        yield f"exp {name}", command
        if isinstance(command, click.Group):
            for inner in command.list_commands(context):
                member = command.get_command(context, inner)
                assert member is not None
                yield f"exp {name} {inner}", member


def page() -> str:
    """The whole page."""
    parts = [_HEAD]
    for name, command in commands():
        parts.append(f"{'#' * name.count(' ')}# {name}\n")
        parts.append(_body(name, command))
    return "\n".join(parts)


def _body(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name)
    lines = []
    if not isinstance(command, click.Group):
        usage = " ".join(command.collect_usage_pieces(context))
        lines += ["```", f"{name} {usage}", "```", ""]
    lines += [_markdown(command.help or ""), ""]
    options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    if options:
        lines += ["| option | what it does |", "|---|---|"]
        for option in options:
            record = option.get_help_record(context)
            assert record is not None
            names = ", ".join(f"`{each.strip()}`" for each in record[0].split(","))
            lines.append(f"| {names} | {_cell(record[1])} |")
        lines.append("")
    return "\n".join(lines)


def _markdown(text: str) -> str:
    """A help text as Markdown: its paragraphs, and blocks that keep their lines as code."""
    parts = []
    for paragraph in text.strip().split("\n\n"):
        if paragraph.startswith("\b"):
            parts.append("```\n" + paragraph.removeprefix("\b").strip("\n") + "\n```")
        else:
            parts.append(" ".join(paragraph.split()))
    return "\n\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page())

"""What ``exp params`` and ``exp metrics`` have in common: options, and the way from values to lines."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from redoit.api import Project
from redoit.cli.options import one_of
from redoit.experiments.overview import Asked
from redoit.experiments.values import Kind, Shown, Wanted
from redoit.printable import printable
from redoit.report.compare import comparison_json, comparison_lines, comparison_markdown
from redoit.report.pager import terminal_width
from redoit.report.values import problem_lines, values_json, values_lines, values_markdown
from redoit.report.words import Paint, is_terminal, wants_colour

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class DiffCommand(click.Command):
    """A command whose ``--targets`` takes all words up to the next option, as in DVC."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        words: list[str] = []
        taking = False
        for index, word in enumerate(args):
            if word == "--":
                words += args[index:]
                break
            if word.startswith("-") and word != "-":
                taking = word == "--targets"
                words += [] if taking else [word]
            else:
                words += ["--targets", word] if taking else [word]
        return super().parse_args(ctx, words)


def form_options(shape: str) -> Callable[[Decorated], Decorated]:
    """``--json`` (``shape``: whose it is) and ``--md``."""

    def decorate(command: Decorated) -> Decorated:
        command = click.option("--md", "as_markdown", is_flag=True, help="Print a Markdown table.")(
            command
        )
        return click.option("--json", "as_json", is_flag=True, help=f"Print JSON: {shape}.")(
            command
        )

    return decorate


def commit_options(command: Decorated) -> Decorated:
    """``-a``, ``-T`` and ``-A`` of ``show``."""
    for option in (
        click.option(
            "-A", "--all-commits", is_flag=True, help="Also of all commits of the repository."
        ),
        click.option("-T", "--all-tags", is_flag=True, help="Also of all commits with a Git tag."),
        click.option(
            "-a", "--all-branches", is_flag=True, help="Also of the tips of all Git branches."
        ),
    ):
        command = option(command)
    return command


def show(
    wanted: Wanted, asked: Asked, *, precision: int | None, as_json: bool, as_markdown: bool
) -> int:
    """Print the values of the workspace and of commits."""
    one_of(("--json", as_json), ("--md", as_markdown))
    project = Project()
    shown = project.values(wanted, asked)
    rename = _from_here(project)
    _warn(problem_lines(shown, rename))
    if as_json:
        print(json.dumps(values_json(shown, rename)))
        return 0
    if as_markdown:
        lines = values_markdown(shown, rename, precision=precision)
    else:
        lines = values_lines(
            shown,
            rename,
            precision=precision,
            paint=Paint(wants_colour(sys.stdout)),
            room=terminal_width() if is_terminal(sys.stdout) else None,
        ) or [f"there are no {wanted.kind.value}"]
    _print(lines)
    return 0


def diff(
    wanted: Wanted,
    old: str | None,
    new: str | None,
    *,
    unchanged: bool,
    precision: int,
    no_path: bool,
    as_json: bool,
    as_markdown: bool,
) -> int:
    """Print what differs between two revisions."""
    one_of(("--json", as_json), ("--md", as_markdown))
    project = Project()
    found = project.compare_values(wanted, old, new, unchanged=unchanged)
    rename = _from_here(project)
    metrics = wanted.kind is Kind.METRICS
    found = found._replace(
        metrics=tuple(each._replace(path=rename(each.path)) for each in found.metrics),
        params=tuple(each._replace(path=rename(each.path)) for each in found.params),
    )
    names = old or "HEAD", new or "workspace"
    sides = (
        Shown(name, side.metrics if metrics else side.params, side.problem)
        for name, side in zip(names, (found.old, found.new), strict=True)
    )
    _warn(problem_lines(list(sides), rename))
    if as_json:
        print(json.dumps(comparison_json(found)[wanted.kind.value]))
    elif as_markdown:
        _print(
            comparison_markdown(
                found,
                *names,
                precision=precision,
                with_path=not no_path,
                with_difference=metrics,
            )
        )
    elif not (found.metrics or found.params):
        print(f"no {wanted.kind.value} differ between {names[0]} and {names[1]}")
    else:
        _print(
            comparison_lines(
                found,
                *names,
                precision=precision,
                with_path=not no_path,
                paint=Paint(wants_colour(sys.stdout)),
                room=terminal_width() if is_terminal(sys.stdout) else None,
                with_difference=metrics,
            )
        )
    return 0


def wanted_of(kind: Kind, targets: Sequence[str], *, deps_only: bool = False) -> Wanted:
    """``targets`` as they are seen from the working directory."""
    here = os.path.realpath(os.getcwd())
    return Wanted(
        kind, tuple(os.path.normpath(os.path.join(here, each)) for each in targets), deps_only
    )


def _from_here(project: Project) -> Callable[[str], str]:
    """Paths of the project as seen from the working directory."""
    here = os.path.realpath(os.getcwd())
    if here == project.root:
        return str
    return lambda path: os.path.relpath(os.path.join(project.root, path), here)


def _warn(lines: Sequence[str]) -> None:
    for line in lines:
        print(printable(line), file=sys.stderr)


def _print(lines: Sequence[str]) -> None:
    if lines:
        print("\n".join(lines))

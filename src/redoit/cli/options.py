"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

from redoit.cli import complete
from redoit.cli.main import VERBOSE
from redoit.errors import UsageError
from redoit.model import Request

_QUIET = "redoit.quiet"

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def _keep_verbose(ctx: click.Context, _: click.Parameter, value: int) -> int:
    ctx.meta[VERBOSE] = value > 0
    _check_opposites(ctx)
    return value


def _keep_quiet(ctx: click.Context, _: click.Parameter, value: bool) -> bool:
    ctx.meta[_QUIET] = value
    _check_opposites(ctx)
    return value


def _check_opposites(ctx: click.Context) -> None:
    if ctx.meta.get(VERBOSE) and ctx.meta.get(_QUIET):
        raise UsageError("-q and -v cannot be given together", hint="leave one of them out")


def verbose_option(text: str, *, expose: bool = True) -> Callable[[Decorated], Decorated]:
    """``-v`` with what it means for this command."""
    return click.option(
        "-v", "--verbose", count=True, callback=_keep_verbose, expose_value=expose, help=text
    )


def traceback_option(command: Decorated) -> Decorated:
    """``-v`` of a command that has no details to show."""
    return verbose_option("Show a traceback with every error.", expose=False)(command)


def quiet_option(text: str) -> Callable[[Decorated], Decorated]:
    """``-q`` with what it means for this command."""
    return click.option("-q", "--quiet", is_flag=True, callback=_keep_quiet, help=text)


def one_of(*options: tuple[str, bool]) -> None:
    """Raise UsageError if more than one of these (name, given) options was given."""
    given = [name for name, is_given in options if is_given]
    if len(given) > 1:
        raise UsageError(
            f"{' and '.join(given)} cannot be given together", hint="leave one of them out"
        )


def targets_argument(command: Decorated) -> Decorated:
    return click.argument("targets", nargs=-1, shell_complete=complete.stages)(command)


_RUN_OPTIONS: Sequence[Callable[[Any], Any]] = (
    targets_argument,
    click.option("-f", "--force", is_flag=True, help="Run stages even if nothing changed."),
    click.option("-i", "--interactive", is_flag=True, help="Ask before each stage that must run."),
    click.option(
        "-s",
        "--single-item",
        is_flag=True,
        help="Only the targets themselves, not the stages that they depend on.",
    ),
    click.option(
        "-p", "--pipeline", is_flag=True, help="The whole pipelines that the targets belong to."
    ),
    click.option("-P", "--all-pipelines", is_flag=True, help="All pipelines of the project."),
    click.option(
        "-R",
        "--recursive",
        is_flag=True,
        help="Targets may be directories: the stages of every dvc.yaml in and below them.",
    ),
    click.option(
        "--downstream", is_flag=True, help="The targets and the stages that depend on them."
    ),
    click.option(
        "--force-downstream",
        is_flag=True,
        help="When a stage runs, run all that depend on it too, changed or not.",
    ),
    click.option(
        "--pull",
        is_flag=True,
        help="Get missing data from remotes: what stages that run read, the outputs of unchanged stages, "
        "and the run cache.",
    ),
    click.option(
        "--allow-missing",
        is_flag=True,
        help="Skip stages with which nothing is wrong but that data are missing.",
    ),
    click.option("--dry", is_flag=True, help="Say what would run; run nothing, change nothing."),
    click.option(
        "-k",
        "--keep-going",
        "on_error",
        flag_value="keep_going",
        help="After a failure, go on with all stages that do not depend on the failed one.",
    ),
    click.option(
        "--ignore-errors",
        "on_error",
        flag_value="ignore_errors",
        help="After a failure, go on with all stages, those that depend on it too.",
    ),
    click.option(
        "-j",
        "--jobs",
        type=click.IntRange(min=1),
        default=1,
        metavar="N",
        help="Run up to N stages at the same time (default: 1).",
    ),
    click.option("--profile", is_flag=True, help="Tell at the end where the time went."),
    click.option(
        "--profile-json",
        metavar="FILE",
        type=click.Path(dir_okay=False),
        help="Write where the time went to FILE, as JSON.",
    ),
    quiet_option("Print nothing on standard output; the stages' commands still may."),
    verbose_option("Show every skipped stage, and a traceback with every error."),
)


def run_options(command: Decorated) -> Decorated:
    """The options that ``exp run`` and ``exp repro`` have in common."""
    for option in reversed(_RUN_OPTIONS):
        command = option(command)
    return command


def request_of(params: Mapping[str, Any]) -> Request:
    """The parsed command line as a Request; params have the names of its fields."""
    fields = set(Request._fields)
    asked = {name: value for name, value in params.items() if name in fields}
    on_error = params["on_error"]
    return Request(
        **asked,
        cwd=os.getcwd(),
        keep_going=on_error == "keep_going",
        ignore_errors=on_error == "ignore_errors",
    )

"""The command ``exp``: finds the sub-command, and turns every ending into words and an exit code."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import sys
from collections.abc import Sequence

import click

from redoit import __version__
from redoit.cli.lazy import LazyGroup, Member
from redoit.errors import RedoitError, UsageError
from redoit.report.failure import told
from redoit.report.screen import abandon

VERBOSE = "redoit.verbose"
"""Key in ``Context.meta``: whether tracebacks are wanted."""

COMMANDS = {
    "run": "Run the pipeline and record the result as an experiment.",
    "repro": "Run the pipeline, recording no experiment.",
    "queue": "Run queued experiments in the background, and see how they do.",
    "save": "Record the workspace as an experiment, running nothing.",
    "list": "List experiments.",
    "rename": "Give an experiment another name.",
    "remove": "Remove experiments.",
    "apply": "Put an experiment's files and outputs into the workspace.",
    "branch": "Make a Git branch of an experiment.",
    "push": "Send experiments and their data to a Git remote.",
    "pull": "Get experiments and their data from a Git remote.",
    "clean": "Remove what killed commands left behind.",
    "show": "Show experiments with their metrics and params as a table.",
    "params": "Show params, and how they differ.",
    "metrics": "Show metrics, and how they differ.",
    "plots": "Draw plots, of one or of several experiments.",
    "diff": "Show what changed in metrics and params between two experiments.",
    "status": "Show which stages would run, and why in a word.",
    "why": "Show in full why a stage would run.",
    "dag": "Draw the stages and what they depend on.",
    "init": "Make a project here.",
    "data": "Track data, and bring them from and to remotes.",
    "remote": "Name the places where data are kept besides the cache.",
    "config": "Read and change settings.",
    "cache": "Check the cache, or change its digest.",
}
"""Sub-command → what it does. Its module in this package is imported when it is called."""

EPILOG = """\
\b
Exit codes:
    0  everything asked for is done or up to date
    1  a stage failed, or the command could not do its work
    2  the command line is wrong
  130  interrupted by Ctrl-C or SIGTERM; what had finished is recorded
"""


@click.group(
    cls=LazyGroup,
    members={name: Member(about, name) for name, about in COMMANDS.items()},
    invoke_without_command=True,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="redoit", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Run dvc.yaml pipelines as experiments."""
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())
        ctx.exit(2)


def main() -> None:
    """Entry point of the console script."""
    # What a command reads it keeps to its end: looking for garbage among it would be a fifth of the time.
    gc.set_threshold(200_000, 50, 100)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal or a pipe in ASCII shall not turn a dash or a stage's name into a traceback.
            stream.reconfigure(errors="backslashreplace")
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        abandon(sys.stdout)
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Carry out ``exp ARGUMENTS`` and return its exit code. Raises nothing."""
    shared: dict[str, object] = {}
    try:
        if "_EXP_COMPLETE" in os.environ:
            return _complete(os.environ["_EXP_COMPLETE"])
        context = cli.make_context("exp", list(arguments), terminal_width=_width())
        shared = context.meta
        with context:
            return cli.invoke(context) or 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.UsageError as error:
        return _say(_usage_error(error, arguments), shared)
    except click.ClickException as error:
        return _say(RedoitError(error.format_message()), shared)
    except (KeyboardInterrupt, click.Abort):
        _print_error("interrupted")
        return 130
    except BrokenPipeError:
        # Whoever read our output has seen enough (`exp dag | head`).
        abandon(sys.stdout)
        return 1
    except Exception as error:  # noqa: BLE001
        return _say(error, shared)


def _width() -> int:
    """Columns of a help page. Left to click, it would import ``shutil``, which takes longer than printing the page."""
    columns = 0
    with contextlib.suppress(ValueError):
        columns = int(os.environ.get("COLUMNS", 0))
    if columns <= 0:
        try:
            columns = os.get_terminal_size().columns
        except OSError:  # no terminal
            columns = 80
    return max(min(columns, 100) - 2, 50)


def _say(error: Exception, shared: dict[str, object]) -> int:
    _print_error(told(error, verbose=bool(shared.get(VERBOSE))))
    return error.exit_code if isinstance(error, RedoitError) else 1


def _usage_error(error: click.UsageError, arguments: Sequence[str]) -> UsageError:
    """What click found wrong with the command line, in our words and form."""
    message = " ".join(error.format_message().split()).rstrip(".")
    hint = None
    if isinstance(error, click.NoSuchOption):
        message = f"there is no option {error.option_name}"
        if error.possibilities:
            from difflib import get_close_matches

            near = get_close_matches(error.option_name, error.possibilities, 1)
            hint = f"did you mean {(near or sorted(error.possibilities))[0]}?"
    if hint is None:
        path = error.ctx.command_path if error.ctx else f"exp {arguments[0]}"
        hint = f"see `{path} --help`"
    return UsageError(message[:1].lower() + message[1:], hint=hint)


def _print_error(text: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        print(text, file=sys.stderr, flush=True)


def _complete(instruction: str) -> int:
    """Serve the shell's completion: ``eval "$(_EXP_COMPLETE=bash_source exp)"`` turns it on."""
    from click.shell_completion import shell_complete

    return shell_complete(cli, {}, "exp", "_EXP_COMPLETE", instruction)

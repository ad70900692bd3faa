"""What ``exp push`` and ``exp pull`` have in common."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from redoit.api import Project
from redoit.cli import complete
from redoit.cli.data_options import JOBS, REMOTE
from redoit.cli.options import quiet_option, traceback_option
from redoit.cli.selection import selection_options
from redoit.data.share import Shared, ShareRequest
from redoit.errors import Interrupted, RedoitError, UsageError
from redoit.experiments.refs import Experiment, Selection
from redoit.printable import printable
from redoit.report.transfer import TransferLine, size_text
from redoit.report.words import count

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def share_options(verb: str, replaced: str) -> Callable[[Decorated], Decorated]:
    """The arguments and options of a command that does ``verb`` with experiments."""

    def decorate(command: Decorated) -> Decorated:
        for option in (
            traceback_option,
            quiet_option("Print nothing."),
            click.option(
                "--run-cache/--no-run-cache",
                default=False,
                help="Also the run cache: the records of earlier runs (default: no).",
            ),
            JOBS,
            REMOTE,
            click.option(
                "--cache/--no-cache",
                default=True,
                help="Also the data that the experiments use (default: yes).",
            ),
            click.option("-f", "--force", is_flag=True, help=replaced),
            selection_options(verb, " (default: HEAD)"),
            click.argument("experiments", nargs=-1, shell_complete=complete.experiments),
            click.argument("git_remote"),
        ):
            command = option(command)
        return command

    return decorate


def share_request(
    *,
    git_remote: str,
    experiments: Sequence[str],
    revs: Sequence[str],
    num: int,
    all_commits: bool,
    force: bool,
    cache: bool,
    remote: str | None,
    jobs: int | None,
    run_cache: bool,
) -> ShareRequest:
    """The command line."""
    if experiments and (revs or all_commits):
        raise UsageError(
            "the experiments are given twice", hint="give names, or --rev COMMIT, or -A for all"
        )
    selection = Selection(tuple(revs) or ("HEAD",), num, all_commits)
    names = tuple(experiments)
    return ShareRequest(git_remote, names, selection, force, cache, remote, jobs or 0, run_cache)


def auto_push(project: Project, experiment: Experiment | None, *, quiet: bool) -> None:
    """Push what was just recorded, if ``exp.auto_push`` says so; what fails then is a warning, as nothing is lost."""
    config = project.layout.config
    if experiment is None or not config.exp_auto_push:
        return
    request = ShareRequest(config.exp_git_remote, (experiment.ref,), cache=bool(config.remotes))
    try:
        shared = project.push_experiments(request, TransferLine(sys.stderr, quiet=quiet))
        shared.moved.check("sent")
    except Interrupted:
        raise
    except RedoitError as error:
        print(
            printable(f"warning: '{experiment.name}' was not pushed: {error.what}"), file=sys.stderr
        )
        return
    tell_shared(shared, "Pushed", "there", quiet=quiet or bool(shared.same))


def tell_shared(shared: Shared, verb: str, where: str, *, quiet: bool, of_all: bool = True) -> int:
    """Print what was done. Returns the exit code: 1 if an experiment was refused.

    ``of_all``: experiments on other commits were asked for too, if any were.
    """
    for warning in shared.warnings:
        print(printable(f"warning: {warning}"), file=sys.stderr)
    for each in shared.refused:
        print(
            f"error: another experiment '{each.name}' is {where} already; --force replaces it",
            file=sys.stderr,
        )
    for each in shared.lacking:
        if where == "there":
            print(f"error: '{each.name}' was not pushed: it lacks data", file=sys.stderr)
        else:
            print(f"error: '{each.name}' lacks data here", file=sys.stderr)
    if not quiet:
        for each in shared.done:
            print(f"{verb} '{each.name}' ({each.rev[:7]})")
        if shared.moved.files:
            print(f"{count(shared.moved.files, 'file')} of data, {size_text(shared.moved.size)}")
        if not shared.done and not shared.refused and not shared.lacking:
            same = count(len(shared.same), "experiment")
            none = "There are no such experiments"
            if not of_all:
                none += " on these commits; -A takes those of all commits"
            print(f"{same} {where} already" if shared.same else none)
    return int(bool(shared.refused))

"""``exp run``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from redoit.api import Project
from redoit.cli import complete
from redoit.cli.ending import show_end, wanted_profile, write_profile
from redoit.cli.options import one_of, request_of, run_options
from redoit.engine.listener import Listener
from redoit.errors import RedoitError, UsageError
from redoit.experiments.refs import Experiment
from redoit.late import late
from redoit.model import RepoPath, Request, Wish
from redoit.printable import printable
from redoit.report.live import make_listener, make_meter
from redoit.report.metrics import print_metrics
from redoit.report.progress import PlainListener

if TYPE_CHECKING:
    from redoit.cli.following import follow_queue
    from redoit.cli.share import auto_push
    from redoit.queue.orders import Ordered
else:
    follow_queue = late("redoit.cli.following", "follow_queue")
    auto_push = late("redoit.cli.share", "auto_push")


@click.command("run")
@click.option(
    "-n", "--name", metavar="NAME", help="Name of the experiment (default: two random words)."
)
@click.option(
    "-m",
    "--message",
    metavar="TEXT",
    help="Message of the experiment's commit (default: 'dvc: commit experiment {hash}').",
)
@click.option(
    "-S",
    "--set-param",
    "set_params",
    multiple=True,
    metavar="[FILE:]OVERRIDE",
    shell_complete=complete.overrides,
    help="Change a param first: key=value, +key=value (new), ++key=value (new or not), ~key (remove); "
    "in params.yaml unless FILE is named. May be given several times.",
)
@click.option(
    "--no-hydra",
    is_flag=True,
    help="Do not compose params.yaml with Hydra, though hydra.enabled is set.",
)
@click.option(
    "--queue",
    "queued",
    is_flag=True,
    help="Queue the experiment as everything is now, and run nothing; with choices and ranges in -S, one "
    "experiment for each combination.",
)
@click.option(
    "--run-all",
    is_flag=True,
    help="Run all queued experiments outside of the workspace, N (-j) at a time, and wait for them.",
)
@click.option(
    "--temp",
    is_flag=True,
    help="Run outside of the workspace, in .dvc/tmp/exps, while you go on working.",
)
@click.option(
    "-r",
    "--rev",
    metavar="EXPERIMENT",
    shell_complete=complete.experiments,
    help="Go on from EXPERIMENT where it ran, under its name, if it has not finished; else from what it recorded, "
    "outside of the workspace, as a new one on the same baseline.",
)
@click.option(
    "-C",
    "--copy-paths",
    multiple=True,
    metavar="PATH",
    type=click.Path(),
    help="Copy an ignored or untracked path to where the experiment runs, with --temp and --queue; it is "
    "not recorded. May be given several times.",
)
@run_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    name: str | None,
    message: str | None,
    set_params: tuple[str, ...],
    no_hydra: bool,
    queued: bool,
    run_all: bool,
    temp: bool,
    rev: str | None,
    copy_paths: tuple[str, ...],
    quiet: bool,
    verbose: int,
    dry: bool,
    jobs: int,
    profile: bool,
    profile_json: str | None,
    **_: Any,
) -> int:
    """Run the pipeline and record the result as an experiment.

    TARGETS are stages, groups of foreach or matrix stages, dvc.yaml files, path/dvc.yaml:stage,
    or .dvc files; by default the dvc.yaml of this folder. Stages that are up to date are skipped,
    and outputs of an earlier run with the same command and inputs are restored from the cache.

    The experiment is a Git commit that no branch shows: what Git and DVC track, as it is after the
    run. Your branch, your index and your files stay as they are.
    """
    measured = wanted_profile(profile, profile_json)
    project = Project()
    if rev is not None and not (queued or temp) and name is None and rev == project.unfinished():
        name, rev = rev, None  # its files, params and finished stages are in the workspace
    wish = Wish(name, message, set_params, not no_hydra)
    outside = queued or temp or rev is not None
    _check(ctx, outside=outside, copies=bool(copy_paths))
    if run_all:
        return follow_queue(project, jobs, quiet=quiet)
    request = request_of(ctx.params)
    if queued:
        _tell_orders(project.order(request, wish, copy=copy_paths, rev=rev), quiet=quiet)
        return 0
    listener = make_listener(
        sys.stdout, sys.stderr, jobs=jobs, quiet=quiet, verbose=verbose > 0, dry=dry
    )
    if outside:
        return _run_outside(project, request, wish, listener, copy_paths, rev, quiet=quiet)
    try:
        result = project.run(
            request,
            listener,
            name=name,
            message=message,
            set_params=set_params,
            hydra=not no_hydra,
            profile=measured,
            meter=make_meter(listener, sys.stderr, jobs=jobs, quiet=quiet),
        )
    finally:
        listener.ended()
    show_end(result.run, listener, quiet=quiet, dry=dry)
    if result.unfinished is not None and not dry:
        _tell_unfinished(result.unfinished, listener)
    if not quiet:
        if result.run.changed and not dry:
            _show_metrics(project.metrics, listener)
        if result.experiment is not None:
            listener.screen.line(_told(result.experiment))
    if result.experiment is not None and not dry and project.layout.config.exp_auto_push:
        auto_push(project, result.experiment, quiet=quiet)
    write_profile(measured, result.run, listener, table=profile and not quiet, file=profile_json)
    return result.run.exit_code


def _check(ctx: click.Context, *, outside: bool, copies: bool) -> None:
    """Raise UsageError for options that do not go together."""
    given = ctx.params
    one_of(("--queue", given["queued"]), ("--run-all", given["run_all"]), ("--temp", given["temp"]))
    if given["run_all"]:
        alone = ("run_all", "jobs", "quiet", "verbose")
        others = [
            option.opts[-1]
            for option in ctx.command.params
            if option.name
            and option.name not in alone
            and ctx.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
        ]
        if others:
            raise UsageError(
                f"--run-all cannot be given together with {', '.join(others)}",
                hint="it runs what is queued as it was queued",
            )
    elif copies and not outside:
        raise UsageError(
            "-C is for runs outside of the workspace",
            hint="give --temp or --queue too: in the workspace everything is there already",
        )
    unfit = [
        option
        for option in ("dry", "interactive", "profile", "profile_json")
        if outside and given[option]
    ]
    if unfit:
        option = f"--{unfit[0].replace('_', '-')}"
        raise UsageError(
            f"{option} cannot be given for a run outside of the workspace",
            hint="leave it out, or leave out --temp, --queue and -r",
        )


def _tell_orders(ordered: Ordered, *, quiet: bool) -> None:
    for file in ordered.unnoticed:
        print(
            f"warning: no stage depends on a param of {printable(file)}: the change alone runs nothing",
            file=sys.stderr,
        )
    if quiet:
        return
    for order in ordered.orders:
        if order.overrides:
            print(
                f"Queueing with overrides '{ {f: list(texts) for f, texts in order.overrides} }'."
            )
        print(f"Queued experiment '{order.name}' for future execution.")


def _run_outside(
    project: Project,
    request: Request,
    wish: Wish,
    listener: PlainListener,
    copy_paths: tuple[str, ...],
    rev: str | None,
    *,
    quiet: bool,
) -> int:
    try:
        task, ending = project.run_outside(request, wish, listener, copy=copy_paths, rev=rev)
    finally:
        listener.ended()
    if ending.error is not None:
        raise ending.error
    assert ending.run is not None
    show_end(ending.run, listener, quiet=quiet, dry=False)
    experiment = ending.experiment
    if experiment is None:
        _tell_unfinished(task.name, listener)
    elif not quiet:
        _show_metrics(lambda: project.metrics_of(experiment.rev), listener)
        listener.screen.line(
            f"{_told(experiment)}; `exp apply {experiment.name}` puts it into the workspace"
        )
    if project.layout.config.exp_auto_push:
        auto_push(project, experiment, quiet=quiet)
    return ending.run.exit_code


def _tell_unfinished(name: str, listener: PlainListener) -> None:
    listener.screen.line(
        f"Experiment '{name}' has not finished: `exp run -r {name}` goes on with it", error=True
    )


def _show_metrics(metrics: Callable[[], Mapping[RepoPath, Any]], listener: Listener) -> None:
    """Print the metrics; one that cannot be read is no failure of a run that is recorded already."""
    try:
        found = metrics()
    except RedoitError as error:
        listener.warned(f"the metrics cannot be shown: {error.what} ({error.place})")
    else:
        print_metrics(found, sys.stdout)


def _told(experiment: Experiment) -> str:
    text = f"Experiment '{experiment.name}' ({experiment.rev[:7]})"
    return text if experiment.created else f"{text} holds this state already"

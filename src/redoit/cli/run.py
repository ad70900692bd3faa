"""``exp run``."""

from __future__ import annotations

import sys
from typing import Any

import click

from redoit.api import Project
from redoit.cli import complete
from redoit.cli.ending import show_end
from redoit.cli.options import RunCommand, request_of, run_options
from redoit.engine.listener import Listener
from redoit.errors import RedoitError
from redoit.experiments import Experiment
from redoit.report.live import make_listener
from redoit.report.metrics import print_metrics
from redoit.report.transfer import TransferLine


@click.command("run", cls=RunCommand)
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
@run_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    name: str | None,
    message: str | None,
    set_params: tuple[str, ...],
    no_hydra: bool,
    quiet: bool,
    verbose: int,
    dry: bool,
    jobs: int,
    **_: Any,
) -> int:
    """Run the pipeline and record the result as an experiment.

    TARGETS are stages, groups of foreach or matrix stages, dvc.yaml files, path/dvc.yaml:stage,
    or .dvc files; by default the dvc.yaml of this folder. Stages that are up to date are skipped,
    and outputs of an earlier run with the same command and inputs are restored from the cache.

    The experiment is a Git commit that no branch shows: what Git and DVC track, as it is after the
    run. Your branch, your index and your files stay as they are.
    """
    project = Project()
    listener = make_listener(
        sys.stdout, sys.stderr, jobs=jobs, quiet=quiet, verbose=verbose > 0, dry=dry
    )
    try:
        result = project.run(
            request_of(ctx.params),
            listener,
            name=name,
            message=message,
            set_params=set_params,
            hydra=not no_hydra,
            meter=TransferLine(sys.stderr, quiet=quiet or jobs > 1),
        )
    finally:
        listener.ended()
    show_end(result.run, listener, quiet=quiet, dry=dry)
    if not quiet:
        if result.run.changed and not dry:
            _show_metrics(project, listener)
        if result.experiment is not None:
            listener.screen.line(_told(result.experiment))
    return result.run.exit_code


def _show_metrics(project: Project, listener: Listener) -> None:
    """Print the metrics; one that cannot be read is no failure of a run that is recorded already."""
    try:
        metrics = project.metrics()
    except RedoitError as error:
        listener.warned(f"the metrics cannot be shown: {error.what} ({error.place})")
    else:
        print_metrics(metrics, sys.stdout)


def _told(experiment: Experiment) -> str:
    text = f"Experiment '{experiment.name}' ({experiment.rev[:7]})"
    return text if experiment.created else f"{text} holds this state already"

"""``exp repro``."""

from __future__ import annotations

import sys
from typing import Any

import click

from redoit.api import Project
from redoit.cli.ending import show_end, wanted_profile, write_profile
from redoit.cli.options import request_of, run_options
from redoit.report.live import make_listener, make_meter


@click.command("repro")
@run_options
@click.option("--glob", is_flag=True, help="Targets may hold *, ? and [...] for stage names.")
@click.option(
    "--no-commit", is_flag=True, help="Leave the outputs out of the cache; only record them."
)
@click.option(
    "--no-run-cache",
    is_flag=True,
    help="Run a stage even if the cache has its outputs of an earlier run with the same inputs.",
)
@click.pass_context
def command(
    ctx: click.Context,
    /,
    quiet: bool,
    verbose: int,
    dry: bool,
    jobs: int,
    profile: bool,
    profile_json: str | None,
    **_: Any,
) -> int:
    """Run the pipeline, recording no experiment.

    TARGETS are as for `exp run`. Works without Git.
    """
    measured = wanted_profile(profile, profile_json)
    project = Project()
    listener = make_listener(
        sys.stdout, sys.stderr, jobs=jobs, quiet=quiet, verbose=verbose > 0, dry=dry
    )
    try:
        result = project.repro(
            request_of(ctx.params),
            listener,
            profile=measured,
            meter=make_meter(listener, sys.stderr, jobs=jobs, quiet=quiet),
        )
    finally:
        listener.ended()
    show_end(result, listener, quiet=quiet, dry=dry)
    write_profile(measured, result, listener, table=profile and not quiet, file=profile_json)
    return result.exit_code

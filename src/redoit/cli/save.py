"""``exp save``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from redoit.api import Project
from redoit.cli.options import quiet_option, targets_argument, traceback_option
from redoit.late import late
from redoit.report.words import count, some

if TYPE_CHECKING:
    from redoit.cli.share import auto_push
else:
    auto_push = late("redoit.cli.share", "auto_push")


@click.command("save")
@targets_argument
@click.option(
    "-n", "--name", metavar="NAME", help="Name of the experiment (default: two random words)."
)
@click.option(
    "-m",
    "--message",
    metavar="TEXT",
    help="Message of the experiment's commit (default: 'dvc: commit experiment {hash}').",
)
@click.option("-f", "--force", is_flag=True, help="Replace an experiment of that name.")
@click.option(
    "-I",
    "--include-untracked",
    "include",
    metavar="PATH",
    multiple=True,
    help="A file or folder to record although Git does not know it; may be given several times.",
)
@click.option(
    "-R",
    "--recursive",
    is_flag=True,
    help="Targets may be directories: the stages of every dvc.yaml in and below them.",
)
@click.option("--json", "as_json", is_flag=True, help='Print {"ref": SHA} of the experiment.')
@quiet_option("Print nothing on standard output.")
@traceback_option
def command(
    targets: Sequence[str],
    name: str | None,
    message: str | None,
    force: bool,
    include: Sequence[str],
    recursive: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Record the workspace as it is as an experiment, without running anything.

    What the stages read and wrote goes into dvc.lock and the cache as if they had just run. TARGETS
    limit that to some stages or .dvc files; the experiment has all that Git tracks in any case.
    """
    project = Project()
    saved = project.save(
        targets,
        name=name,
        message=message,
        force=force,
        include_untracked=include,
        recursive=recursive,
        cwd=os.getcwd(),
    )
    if saved.left_out:
        files = count(len(saved.left_out), "untracked file")
        print(
            f"warning: {files} left out: {some(saved.left_out, 6)} (-I PATH includes them)",
            file=sys.stderr,
        )
    if as_json:
        print(json.dumps({"ref": saved.experiment.rev}))
    elif not quiet:
        print(f"Experiment '{saved.experiment.name}' ({saved.experiment.rev[:7]})")
    if project.layout.config.exp_auto_push:
        auto_push(project, saved.experiment, quiet=quiet or as_json)
    return 0

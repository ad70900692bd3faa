"""``exp push``."""

from __future__ import annotations

import sys
from typing import Any

import click

from redoit.api import Project
from redoit.cli.share import share_options, share_request, tell_shared
from redoit.report.transfer import TransferLine


@click.command("push")
@share_options("Push", "Replace other experiments of the same name there.")
def command(quiet: bool, **options: Any) -> int:
    """Send experiments to the Git repository GIT_REMOTE, a name or an address, with their data.

    EXPERIMENTS are names, refs or shas; by default those on HEAD. The data go to a data remote first,
    and only what it lacks.
    """
    request = share_request(**options)
    shared = Project().push_experiments(request, TransferLine(sys.stderr, quiet=quiet))
    of_all = request.selection.all_commits
    code = tell_shared(shared, "Pushed", "there", quiet=quiet, of_all=of_all)
    shared.moved.check("sent")
    return code

"""``exp pull``."""

from __future__ import annotations

import sys
from typing import Any

import click

from redoit.api import Project
from redoit.cli.share import share_options, share_request, tell_shared
from redoit.report.transfer import TransferLine


@click.command("pull")
@share_options("Pull", "Replace other experiments of the same name here.")
def command(quiet: bool, **options: Any) -> int:
    """Get experiments from the Git repository GIT_REMOTE, a name or an address, with their data.

    EXPERIMENTS are names, refs or shas; by default those on HEAD. The data go into the cache; the
    workspace stays as it is. `exp apply` puts an experiment into it.
    """
    request = share_request(**options)
    shared = Project().pull_experiments(request, TransferLine(sys.stderr, quiet=quiet))
    of_all = request.selection.all_commits
    code = tell_shared(shared, "Pulled", "here", quiet=quiet, of_all=of_all)
    shared.moved.check("got")
    return code

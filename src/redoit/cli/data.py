"""``exp data``."""

from __future__ import annotations

import click

from redoit.cli.data_gc import gc
from redoit.cli.data_imports import import_from, import_url, update
from redoit.cli.data_status import status
from redoit.cli.data_tracking import add, commit, move, remove
from redoit.cli.data_transfer import fetch, pull, push
from redoit.cli.data_workspace import checkout


@click.group("data")
def command() -> None:
    """Track data, and bring them from and to remotes, the cache and the workspace."""


for each in (
    add,
    commit,
    status,
    checkout,
    push,
    fetch,
    pull,
    remove,
    move,
    import_from,
    import_url,
    update,
    gc,
):
    command.add_command(each)

"""``exp data``."""

from __future__ import annotations

import click

from redoit.cli.data_transfer import fetch, pull, push
from redoit.cli.data_workspace import checkout


@click.group("data")
def command() -> None:
    """Bring data from and to remotes, the cache and the workspace."""


for each in (push, fetch, pull, checkout):
    command.add_command(each)

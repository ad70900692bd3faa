"""``exp data``."""

from __future__ import annotations

import click

from redoit.cli.lazy import LazyGroup, Member


@click.group(
    "data",
    cls=LazyGroup,
    members={
        "add": Member("Put files and directories under .dvc files.", "data_tracking", "add"),
        "commit": Member("Record data that were changed by hand.", "data_tracking", "commit"),
        "status": Member("Show how data stand.", "data_status", "status"),
        "checkout": Member(
            "Make the workspace hold the data that are recorded.", "data_workspace", "checkout"
        ),
        "push": Member("Send data to a remote.", "data_transfer", "push"),
        "fetch": Member("Get data from a remote into the cache.", "data_transfer", "fetch"),
        "pull": Member("Get data from a remote into the workspace.", "data_transfer", "pull"),
        "remove": Member("Remove .dvc files.", "data_tracking", "remove"),
        "move": Member("Give data another path.", "data_tracking", "move"),
        "import": Member(
            "Import a file or folder of another Git repository.", "data_imports", "import_from"
        ),
        "import-url": Member(
            "Import a file or folder from elsewhere.", "data_imports", "import_url"
        ),
        "update": Member("Get what has changed of imported data.", "data_imports", "update"),
        "gc": Member("Remove data that nothing uses from the cache.", "data_gc", "gc"),
    },
)
def command() -> None:
    """Track data, and bring them from and to remotes, the cache and the workspace."""

"""``exp data status``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from redoit.api import Project
from redoit.cli.data_options import REMOTE, data_request, data_targets
from redoit.cli.options import quiet_option, traceback_option
from redoit.data.status import Changes, DataStatus, StatusRequest
from redoit.errors import UsageError
from redoit.printable import printable, quoted


@click.command("status")
@data_targets
@click.option("--granular", is_flag=True, help="Also the files of directories that changed.")
@click.option("--unchanged", is_flag=True, help="Also what is as it was.")
@click.option("--not-in-remote", is_flag=True, help="Also what the remote does not have.")
@REMOTE
@click.option(
    "--no-remote-refresh",
    is_flag=True,
    help="With --not-in-remote: do not ask the remote, but take what it had when it was last asked or sent to.",
)
@click.option(
    "--updates",
    is_flag=True,
    help="Also imports whose source has something else now: asks the other repositories and servers.",
)
@click.option(
    "--untracked-files",
    is_flag=False,
    flag_value="all",
    default="no",
    type=click.Choice(["no", "all"]),
    help="Also files that neither Git nor a .dvc file has; not unless it is given.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as DVC does.")
@quiet_option("Print nothing; exit with 1 if anything has changed or is missing.")
@traceback_option
def status(
    targets: Sequence[str],
    granular: bool,
    unchanged: bool,
    not_in_remote: bool,
    remote: str | None,
    no_remote_refresh: bool,
    updates: bool,
    untracked_files: str,
    as_json: bool,
    quiet: bool,
) -> int:
    """Show how data stand: recorded against HEAD, in the workspace, in the cache, at a remote.

    TARGETS are as for `exp data push`. Changes nothing. With --updates it exits with 1 if a source cannot be asked.
    """
    if (remote or no_remote_refresh) and not not_in_remote:
        option = "-r" if remote else "--no-remote-refresh"
        raise UsageError(f"{option} is for --not-in-remote", hint="give that too, or leave it out")
    request = StatusRequest(
        data_request(targets),
        granular,
        not_in_remote,
        remote,
        remote_refresh=not no_remote_refresh,
        untracked=untracked_files == "all",
        updates=updates,
    )
    found = Project().data.status(request)
    told = status_json(found, unchanged=unchanged)
    for path, why in found.failed:
        print(printable(f"error: the source of '{path}' cannot be asked: {why}"), file=sys.stderr)
    if quiet:
        return int(bool(told or found.failed))
    if as_json:
        print(json.dumps(told))
    elif told or not found.failed:
        print("\n".join(_lines(told)) or "Nothing has changed")
    return int(bool(found.failed))


def status_json(found: DataStatus, *, unchanged: bool) -> dict[str, Any]:
    """The status under DVC's names, without what is empty."""
    told: dict[str, Any] = {
        "not_in_cache": list(found.not_in_cache),
        "damaged": list(found.damaged),
        "not_in_remote": list(found.not_in_remote),
        "committed": _changes(found.committed),
        "uncommitted": _changes(found.uncommitted),
        "updates": list(found.updates),
        "untracked": list(found.untracked),
        "unchanged": list(found.unchanged) if unchanged else [],
    }
    return {name: value for name, value in told.items() if value}


def _changes(changes: Changes) -> dict[str, list[str]]:
    return {name: list(paths) for name, paths in changes._asdict().items() if paths}


_HEADS = {
    "not_in_cache": "Not in the cache (`exp data fetch` gets them):",
    "damaged": "Damaged in the cache (`exp data fetch` gets them anew):",
    "not_in_remote": "Not in the remote (`exp data push` sends them):",
    "committed": "Recorded, not committed to Git:",
    "uncommitted": "Changed, not recorded (`exp data commit` does that, `exp data checkout` undoes it):",
    "updates": "Imports whose source has something else now (`exp data update` gets it):",
    "untracked": "Untracked (`exp data add` or `git add` tracks them):",
    "unchanged": "Unchanged:",
}


def _lines(told: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for name, head in _HEADS.items():
        value = told.get(name)
        if not value:
            continue
        lines.append(head)
        if isinstance(value, dict):
            lines += [
                f"  {kind + ':':<10}{quoted(path)}"
                for kind, paths in value.items()
                for path in paths
            ]
        else:
            lines += [f"  {quoted(path)}" for path in value]
    return lines

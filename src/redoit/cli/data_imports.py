"""``exp data import``, ``import-url`` and ``update``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from redoit.api import Project
from redoit.cli.data_options import JOBS, RECURSIVE, data_request
from redoit.cli.options import one_of, quiet_option, traceback_option
from redoit.data.imports import Imported, ImportRequest
from redoit.data.update import Updated, UpdateRequest
from redoit.errors import UsageError
from redoit.printable import printable, quoted
from redoit.report.transfer import TransferLine, size_text

_QUIET = quiet_option("Print nothing.")
_FORCE = click.option("-f", "--force", is_flag=True, help="Replace what is at its place already.")
_NO_EXEC = click.option(
    "--no-exec", is_flag=True, help="Only write the .dvc file; ask the source for nothing."
)
_NO_DOWNLOAD = click.option(
    "--no-download",
    is_flag=True,
    help="Write the .dvc file with what the source holds now; `exp data pull` gets the data.",
)
_TO_REMOTE = click.option(
    "--to-remote", is_flag=True, help="Send the data to a remote, not into the workspace."
)
_REMOTE = click.option(
    "-r", "--remote", metavar="NAME", help="The remote for --to-remote (default: the default one)."
)


@click.command("import-url")
@click.argument("url")
@click.argument("out", required=False, type=click.Path())
@_FORCE
@_NO_EXEC
@_NO_DOWNLOAD
@_TO_REMOTE
@_REMOTE
@click.option(
    "--version-aware",
    is_flag=True,
    help="Remember the versions of the files in an S3 bucket that keeps them, and get those.",
)
@click.option(
    "--fs-config",
    multiple=True,
    metavar="NAME=VALUE",
    help="An option for the URL, as a remote has it; may be given several times.",
)
@JOBS
@_QUIET
@traceback_option
def import_url(
    url: str,
    out: str | None,
    force: bool,
    no_exec: bool,
    no_download: bool,
    to_remote: bool,
    remote: str | None,
    version_aware: bool,
    fs_config: Sequence[str],
    jobs: int | None,
    quiet: bool,
) -> int:
    """Import a file or folder from elsewhere, so that it can be updated when it changes there.

    URL is a path, remote://NAME/path, or an http(s)://, s3://, gs://, azure://, ssh:// or webdav(s):// URL. OUT is
    where the data go, by default under their own name into this folder.
    """
    one_of(("--no-exec", no_exec), ("--no-download", no_download))
    request = ImportRequest(
        out, os.getcwd(), force, no_exec, no_download, to_remote, remote, jobs or 0, version_aware
    )
    meter = TransferLine(sys.stderr, quiet=quiet)
    done = Project().data.import_url(
        url, request, meter, fs_config=_pairs("--fs-config", fs_config)
    )
    _tell_imported(done, quiet)
    return 0


@click.command("import")
@click.argument("url")
@click.argument("path")
@click.option("-o", "--out", type=click.Path(), help="Where the data go (default: their name).")
@click.option("--rev", metavar="COMMIT", help="A branch, tag or commit (default: HEAD of URL).")
@_FORCE
@_NO_EXEC
@_NO_DOWNLOAD
@click.option(
    "--config",
    type=click.Path(),
    metavar="FILE",
    help="A configuration file that is put over that of the other repository.",
)
@click.option("--remote", metavar="NAME", help="The other repository's remote that has the data.")
@click.option(
    "--remote-config",
    multiple=True,
    metavar="NAME=VALUE",
    help="An option for that remote; may be given several times.",
)
@JOBS
@_QUIET
@traceback_option
def import_from(
    url: str,
    path: str,
    out: str | None,
    rev: str | None,
    force: bool,
    no_exec: bool,
    no_download: bool,
    config: str | None,
    remote: str | None,
    remote_config: Sequence[str],
    jobs: int | None,
    quiet: bool,
) -> int:
    """Import a file or folder of another Git repository, so that it can be updated.

    URL is a path or whatever `git clone` takes; PATH is tracked there by Git, or as data by DVC.
    """
    one_of(("--no-exec", no_exec), ("--no-download", no_download))
    repo = _repo(url, rev, config, remote, _pairs("--remote-config", remote_config))
    request = ImportRequest(out, os.getcwd(), force, no_exec, no_download, jobs=jobs or 0)
    meter = TransferLine(sys.stderr, quiet=quiet)
    _tell_imported(Project().data.import_from(repo, path, request, meter), quiet)
    return 0


def _repo(
    url: str,
    rev: str | None,
    config: str | None,
    remote: str | None,
    options: dict[str, str],
) -> dict[str, Any]:
    """What the ``.dvc`` file says of the repository, as DVC writes it."""
    repo: dict[str, Any] = {"url": url, "rev": rev}
    if remote and options and config:
        raise UsageError(
            "--config FILE cannot be given with both --remote and --remote-config",
            hint="put them into the file",
        )
    repo["config"] = config
    if remote and options:
        repo["config"] = {"core": {"remote": remote}, "remote": {remote: options}}
    else:
        repo["remote"] = remote or options
    return {key: value for key, value in repo.items() if value}


def _pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not (name and equals):
            raise UsageError(f"{option} wants NAME=VALUE, not '{each}'", hint=f"{option} user=ada")
        pairs[name] = value
    return pairs


def _tell_imported(done: Imported, quiet: bool) -> None:
    if quiet:
        return
    size = f", {size_text(done.entry.size)}" if done.entry.size is not None else ""
    repo = done.origin.repo
    rev = f" at {str(repo['rev_lock'])[:7]}" if repo and repo.get("rev_lock") else ""
    print(f"Imported {quoted(done.path)}{rev}{size}: {quoted(done.file)}")


@click.command("update")
@click.argument("targets", nargs=-1, type=click.Path())
@click.option(
    "--rev",
    metavar="COMMIT",
    help="Another branch, tag or commit of the repository; or version of a file in an S3 bucket.",
)
@RECURSIVE
@click.option(
    "--no-download",
    is_flag=True,
    help="Only record what the source holds now; `exp data pull` gets the data.",
)
@_TO_REMOTE
@_REMOTE
@JOBS
@_QUIET
@traceback_option
def update(
    targets: Sequence[str],
    rev: str | None,
    recursive: bool,
    no_download: bool,
    to_remote: bool,
    remote: str | None,
    jobs: int | None,
    quiet: bool,
) -> int:
    """Look anew where imported data come from, and get what has changed there.

    TARGETS are .dvc files of imports, or their data; by default all imports of the project.
    """
    request = UpdateRequest(
        data_request(targets, recursive=recursive), rev, no_download, to_remote, remote, jobs or 0
    )
    meter = TransferLine(sys.stderr, quiet=quiet)
    done = Project().data.update(request, meter)
    if not quiet:
        for each in done:
            print(_updated(each))
        if not done:
            print("There are no imports")
    return 0


def _updated(each: Updated) -> str:
    if not each.changed:
        return f"Unchanged: {quoted(each.file)}"
    what = (
        f" ({printable(each.before)} → {printable(each.after)})"
        if each.before and each.before != each.after
        else ""
    )
    return f"Updated {quoted(each.file)}{what}" + (", with the same data" if each.same_data else "")

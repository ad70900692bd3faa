"""``exp data gc``."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Sequence

import click

from redoit.api import Project
from redoit.cli import complete
from redoit.cli.data_options import JOBS, REMOTE
from redoit.cli.options import quiet_option, traceback_option
from redoit.data.gc import Collected, GcRequest
from redoit.data.used import Commits
from redoit.errors import UsageError
from redoit.printable import printable
from redoit.report.transfer import size_text
from redoit.report.words import count


@click.command("gc")
@click.option("-w", "--workspace", is_flag=True, help="Keep only that, and experiments.")
@click.option("-a", "--all-branches", is_flag=True, help="Also keep the data of all branches.")
@click.option("-T", "--all-tags", is_flag=True, help="Also keep the data of all tags.")
@click.option("-A", "--all-commits", is_flag=True, help="Also keep the data of all commits.")
@click.option(
    "--rev",
    "revs",
    multiple=True,
    metavar="COMMIT",
    shell_complete=complete.revisions,
    help="Also keep the data of COMMIT; may be given several times.",
)
@click.option(
    "-n",
    "--num",
    type=int,
    default=1,
    metavar="N",
    help="Also those of the N - 1 commits before each COMMIT, and each branch with -a; all of them if N is negative.",
)
@click.option(
    "--date",
    "since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Also keep the data of all commits from that day on.",
)
@click.option(
    "--all-experiments", is_flag=True, help="Nothing more: those of experiments are always kept."
)
@click.option("--not-in-remote", is_flag=True, help="Also keep what the remote does not have.")
@click.option(
    "-p",
    "--projects",
    multiple=True,
    type=click.Path(exists=True, file_okay=False),
    metavar="FOLDER",
    help="Also keep the data of the project there, which has the same cache; may be given several times.",
)
@click.option(
    "--skip-failed",
    is_flag=True,
    help="Leave out commits that cannot be read, and directories of which no list of files is left; their data may go.",
)
@click.option("-c", "--cloud", is_flag=True, help="Also remove unused data from a remote.")
@REMOTE
@JOBS
@click.option("--dry", is_flag=True, help="Say how much would be removed; remove nothing.")
@click.option("-f", "--force", is_flag=True, help="Do not ask.")
@quiet_option("Print nothing.")
@traceback_option
def gc(
    workspace: bool,
    all_branches: bool,
    all_tags: bool,
    all_commits: bool,
    revs: Sequence[str],
    num: int,
    since: datetime.datetime | None,
    all_experiments: bool,
    not_in_remote: bool,
    projects: Sequence[str],
    skip_failed: bool,
    cloud: bool,
    remote: str | None,
    jobs: int | None,
    dry: bool,
    force: bool,
    quiet: bool,
) -> int:
    """Remove data that nothing uses from the cache.

    What the workspace and all experiments use is always kept, and what other work trees of the repository with this cache
    do; say what else, or -w for nothing else.
    The cache of several projects is not known as such: name the others by -p, or their data would be removed.
    """
    commits = Commits(all_branches, all_tags, all_commits, tuple(revs))
    if not (workspace or commits or since or all_experiments):
        raise UsageError(
            "it is not said what to keep",
            hint="-w for the workspace, -a for branches, -T for tags, -A for all commits, --rev COMMIT",
        )
    if num != 1 and not (revs or all_branches):
        raise UsageError(
            "-n counts from commits, and none is given", hint="give --rev COMMIT or -a too"
        )
    if remote and not (cloud or not_in_remote):
        raise UsageError(
            "-r is for --cloud and --not-in-remote", hint="give one of them too, or leave it out"
        )
    if cloud and not_in_remote:
        raise UsageError(
            "--cloud and --not-in-remote cannot be given together",
            hint="first clean the cache, then the remote",
        )
    project = Project()
    request = GcRequest(
        commits,
        num,
        cloud,
        remote,
        dry=True,
        not_in_remote=not_in_remote,
        since=None if since is None else since.strftime("%Y-%m-%d"),
        skip_failed=skip_failed,
        projects=tuple(projects),
        jobs=jobs or 0,
    )
    found = project.data.gc(request)
    for warning in found.warnings:
        print(printable(f"warning: {warning}"), file=sys.stderr)
    if dry or not (found.objects or found.remote_objects):
        if not quiet:
            print(f"Would remove {_told(found)}" if dry else "Everything is in use")
        return 0
    if not force:
        if not sys.stdin.isatty():
            raise UsageError(f"{_told(found)} would be removed", hint="--force does not ask")
        if not click.confirm(f"Remove {_told(found)}?"):
            return 1
    done = project.data.gc(request._replace(dry=False))
    if not quiet:
        print(f"Removed {_told(done)}")
    return 0


def _told(found: Collected) -> str:
    text = f"{count(found.objects, 'object')} ({size_text(found.size)})"
    if found.remote_objects:
        there = count(found.remote_objects, "object")
        text += f", and {there} ({size_text(found.remote_size)}) of the remote"
    return text

"""Data between the cache and remotes: which objects of which remote a command is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from redoit.data.remembered import remember
from redoit.data.targets import Chosen, DataRequest, check_inside, choose, choose_from
from redoit.data.used import (
    Commits,
    Used,
    commits_of,
    recorded_by_commits,
    recorded_by_workspace,
    used_by_commits,
)
from redoit.engine.session import Session
from redoit.git import Git
from redoit.late import late
from redoit.model import OutKind
from redoit.store.moved import Meter, Moved, Wanted
from redoit.store.remotes import Remotes

if TYPE_CHECKING:
    from redoit.imports.fetch import Lacking, fetch_imported
    from redoit.store.transfer import download, upload
    from redoit.trace.remote_runs import fetch_runs, push_runs
else:
    Lacking = late("redoit.imports.fetch", "Lacking")
    fetch_imported = late("redoit.imports.fetch", "fetch_imported")
    download = late("redoit.store.transfer", "download")
    upload = late("redoit.store.transfer", "upload")
    fetch_runs = late("redoit.trace.remote_runs", "fetch_runs")
    push_runs = late("redoit.trace.remote_runs", "push_runs")


class TransferRequest(NamedTuple):
    """What ``exp data push``, ``fetch`` or ``pull`` is asked to do; each field is an option."""

    data: DataRequest = DataRequest()
    commits: Commits = Commits()
    remote: str | None = None
    jobs: int = 0
    run_cache: bool = False
    max_size: int | None = None
    """Get only files and directories that are smaller, in bytes; what is of unknown size too."""
    kinds: tuple[OutKind, ...] = ()
    """Get only outs of these kinds; all without."""

    def takes(self, used: Used) -> bool:
        """Whether an out is to be got."""
        size = used.entry.size
        small = self.max_size is None or size is None or size < self.max_size
        return small and (not self.kinds or used.out.kind in self.kinds)


class Transferred(NamedTuple):
    """What travelled, and one line for each thing that was left out."""

    moved: Moved
    warnings: tuple[str, ...] = ()


def push(session: Session, request: TransferRequest, remotes: Remotes, meter: Meter) -> Transferred:
    """Send what remotes lack. Raises RemoteError, TargetNotFound, GitError; what failed is in the result."""
    warnings: list[str] = []
    chosen = [
        each
        for each in _chosen(session, request, warnings)
        if each.used.out.push and not is_from_repository(each)
    ]
    moved = Moved()
    for name, wanted in _by_remote(chosen, request, remotes).items():
        remote = remotes.open(name)
        sent = upload(wanted, remote, session.store.objects, jobs=request.jobs, meter=meter)
        moved.add(sent)
        if not (sent.failures or sent.missing):
            there = [
                (w.entry.oid, w.entry.algo) for w in wanted if w.entry.oid and w.inside is None
            ]
            remember(session.layout, remotes.token(remote.name), (), there)
    if request.run_cache:
        remote = remotes.open(request.remote)
        if remote.storage.writable:
            moved.add(push_runs(session.run_cache, remote, request.jobs, meter))
    return Transferred(moved, tuple(warnings))


def fetch(
    session: Session, request: TransferRequest, remotes: Remotes, meter: Meter
) -> Transferred:
    """Get what the cache lacks. Raises as ``push``."""
    warnings: list[str] = []
    moved = Moved()
    if request.run_cache:
        remote = remotes.open(request.remote)
        if remote.storage.lists:
            objects = session.store.objects
            runs = session.run_cache
            moved.add(fetch_runs(runs, remote, objects, request.jobs, warnings, meter))
        else:
            warnings.append(f"the remote '{remote.name}' cannot tell what runs it has: left out")
    chosen = [each for each in _chosen(session, request, warnings) if request.takes(each.used)]
    plain = [each for each in chosen if each.used.stage.origin is None]
    if plain or not chosen:
        for name, wanted in _by_remote(plain, request, remotes).items():
            if all(session.store.has(each.entry) for each in wanted):
                continue  # nothing is asked of a remote that may be out of reach
            remote, objects = remotes.open(name), session.store.objects
            moved.add(download(wanted, remote, objects, jobs=request.jobs, meter=meter))
    moved.add(_fetch_imported(session, chosen, request, remotes, meter))
    return Transferred(moved, tuple(warnings))


def is_from_repository(chosen: Chosen) -> bool:
    """Whether it is imported from another repository, which has it: it is never sent to a remote of this one."""
    origin = chosen.used.stage.origin
    return origin is not None and origin.repo is not None


def _fetch_imported(
    session: Session,
    chosen: Iterable[Chosen],
    request: TransferRequest,
    remotes: Remotes,
    meter: Meter,
) -> Moved:
    lacking = [
        Lacking(stage, stage.origin, out, entry, inside)
        for (stage, out, entry), inside in chosen
        if stage.origin is not None
    ]
    return fetch_imported(
        lacking,
        session.layout,
        session.store.objects,
        remotes,
        remote=request.remote,
        jobs=request.jobs,
        meter=meter,
        cwd=request.data.cwd,
    )


def _chosen(session: Session, request: TransferRequest, warnings: list[str]) -> list[Chosen]:
    """What the workspace and the commits use of the targets; what both use stands there twice.

    Raises TargetNotFound for a target that is in none of them.
    """
    if not request.commits:
        chosen = choose(session, request.data)
        check_inside(session, chosen)
        return chosen
    data = request.data
    chosen, unknown = choose_from(recorded_by_workspace(session), session, data)
    git = Git(session.layout.root)
    revs = commits_of(git, request.commits)
    if not data.targets:
        for _, used in used_by_commits(session.layout, git, revs, skip=warnings):
            chosen += [Chosen(each) for each in used]
        return chosen
    for _, recorded in recorded_by_commits(session.layout, git, revs, skip=warnings):
        more, there_not = choose_from(recorded, session, data)
        chosen += more
        unknown = {target: error for target, error in unknown.items() if target in there_not}
    for error in unknown.values():
        raise error
    return chosen


def _by_remote(
    chosen: Iterable[Chosen], request: TransferRequest, remotes: Remotes
) -> Mapping[str, list[Wanted]]:
    """The objects by the name of the remote they belong to: that of the command, or of the out, or the default."""
    groups: dict[str, list[Wanted]] = defaultdict(list)
    asked = remotes.name_of(request.remote) if request.remote else None
    for (_, out, entry), inside in chosen:
        own = out.remote.lower() if out.remote else None
        if asked and own not in (None, asked):
            continue
        groups[asked or remotes.name_of(own, out.path)].append(Wanted(out.path, entry, inside))
    if not groups:
        remotes.name_of(request.remote)
    return groups

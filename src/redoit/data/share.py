"""Experiments to and from Git remotes, with the data that they use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from redoit.data.used import used_by_commits
from redoit.experiments.refs import (
    Experiment,
    Selection,
    all_experiments,
    find_experiments,
    select_experiments,
)
from redoit.git import Git
from redoit.git_refs import RefChange, change_refs, change_remote_refs, fetch_commit
from redoit.project import Layout
from redoit.store.moved import Meter, Moved, Wanted
from redoit.store.objects import Objects
from redoit.store.remotes import Remotes
from redoit.store.transfer import download, upload
from redoit.trace import RunCache
from redoit.trace.remote_runs import fetch_runs, push_runs


class ShareRequest(NamedTuple):
    """What ``exp push`` or ``exp pull`` is asked to do; each field is an option."""

    git_remote: str
    names: tuple[str, ...] = ()
    selection: Selection = Selection(("HEAD",))
    """Which experiments, without ``names``."""
    force: bool = False
    cache: bool = True
    remote: str | None = None
    jobs: int = 0
    run_cache: bool = False


class Shared(NamedTuple):
    """What came of it. ``refused``: another experiment of that name is there, and was not replaced."""

    done: tuple[Experiment, ...]
    same: tuple[Experiment, ...]
    refused: tuple[Experiment, ...]
    moved: Moved
    warnings: tuple[str, ...] = ()


def push_experiments(layout: Layout, request: ShareRequest, meter: Meter) -> Shared:
    """Send experiments to a Git remote: first their data to a data remote, then their commits and refs.

    Raises ExperimentNotFound, AmbiguousExperiment, RemoteError, TransferFailed, GitError; then no ref was sent.
    """
    git = Git(layout.root)
    chosen = _chosen(git, request, None)
    there = {each.ref: each.rev for each in all_experiments(git, request.git_remote)}
    new, same, refused = _sorted(chosen, there, force=request.force)
    moved = Moved()
    if request.cache and chosen:
        remotes = Remotes(layout.config)
        objects = Objects(layout)
        groups = _data(layout, git, [*new, *same], request, remotes, sent=True)
        for name, wanted in groups.items():
            moved.add(upload(wanted, remotes.open(name), objects, jobs=request.jobs, meter=meter))
        if request.run_cache:
            remote = remotes.open(request.remote)
            moved.add(push_runs(RunCache(layout), remote, request.jobs, meter))
        moved.check("sent")
    change_remote_refs(
        git,
        request.git_remote,
        [RefChange(each.ref, there.get(each.ref), each.rev) for each in new],
    )
    return Shared(tuple(new), tuple(same), tuple(refused), moved)


def pull_experiments(layout: Layout, request: ShareRequest, meter: Meter) -> Shared:
    """Get experiments from a Git remote, and then their data into the cache. The workspace stays as it is.

    What failed of the data is in the result. Raises ExperimentNotFound, AmbiguousExperiment, RemoteError, GitError.
    """
    git = Git(layout.root)
    chosen = _chosen(git, request, request.git_remote)
    here = {each.ref: each.rev for each in all_experiments(git)}
    new, same, refused = _sorted(chosen, here, force=request.force)
    if new:
        fetch_commit(git, request.git_remote, *[each.ref for each in new])
        change_refs(git, [RefChange(each.ref, here.get(each.ref), each.rev) for each in new])
    moved, warnings = Moved(), list[str]()
    if request.cache and chosen:
        remotes = Remotes(layout.config)
        objects = Objects(layout)
        groups = _data(layout, git, [*new, *same], request, remotes, sent=False)
        for name, wanted in groups.items():
            moved.add(download(wanted, remotes.open(name), objects, jobs=request.jobs, meter=meter))
        if request.run_cache:
            runs = RunCache(layout)
            remote = remotes.open(request.remote)
            moved.add(fetch_runs(runs, remote, objects, request.jobs, warnings, meter))
    return Shared(tuple(new), tuple(same), tuple(refused), moved, tuple(warnings))


def _chosen(git: Git, request: ShareRequest, remote: str | None) -> list[Experiment]:
    if request.names:
        return find_experiments(git, request.names, remote)
    return select_experiments(git, request.selection, remote)


def _sorted(
    chosen: Iterable[Experiment], there: dict[str, str], *, force: bool
) -> tuple[list[Experiment], list[Experiment], list[Experiment]]:
    """Those that are to go, those that are there, and those in whose place another one is."""
    new: list[Experiment] = []
    same: list[Experiment] = []
    refused: list[Experiment] = []
    for each in chosen:
        rev = there.get(each.ref)
        if rev == each.rev:
            same.append(each)
        elif rev is None or force:
            new.append(each)
        else:
            refused.append(each)
    return new, same, refused


def _data(
    layout: Layout,
    git: Git,
    experiments: Sequence[Experiment],
    request: ShareRequest,
    remotes: Remotes,
    *,
    sent: bool,
) -> dict[str, list[Wanted]]:
    """What the experiments use, each content once, by the remote it belongs to. Raises RemoteError."""
    asked = remotes.name_of(request.remote) if request.remote else None
    groups: dict[str, list[Wanted]] = defaultdict(list)
    seen: set[tuple[object, ...]] = set()
    revs = list(dict.fromkeys(each.rev for each in experiments))
    for _, used in used_by_commits(layout, git, revs):
        for _, out, entry in used:
            own = out.remote.lower() if out.remote else None
            key = (entry.oid, entry.algo, own)
            if key in seen or (sent and not out.push) or (asked and own not in (None, asked)):
                continue
            seen.add(key)
            groups[asked or remotes.name_of(own)].append(Wanted(out.path, entry))
    return groups

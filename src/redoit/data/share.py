"""Experiments to and from Git remotes, with the data that they use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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
from redoit.model import Algo, Oid
from redoit.project import Layout
from redoit.store.moved import Meter, Moved, Wanted
from redoit.store.objects import Objects
from redoit.store.remotes import Remotes
from redoit.store.transfer import download, upload
from redoit.trace import RunCache
from redoit.trace.cloud import remotes_of
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
    """What came of it. ``refused``: another experiment of that name is there, and was not replaced.

    ``lacking``: data of it did not travel (``moved`` tells which); sent it was not, got it was.
    """

    done: tuple[Experiment, ...]
    same: tuple[Experiment, ...]
    refused: tuple[Experiment, ...]
    moved: Moved
    warnings: tuple[str, ...] = ()
    lacking: tuple[Experiment, ...] = ()


def push_experiments(layout: Layout, request: ShareRequest, meter: Meter) -> Shared:
    """Send experiments to a Git remote: first their data to a data remote, then their commits and refs.

    One of which data could not be sent is kept back. Raises ExperimentNotFound, AmbiguousExperiment, RemoteError,
    TransferFailed for the run cache, GitError; then no ref was sent.
    """
    git = Git(layout.root)
    chosen = _chosen(git, request, None)
    there = {each.ref: each.rev for each in all_experiments(git, request.git_remote)}
    new, same, refused = _sorted(chosen, there, force=request.force)
    moved, lacking = Moved(), set[str]()
    if request.cache and chosen:
        remotes = remotes_of(layout)
        objects = Objects(layout)
        data = _data(layout, git, [*new, *same], request, remotes, sent=True)
        for name, wanted in data.groups.items():
            moved.add(upload(wanted, remotes.open(name), objects, jobs=request.jobs, meter=meter))
        lacking = {rev for rev, keys in data.uses.items() if keys & moved.lost}
        if request.run_cache:
            remote = remotes.open(request.remote)
            runs = push_runs(RunCache(layout), remote, request.jobs, meter)
            runs.check("sent")
            moved.add(runs)
    sent = [each for each in new if each.rev not in lacking]
    change_remote_refs(
        git,
        request.git_remote,
        [RefChange(each.ref, there.get(each.ref), each.rev) for each in sent],
    )
    kept = tuple(each for each in new if each.rev in lacking)
    return Shared(tuple(sent), tuple(same), tuple(refused), moved, lacking=kept)


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
    moved, warnings, lacking = Moved(), list[str](), tuple[Experiment, ...]()
    if request.cache and chosen:
        remotes = remotes_of(layout)
        objects = Objects(layout)
        data = _data(layout, git, [*new, *same], request, remotes, sent=False)
        for name, wanted in data.groups.items():
            moved.add(download(wanted, remotes.open(name), objects, jobs=request.jobs, meter=meter))
        torn = {
            rev
            for rev, keys in data.uses.items()
            if (moved.missing or moved.failures) and not all(objects.has(*key) for key in keys)
        }
        lacking = tuple(each for each in (*new, *same) if each.rev in torn)
        if request.run_cache:
            runs = RunCache(layout)
            remote = remotes.open(request.remote)
            moved.add(fetch_runs(runs, remote, objects, request.jobs, warnings, meter))
    return Shared(tuple(new), tuple(same), tuple(refused), moved, tuple(warnings), lacking)


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


class _Data(NamedTuple):
    """What experiments use, each content once, by the remote it belongs to; and by the commit that uses it."""

    groups: Mapping[str, Sequence[Wanted]]
    uses: Mapping[str, set[tuple[Oid, Algo]]]


def _data(
    layout: Layout,
    git: Git,
    experiments: Sequence[Experiment],
    request: ShareRequest,
    remotes: Remotes,
    *,
    sent: bool,
) -> _Data:
    """What the experiments use. Raises RemoteError."""
    asked = remotes.name_of(request.remote) if request.remote else None
    groups: dict[str, list[Wanted]] = defaultdict(list)
    uses: dict[str, set[tuple[Oid, Algo]]] = defaultdict(set)
    seen: set[tuple[object, ...]] = set()
    revs = list(dict.fromkeys(each.rev for each in experiments))
    for rev, used in used_by_commits(layout, git, revs):
        for _, out, entry in used:
            own = out.remote.lower() if out.remote else None
            if entry.oid is None or (sent and not out.push) or (asked and own not in (None, asked)):
                continue
            uses[rev].add((entry.oid, entry.algo))
            key = (entry.oid, entry.algo, own)
            if key not in seen:
                seen.add(key)
                groups[asked or remotes.name_of(own, out.path)].append(Wanted(out.path, entry))
    return _Data(groups, uses)

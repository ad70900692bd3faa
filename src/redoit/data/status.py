"""How data stand: what HEAD has, what is recorded now, what the workspace, the cache and a remote hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from redoit.data.remembered import Key, remember, remembered
from redoit.data.targets import Chosen, DataRequest, choose, repo_path
from redoit.data.used import Used, used_by_commits
from redoit.engine.session import Session
from redoit.errors import GitError, RedoitError, StoreError
from redoit.git import Git
from redoit.late import late
from redoit.model import Algo, Entry, Oid, RepoPath
from redoit.project import Layout
from redoit.store import tree
from redoit.store.listings import damaged, listing_of
from redoit.store.moved import Failure, Wanted
from redoit.store.remotes import Remotes
from redoit.store.transfer import present

if TYPE_CHECKING:
    from redoit.imports.sources import Sources
else:
    Sources = late("redoit.imports.sources", "Sources")


class Changes(NamedTuple):
    """Paths by what became of them; a directory ends with ``/``."""

    added: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()


class DataStatus(NamedTuple):
    """How the data of a project stand."""

    committed: Changes
    """Recorded otherwise than in HEAD."""
    uncommitted: Changes
    """In the workspace otherwise than recorded."""
    not_in_cache: tuple[str, ...]
    not_in_remote: tuple[str, ...]
    unchanged: tuple[str, ...]
    updates: tuple[str, ...] = ()
    """Imports whose source has something else now."""
    untracked: tuple[str, ...] = ()
    """Files that neither Git nor a ``.dvc`` file has."""
    damaged: tuple[str, ...] = ()
    """In the cache, but with another content than recorded, or no file at all."""
    failed: tuple[Failure, ...] = ()
    """Imports whose source could not be asked for ``updates``, and why."""


class StatusRequest(NamedTuple):
    """What ``exp data status`` is asked; each field is an option."""

    data: DataRequest = DataRequest()
    granular: bool = False
    not_in_remote: bool = False
    remote: str | None = None
    remote_refresh: bool = True
    """Ask the remote; else it has what it had when it was last asked or sent to."""
    untracked: bool = False
    updates: bool = False
    """Ask where imports come from."""


def data_status(session: Session, request: StatusRequest, remotes: Remotes) -> DataStatus:
    """Compare HEAD, the records, the workspace, the cache and, if asked, a remote. Changes nothing.

    Raises TargetNotFound, RemoteError.
    """
    chosen = choose(session, request.data)
    committed = _Sorted()
    uncommitted = _Sorted()
    unchanged: list[str] = []
    not_in_cache: list[str] = []
    bad: list[str] = []
    head = _head(session)
    cached = _Cached(session)
    for path, entry in dict(_entries(chosen)).items():
        before = head.pop(path, None)
        _compare(committed, path, before, entry, cached, granular=request.granular)
        if not session.store.has(entry):
            gone, spoilt = cached.lacking(path, entry, granular=request.granular)
            not_in_cache += gone
            bad += spoilt
        if session.look.matches(path, entry):
            if before is not None and before.oid == entry.oid:
                unchanged.append(_shown(path, entry))
        elif not session.look.exists(path):
            uncommitted.deleted.append(_shown(path, entry))
            if request.granular:
                uncommitted.deleted += [f"{path}/{name}" for name in cached.files(entry) or ()]
        else:
            _compare_work(session, uncommitted, path, entry, granular=request.granular)
    if not request.data.targets:
        committed.deleted += [_shown(path, entry) for path, entry in head.items()]
    not_in_remote: Iterable[str] = ()
    if request.not_in_remote:
        not_in_remote = _not_in_remote(session.layout, chosen, request, remotes, cached)
    meant = _Meant(chosen if request.granular else ())
    failed: list[Failure] = []
    return DataStatus(
        meant.changes(committed),
        meant.changes(uncommitted),
        meant.of(not_in_cache),
        meant.of(not_in_remote),
        meant.of(unchanged),
        tuple(_updates(session, request.data, chosen, failed)) if request.updates else (),
        tuple(_untracked(session.layout, request.data)) if request.untracked else (),
        meant.of(bad),
        tuple(failed),
    )


class _Sorted:
    """Changes as they are found."""

    def __init__(self) -> None:
        self.added: list[str] = []
        self.modified: list[str] = []
        self.deleted: list[str] = []


class _Meant:
    """Of directories of which a part was chosen, what lies there; all of the others."""

    def __init__(self, chosen: Iterable[Chosen]) -> None:
        chosen = list(chosen)
        whole = {each.path for each in chosen if each.inside is None}
        parts = [each for each in chosen if each.inside is not None and each.used.path not in whole]
        self._folders = tuple(f"{each.used.path}/" for each in parts)
        self._parts = {each.path for each in parts}
        self._below = tuple(f"{each.path}/" for each in parts)

    def of(self, paths: Iterable[str]) -> tuple[str, ...]:
        return tuple(
            path
            for path in paths
            if not path.startswith(self._folders)
            or path in self._parts
            or path.startswith(self._below)
        )

    def changes(self, found: _Sorted) -> Changes:
        return Changes(self.of(found.added), self.of(found.modified), self.of(found.deleted))


class _Cached:
    """The files of directories, as far as the cache knows them."""

    def __init__(self, session: Session) -> None:
        self._objects = session.store.objects

    def files(self, entry: Entry) -> dict[str, Oid] | None:
        oid = entry.oid
        if oid is None or not tree.is_dir_oid(oid):
            return None
        try:
            return dict(listing_of(self._objects, oid, entry.algo))
        except StoreError:
            return None

    def lacking(
        self, path: RepoPath, entry: Entry, *, granular: bool
    ) -> tuple[list[str], list[str]]:
        """What of ``entry`` is missing in the cache, and what is damaged there.

        It is the whole, or with ``granular`` the files, if they are known.
        """
        whole = _shown(path, entry)
        bad = list(damaged(self._objects, entry))
        if not granular or "" in bad:
            return ([], [whole]) if bad else ([whole], [])
        spoilt = [f"{path}/{name}" for name in bad]
        lost = [
            f"{path}/{name}"
            for name, oid in (self.files(entry) or {}).items()
            if not self._objects.has(oid, entry.algo)
        ]
        gone = [each for each in lost if each not in set(spoilt)]
        return (gone, spoilt) if gone or spoilt else ([whole], [])


def _entries(chosen: Iterable[Chosen]) -> Iterator[tuple[RepoPath, Entry]]:
    for (_, out, entry), _ in chosen:
        yield out.path, entry


def _head(session: Session) -> dict[RepoPath, Entry]:
    """What HEAD records; nothing without a commit."""
    git = Git(session.layout.root)
    try:
        rev = git.head()
    except GitError:
        return {}
    used: Sequence[Used] = [
        each for _, found in used_by_commits(session.layout, git, [rev], skip=[]) for each in found
    ]
    return {each.path: each.entry for each in used}


def _compare(
    into: _Sorted,
    path: RepoPath,
    before: Entry | None,
    now: Entry,
    cached: _Cached,
    *,
    granular: bool,
) -> None:
    if before is None:
        into.added.append(_shown(path, now))
    elif before.oid != now.oid:
        into.modified.append(_shown(path, now))
    else:
        return
    if granular:
        old = cached.files(before) if before is not None else {}
        new = cached.files(now)
        if old is not None and new is not None:
            _compare_files(into, path, old, new)


def _compare_work(
    session: Session, into: _Sorted, path: RepoPath, entry: Entry, *, granular: bool
) -> None:
    """What lies in the workspace is something else than what is recorded."""
    try:
        content = session.look.content_by(path, entry.algo)
    except StoreError:
        content = None
    shown = path if content is None or content.nfiles is None else f"{path}/"
    into.modified.append(shown)
    if not granular or content is None or content.nfiles is None:
        return
    # In this order: what listing takes in memory is free again before the other is there.
    new = _work_files(session, path, entry.algo)
    old = _Cached(session).files(entry)
    if old is not None:
        _compare_files(into, path, old, new)


def _work_files(session: Session, path: RepoPath, algo: Algo) -> dict[str, Oid]:
    listing, digests = session.look.listed(path, algo)
    return {
        name: oid
        for name, digest in zip(listing.names, digests, strict=True)
        if (oid := digest.oid(algo)) is not None
    }


def _compare_files(
    into: _Sorted, path: RepoPath, old: Mapping[str, Oid], new: Mapping[str, Oid]
) -> None:
    into.added += [f"{path}/{name}" for name in new if name not in old]
    into.modified += [f"{path}/{name}" for name, oid in new.items() if old.get(name, oid) != oid]
    into.deleted += [f"{path}/{name}" for name in old if name not in new]


def _updates(
    session: Session, request: DataRequest, chosen: Sequence[Chosen], failed: list[Failure]
) -> Iterator[str]:
    """Imports whose source has another commit or content than is recorded; a source that cannot be asked goes into ``failed``."""
    stages = (
        [used.stage for used, _ in chosen] if request.targets else session.graph.stages.values()
    )
    sources = Sources(session.layout, session.store.objects, cwd=request.cwd)
    for stage in {each.address: each for each in stages}.values():
        if stage.origin is None:
            continue
        try:
            if sources.has_news(stage.origin, stage.wdir):
                yield stage.outs[0].path
        except RedoitError as error:
            facts = "; ".join(str(value) for value in error.facts.values())
            failed.append(Failure(stage.outs[0].path, f"{error.what}: {facts}".rstrip(": ")))


def _untracked(layout: Layout, request: DataRequest) -> list[str]:
    """Files that Git neither tracks nor ignores, of all or of the targets; none without Git."""
    if layout.config.no_scm:
        return []
    paths = [repo_path(target, request, layout.root) for target in request.targets]
    try:
        return Git(layout.root).untracked([path or "." for path in paths])
    except GitError:
        return []


def _not_in_remote(
    layout: Layout,
    chosen: Sequence[Chosen],
    request: StatusRequest,
    remotes: Remotes,
    cached: _Cached,
) -> Iterator[str]:
    """Data whose own object a remote lacks, with ``request.granular`` also the files of directories that it lacks.

    The object of a directory comes after its files: without ``granular`` they are not asked for.
    """
    groups: dict[str, list[Wanted]] = {}
    for stage, out, entry in {each.used.path: each.used for each in chosen}.values():
        if out.push and entry.oid and (stage.origin is None or stage.origin.repo is None):
            name = remotes.name_of(request.remote or out.remote)
            groups.setdefault(name, []).append(Wanted(out.path, entry))
    for name, wanted in groups.items():
        rows = [row for each in wanted for row in _rows(each, cached, granular=request.granular)]
        token = remotes.token(name)
        if request.remote_refresh:
            asked = dict.fromkeys(row.key for row in rows)
            there = present(asked, remotes.open(name))
            torn = {row.whole for row in rows if row.key not in there}
            remember(layout, token, asked, there - torn)
        else:
            there = remembered(layout, token)
            there |= {row.key for row in rows if row.whole in there}
        for row in rows:
            if row.key not in there:
                yield row.path


class _Row(NamedTuple):
    """An object to ask a remote for, and that of the directory or file that it belongs to."""

    path: str
    key: Key
    whole: Key


def _rows(wanted: Wanted, cached: _Cached, *, granular: bool) -> Iterator[_Row]:
    path, entry, _ = wanted
    assert entry.oid is not None
    whole = (entry.oid, entry.algo)
    yield _Row(_shown(RepoPath(path), entry), whole, whole)
    for name, oid in ((cached.files(entry) if granular else None) or {}).items():
        yield _Row(f"{path}/{name}", (oid, entry.algo), whole)


def _shown(path: RepoPath, entry: Entry) -> str:
    return f"{path}/" if entry.oid and tree.is_dir_oid(entry.oid) else path

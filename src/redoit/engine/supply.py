"""Data that a run needs and does not have, got from remotes: only what stages that run, or are restored, need."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from redoit.engine.session import Session
from redoit.errors import RedoitError, TransferFailed
from redoit.late import late
from redoit.model import Address, Entry, Oid, Out, RepoPath, Stage
from redoit.store.inside import check_inside
from redoit.store.listings import listing_of
from redoit.store.moved import Meter, Moved, SilentMeter, Wanted
from redoit.store.transfer import download
from redoit.trace.cloud import remotes_of
from redoit.trace.remote_runs import fetch_runs

if TYPE_CHECKING:
    from redoit.imports.fetch import Lacking, fetch_imported
    from redoit.imports.sources import Sources
else:
    Sources = late("redoit.imports.sources", "Sources")
    Lacking = late("redoit.imports.fetch", "Lacking")
    fetch_imported = late("redoit.imports.fetch", "fetch_imported")


class Supply:
    """Owns the remotes of one run, and what came from them. Thread-safe: one stage is served at a time."""

    def __init__(self, session: Session, meter: Meter | None = None) -> None:
        self._session = session
        self._remotes = remotes_of(session.layout)
        self._meter = meter or SilentMeter()
        self._lock = threading.Lock()
        self._has_runs = False
        self._imports = {
            out.path: stage
            for stage in session.graph.stages.values()
            if stage.origin is not None
            for out in stage.outs
        }
        self.moved = Moved()
        self.served: set[Address] = set()
        """Stages of which nothing has changed: their outs were got, or would be."""
        self.warnings: list[str] = []

    def is_only_missing(self, stage: Stage) -> bool:
        """Whether nothing is wrong with ``stage`` but that data are not here."""
        return not self._session.lenient().reasons(stage)

    def deps(self, stage: Stage) -> None:
        """Put what ``stage`` reads, and what is not there, into the workspace, where an out is recorded for it.

        Raises TransferFailed, RemoteError, StoreError.
        """
        session = self._session
        with self._lock:
            for dep in stage.deps:
                parts = self._parts(dep.path)
                for out, entry, _ in parts:
                    # Once the cache has the rest, it could as well have been deleted.
                    if session.exists(out.path):
                        session.store.mark_part(out.path, entry)
                self._get([(out, entry, inside) for out, entry, inside in parts])
                for out, entry, inside in parts:
                    _put(session, out.path, entry, inside)

    def outs(self, outs: Iterable[tuple[Out, Entry]]) -> bool:
        """Put these outs into the cache. False if a remote does not have all of them, for which there is a warning."""
        error = self.try_outs(outs)
        if error is not None:
            warning = "; ".join((error.what, *(f"{k}: {v}" for k, v in error.facts.items())))
            if warning not in self.warnings:
                self.warnings.append(warning)
        return error is None

    def try_outs(self, outs: Iterable[tuple[Out, Entry]]) -> RedoitError | None:
        """As ``outs``; what was in the way, or None."""
        wanted = [(out, entry, None) for out, entry in outs if entry.oid is not None]
        with self._lock:
            try:
                self._get(wanted)
            except RedoitError as error:
                return error
        lost = [out.path for out, entry, _ in wanted if not self._session.cached(entry)]
        return (
            TransferFailed("not everything was got", facts={"missing": ", ".join(lost)})
            if lost
            else None
        )

    def imported(self, stage: Stage, out: Out) -> Entry:
        """Put imported data of which nothing is recorded into the cache. Raises GitError, StoreError, TransferFailed."""
        assert stage.origin is not None
        session = self._session
        with self._lock:
            sources = Sources(session.layout, session.store.objects, self._meter)
            entry: Entry = sources.take(stage.origin, stage.wdir).entry
            self._add(sources.moved)
            return entry._replace(path=out.text)

    def runs(self) -> None:
        """Get the records of earlier runs, once in this run; without them there is less to restore."""
        with self._lock:
            if self._has_runs:
                return
            self._has_runs = True
            try:
                remote = self._remotes.open()
                if remote.storage.lists:
                    runs, objects = self._session.run_cache, self._session.store.objects
                    moved = fetch_runs(runs, remote, objects, 0, self.warnings, self._meter)
                    moved.check("got of the run cache")
            except RedoitError as error:
                self.warnings.append(f"the run cache was not got: {error.what}")

    def _parts(self, path: RepoPath) -> list[tuple[Out, Entry, str | None]]:
        """The outs, or the part of one, that make up the dep ``path`` and are not in the workspace."""
        session = self._session
        found: list[tuple[Out, Entry, str | None]] = []
        for stage in session.graph.stages.values():
            for out, entry in session.out_entries(stage):
                if entry is None or entry.oid is None or not out.cache:
                    continue
                if out.path == path or out.path.startswith(f"{path}/") or not path:
                    if not session.exists(out.path) or session.lack(out.path):
                        found.append((out, entry, None))
                elif path.startswith(f"{out.path}/") and (
                    not session.exists(path) or session.lack(path)
                ):
                    found.append((out, entry, path[len(out.path) + 1 :]))
        return found

    def _get(self, wanted: Iterable[tuple[Out, Entry, str | None]]) -> None:
        groups: dict[str | None, list[Wanted]] = defaultdict(list)
        imported: list[Lacking] = []
        for out, entry, inside in wanted:
            if self._session.cached(entry):
                continue
            stage = self._imports.get(out.path)
            if stage is not None and stage.origin is not None:
                imported.append(Lacking(stage, stage.origin, out, entry, inside))
            else:
                groups[out.remote].append(Wanted(out.path, entry, inside))
        if imported:
            layout, objects = self._session.layout, self._session.store.objects
            self._add(fetch_imported(imported, layout, objects, self._remotes, meter=self._meter))
        for name, each in groups.items():
            moved = download(
                each, self._remotes.open(name), self._session.store.objects, meter=self._meter
            )
            self._add(moved)

    def _add(self, moved: Moved) -> None:
        self.moved.files += moved.files
        self.moved.size += moved.size
        moved.check("got")


def _put(session: Session, path: RepoPath, entry: Entry, inside: str | None) -> None:
    """Check out an out, or the files of a directory that are ``inside`` or below it; what was edited stays."""
    check_inside(session.layout, [path])
    store = session.store
    if inside is None and not session.exists(path):
        store.checkout(path, entry)
        return
    lack = store.lack(path, entry, inside)
    if inside is None:
        if lack is not None:
            store.complete(path, entry, lack)
        store.unmark(path)
        session.look.forget(path)  # links that led nowhere lead to the new objects
    else:
        missing = lack.absent if lack is not None else _files_inside(session, path, entry, inside)
        store.checkout_files(path, entry, missing)


def _files_inside(
    session: Session, path: RepoPath, entry: Entry, inside: str
) -> Iterator[tuple[str, Oid]]:
    """Those files of a directory that are ``inside`` or below it, and not in the workspace."""
    assert entry.oid is not None
    for name, oid in listing_of(session.store.objects, entry.oid, entry.algo):
        meant = name == inside or name.startswith(f"{inside}/")
        if meant and not session.exists(RepoPath(f"{path}/{name}")):
            yield name, oid

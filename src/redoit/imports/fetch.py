"""Recorded data of imports that the cache lacks: from a remote of this project's, else from where they come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from redoit.errors import RedoitError, RemoteError
from redoit.imports.other import has
from redoit.imports.sources import Sources
from redoit.model import Entry, Import, Out, Stage
from redoit.project import Layout
from redoit.store.moved import Failure, Meter, Moved, SilentMeter, Wanted
from redoit.store.objects import Objects
from redoit.store.places import has_versions
from redoit.store.remotes import Remotes
from redoit.store.transfer import download


class Lacking(NamedTuple):
    """Imported data that may not be in the cache; with ``inside`` only what lies there in their directory."""

    stage: Stage
    origin: Import
    out: Out
    entry: Entry
    inside: str | None = None

    @property
    def path(self) -> str:
        """How it is called in messages."""
        return f"{self.out.path}/{self.inside}" if self.inside else self.out.path


def fetch_imported(
    lacking: Iterable[Lacking],
    layout: Layout,
    objects: Objects,
    remotes: Remotes,
    *,
    remote: str | None = None,
    jobs: int = 0,
    meter: Meter | None = None,
    cwd: str = "",
) -> Moved:
    """Get these into the cache. What failed is in the result.

    ``remote`` is that of this project to look into, by default that of the out; one that there is not, that cannot
    be reached or that lacks something is no failure, as there is still the source.
    """
    meter = meter or SilentMeter()
    moved = Moved()
    rest = [each for each in lacking if not has(objects, each.entry, each.inside)]
    for each in rest:
        # What a cloud keeps versions of is sent to no remote.
        if not has_versions(each.origin.record or {}):
            _from_own(each, objects, remotes, remote, jobs, meter, moved)
    rest = [each for each in rest if not has(objects, each.entry, each.inside)]
    for algo in dict.fromkeys(each.entry.algo for each in rest):
        sources = Sources(layout, objects, meter, jobs=jobs, cwd=cwd, algo=algo)
        _from_sources([each for each in rest if each.entry.algo is algo], sources, objects, moved)
    return moved


def _from_own(
    each: Lacking,
    objects: Objects,
    remotes: Remotes,
    remote: str | None,
    jobs: int,
    meter: Meter,
    moved: Moved,
) -> None:
    wanted = [Wanted(each.out.path, each.entry, each.inside)]
    try:
        got = download(
            wanted, remotes.open(remote or each.out.remote), objects, jobs=jobs, meter=meter
        )
    except RemoteError:
        return
    moved.files += got.files
    moved.size += got.size


def _from_sources(
    lacking: Sequence[Lacking], sources: Sources, objects: Objects, moved: Moved
) -> None:
    for each in lacking:
        try:
            sources.take(each.origin, each.stage.wdir)
        except RedoitError as error:
            facts = "; ".join(str(value) for value in error.facts.values())
            moved.failures.append(Failure(each.path, f"{error.what}: {facts}".rstrip(": ")))
            continue
        if not has(objects, each.entry, each.inside):
            why = (
                f"its source has other content now (`exp data update {each.stage.file}` takes that)"
            )
            moved.failures.append(Failure(each.path, why))
    moved.files += sources.moved.files
    moved.size += sources.moved.size

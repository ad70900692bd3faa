"""The cache as a whole: every object looked at, or all content named anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from redoit.config.edit import set_option
from redoit.engine.session import Session, open_session
from redoit.model import Algo, RepoPath
from redoit.project import Layout
from redoit.store import BadObject, Item
from redoit.trace import migrate_traces


class Migrated(NamedTuple):
    """What a migration of the cache did."""

    files: tuple[RepoPath, ...]
    """The files that were rewritten; none: the project was so already."""
    lost: tuple[RepoPath, ...]
    """Paths whose recorded content is neither in the cache nor in the workspace: their records stay."""


def verify_cache(layout: Layout) -> Iterator[BadObject]:
    """Read every object of the cache; yields those whose content is not what their name says."""
    with open_session(layout) as session:
        yield from session.store.verify()


def migrate_cache(layout: Layout, algo: Algo) -> Migrated:
    """Name all content by ``algo``: objects, then traces, then the project's setting; the workspace must be held.

    Raises StoreError, TraceError; the old objects stay.
    """
    with open_session(layout) as session:
        found = session.store.migrate(_recorded(session), algo)
        session.store.sync()
        data_files = [stage.file for stage in session.graph.stages.values() if stage.is_data]
        files = migrate_traces(layout, session.index.files, data_files, found.oids, algo)
    if layout.algo is not algo:
        set_option(layout.root, "redoit.hash", algo.value, cwd=layout.root)
        files = [*files, RepoPath(".dvc/redoit.toml")]
    return Migrated(tuple(files), tuple(dict.fromkeys(item.path for item in found.lost)))


def _recorded(session: Session) -> Iterator[Item]:
    """Every entry of every trace, with the path it is about and whether the cache is to hold it."""
    for address in (*session.data, *session.traces.addresses()):
        stage = session.graph.stages.get(address)
        trace = session.data.get(address) or session.traces.get(address)
        if trace is None:
            continue
        deps = {dep.text: dep.path for dep in stage.deps} if stage else {}
        outs = {out.text: out for out in stage.outs} if stage else {}
        for entry in trace.deps:
            yield Item(deps.get(entry.path, RepoPath(entry.path)), entry, cached=False)
        for entry in trace.outs:
            out = outs.get(entry.path)
            path = out.path if out else RepoPath(entry.path)
            yield Item(path, entry, cached=out.cache if out else True)

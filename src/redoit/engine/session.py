"""A project as read once for a run: stages, graph, traces, and the eyes on the workspace."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from redoit.engine.decide import all_reasons, entries_of, same_record
from redoit.errors import StoreError
from redoit.graph import Graph, build_graph
from redoit.model import Address, Entry, Out, ParamsDep, Reason, RepoPath, Stage, Trace
from redoit.project import Layout
from redoit.shared import Once
from redoit.spec import Index, ParamsFiles, load_index, read_ignore
from redoit.store import Look, StatCache, Store
from redoit.store.incomplete import Lack
from redoit.trace import RunCache, Traces, write_data_file


@dataclass(frozen=True)
class Session:
    """Owns what a run reads and writes; every part is opened once and shared by all threads of the run."""

    layout: Layout
    index: Index
    graph: Graph
    traces: Traces
    run_cache: RunCache
    state: StatCache
    look: Look
    store: Store
    params_files: ParamsFiles
    data: dict[Address, Trace]
    """The traces of ``.dvc`` files."""
    entries_of: Once[dict[RepoPath, Entry]] = field(default_factory=lambda: Once(entries_of))
    allow_missing: bool = False
    """Stages are up to date although data that they read and wrote are not here."""
    to_be_made: set[Address] = field(default_factory=set)
    """In a dry run: stages that would run, so that what they write will be another."""

    # --- View: what decide asks -------------------------------------------------------------------

    def exists(self, path: RepoPath) -> bool:
        return self.look.exists(path)

    def matches(self, path: RepoPath, entry: Entry) -> bool:
        return self.look.matches(path, entry)

    def cached(self, entry: Entry) -> bool:
        return self.store.has(entry)

    def may_lack(self, path: RepoPath, entry: Entry) -> bool:
        if not self.allow_missing:
            return False
        address = self._writers.get(path)
        if address is None:
            return True
        if address in self.to_be_made:
            return False
        stage = self.graph.stages[address]
        return any(
            used_entry is not None and same_record(used_entry, entry)
            for out, used_entry in self.out_entries(stage)
            if out.path == path
        )

    def may_be_part(self, path: RepoPath, entry: Entry) -> bool:
        if not self.allow_missing or not self.may_lack(path, entry):
            return False
        lack = self.lack(path)
        return lack is not None and not (lack.edited or lack.other)

    def holds(self, path: RepoPath, entry: Entry) -> bool:
        """Whether the dep ``path`` is no reason to run: it is as recorded, or may be missing."""
        if self.look.matches(path, entry):
            return True
        return (self.may_be_part if self.look.exists(path) else self.may_lack)(path, entry)

    def lack(self, path: RepoPath) -> Lack | None:
        """What lacks at ``path``, an out or something in it, because only a part of the out was put there."""
        if not self.look.may_be_part(path):
            return None
        above: str = path
        while above and above not in self._writers:
            above = above.rpartition("/")[0]
        address = self._writers.get(RepoPath(above))
        if address is None:
            return None
        for out, entry in self.out_entries(self.graph.stages[address]):
            if out.path == above and out.cache and entry is not None:
                inside = path[len(above) + 1 :] or None
                return self.store.lack(out.path, entry, inside)
        return None

    @cached_property
    def _writers(self) -> dict[RepoPath, Address]:
        return {
            out.path: address for address, stage in self.graph.stages.items() for out in stage.outs
        }

    def out_entries(self, stage: Stage) -> list[tuple[Out, Entry | None]]:
        """The outs of a stage, each with what is recorded of it."""
        trace = self.trace(stage)
        entries = {entry.path: entry for entry in trace.outs} if trace else {}
        return [(out, entries.get(out.text)) for out in stage.outs]

    def lenient(self) -> Session:
        """The same session, in which missing data are no reason to run."""
        return replace(self, allow_missing=True)

    def digest(self, path: RepoPath) -> str | None:
        try:
            content = self.look.content(path)
        except StoreError:
            return "unreadable"
        return content.oid if content else None

    def params(self, dep: ParamsDep) -> Mapping[str, Any] | None:
        return self.params_files.values(dep)

    def note_completed(self) -> None:
        """Directories that are whole by now need no longer be known as parts."""
        for path in self.store.marked():
            address = self._writers.get(path)
            outs = self.out_entries(self.graph.stages[address]) if address is not None else []
            if any(out.path == path and entry and self.matches(path, entry) for out, entry in outs):
                self.store.unmark(path)

    # --- traces -----------------------------------------------------------------------------------

    def trace(self, stage: Stage) -> Trace | None:
        """The stage's last trace; of a ``.dvc`` file what it says itself."""
        if stage.is_data:
            return self.data.get(stage.address)
        return self.traces.get(stage.address)

    def dep_entries(self, stage: Stage) -> dict[RepoPath, Entry] | None:
        """The entries of the stage's deps in its last trace; None if it never ran."""
        trace = self.trace(stage)
        return None if trace is None else self.entries_of(stage.deps, trace.deps)

    def record(self, stage: Stage, trace: Trace) -> None:
        """Remember ``trace`` so that it survives a kill from here on."""
        if stage.is_data:
            self.data[stage.address] = trace
            self._let_git_ignore(stage)
            write_data_file(self.layout, stage, trace)
        else:
            self.traces.record(stage, trace)

    def _let_git_ignore(self, stage: Stage) -> None:
        self.store.ignore([out.path for out in stage.outs if out.cache])

    def reasons(self, stage: Stage) -> list[Reason]:
        """Why ``stage`` would run now; empty if it is up to date."""
        return list(all_reasons(stage, self.trace(stage), self))

    # --- the workspace changes --------------------------------------------------------------------

    def written(self, stage: Stage) -> None:
        """The stage's command has just run: look anew at what it may have changed."""
        for out in stage.outs:
            self.look.forget(out.path)
            self.params_files.forget(out.path)
        for dep in stage.deps:
            self.look.forget(dep.path)

    def prefetch(self, stages: Sequence[Stage]) -> None:
        """Look at everything these stages read and wrote, several files at a time."""
        entries: dict[RepoPath, Entry] = {}
        paths: dict[RepoPath, None] = {}
        lists: set[int] = set()
        for stage in stages:
            trace = self.trace(stage)
            outs = {entry.path: entry for entry in trace.outs} if trace else {}
            for out in stage.outs:
                paths[out.path] = None
                if out.text in outs:
                    entries[out.path] = outs[out.text]
            # Many stages may read one file: it is enough to know one entry that it may be equal to.
            if id(stage.deps) in lists:
                continue
            lists.add(id(stage.deps))
            new = [dep for dep in stage.deps if dep.path not in paths]
            if new and trace and not stage.frozen:
                entries.update(self.entries_of(stage.deps, trace.deps))
            for dep in new:
                paths[dep.path] = None
        self.look.prefetch(paths, entries)

    def write(self, order: Sequence[Address]) -> None:
        """Make everything recorded durable, objects before what names them; new stages in ``order``.

        ``.gitignore`` files are written here too, so that their lines come in the order of the plan,
        however many stages ran at a time.
        """
        self.store.sync()
        pending = dict.fromkeys(self.traces.pending())
        for address in (*(a for a in order if a in pending), *pending):
            stage = self.graph.stages.get(address)
            if stage is not None:
                self._let_git_ignore(stage)
        self.traces.write(order)

    def close(self, order: Sequence[Address]) -> None:
        """As ``write``; then the session is over."""
        try:
            self.write(order)
        finally:
            self.state.close()


@contextlib.contextmanager
def open_session(layout: Layout) -> Iterator[Session]:
    """Read the project. Raises SpecError, GraphError, TraceError or ConfigError for what cannot be read.

    Nothing is written but by ``record`` and ``close``.
    """
    session = load_session(layout)
    try:
        yield session
    finally:
        session.state.close()


def load_session(layout: Layout) -> Session:
    """As ``open_session``, for callers that close it themselves."""
    session = _read_session(layout)
    _doubt(session)
    return session


def _doubt(session: Session) -> None:
    """After a power cut, objects that the journal names may never have reached the disk: read them."""
    for address in list(session.traces.unsafe):
        trace = session.traces.get(address)
        stage = session.graph.stages.get(address)
        cached = {out.text for out in stage.outs if out.cache} if stage else set()
        outs = [entry for entry in trace.outs if entry.path in cached] if trace else []
        whole = [session.store.is_whole(entry) for entry in outs]
        if not all(whole):
            session.traces.forget(address)


def _read_session(layout: Layout) -> Session:
    index = load_index(layout)
    graph = build_graph(index.stages)
    traces = Traces(layout, index.files)
    state = StatCache(layout)
    look = Look(layout, state, read_ignore(layout))
    return Session(
        layout=layout,
        index=index,
        graph=graph,
        traces=traces,
        run_cache=RunCache(layout),
        state=state,
        look=look,
        store=Store(layout, look, state),
        params_files=ParamsFiles(layout),
        data=dict(index.recorded),
    )

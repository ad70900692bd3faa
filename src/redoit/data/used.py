"""The data that the workspace and commits use: each out that the cache keeps, with what is recorded of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from redoit.engine.session import Session
from redoit.errors import RedoitError
from redoit.git import Git
from redoit.git_objects import GitObjects
from redoit.graph import Graph, build_graph
from redoit.model import Address, Entry, Out, RepoPath, Stage, Trace
from redoit.project import Layout
from redoit.spec import Index, read_index
from redoit.spec.tree_files import TreeFiles
from redoit.trace.recorded import recorded_traces

_Read = TypeVar("_Read")


class Used(NamedTuple):
    """An out that the cache keeps, and what is recorded of it."""

    stage: Stage
    out: Out
    entry: Entry

    @property
    def path(self) -> RepoPath:
        return self.out.path


class Recorded(NamedTuple):
    """What the workspace or a commit says of its data: enough to find there what a target names."""

    graph: Graph
    groups: Mapping[Address, Sequence[Address]]
    used: Sequence[Used]


class Commits(NamedTuple):
    """Which commits are meant beside the workspace."""

    all_branches: bool = False
    all_tags: bool = False
    all_commits: bool = False
    revs: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.all_branches or self.all_tags or self.all_commits or bool(self.revs)


def used_by(stage: Stage, trace: Trace | None) -> Iterator[Used]:
    """The outs of a stage that the cache keeps and of which something is recorded."""
    entries = {entry.path: entry for entry in trace.outs} if trace else {}
    for out in stage.outs:
        entry = entries.get(out.text)
        if out.cache and entry is not None and entry.oid is not None:
            yield Used(stage, out, entry)


def used_by_workspace(session: Session, addresses: Iterable[Address] | None = None) -> list[Used]:
    """The data that the workspace's ``dvc.lock`` and ``.dvc`` files name, of all stages or of these."""
    stages = session.graph.stages
    chosen = stages if addresses is None else addresses
    return [
        used
        for address in chosen
        for used in used_by(stages[address], session.trace(stages[address]))
    ]


def recorded_by_workspace(session: Session) -> Recorded:
    """The data of the workspace with its stages."""
    return Recorded(session.graph, session.index.groups, used_by_workspace(session))


class CommitReader:
    """Reads what many commits use; owns what one reading teaches the next. To be closed."""

    def __init__(self, layout: Layout, git: Git) -> None:
        self._layout = layout
        self._objects = GitObjects(git)
        self._prefix = git.prefix()
        self._states: Mapping[str, Any] = {}
        self._locks: dict[str, Any] = {}
        self._trees: dict[str, list[Used]] = {}

    def close(self) -> None:
        """End the process of Git."""
        self._objects.close()

    def used(self, rev: str) -> list[Used]:
        """The data that a commit names. Raises GitError, SpecError, TraceError."""
        tree = self._objects.commit(rev).tree
        if tree not in self._trees:
            self._trees[tree] = list(self._read(tree)[1])
        return self._trees[tree]

    def recorded(self, rev: str) -> Recorded:
        """The same with the commit's stages. Raises as ``used``, and GraphError."""
        index, used = self._read(self._objects.commit(rev).tree)
        return Recorded(build_graph(index.stages), index.groups, list(used))

    def _read(self, tree: str) -> tuple[Index, Iterator[Used]]:
        files = TreeFiles(self._layout.root, self._objects, tree, self._prefix)
        if not files.is_dir(""):
            return Index({}, {}, {}, {}), iter(())
        index, self._states = read_index(self._layout, files, self._states)
        return index, self._used(files, index)

    def _used(self, files: TreeFiles, index: Index) -> Iterator[Used]:
        for address, trace in recorded_traces(files, index, self._locks):
            stage = index.stages.get(address)
            if stage is not None:
                yield from used_by(stage, trace)


def commits_of(git: Git, commits: Commits) -> list[str]:
    """The shas that ``commits`` means, each once. Raises GitError for a revision that there is not."""
    found: dict[str, None] = {}
    if commits.all_commits:
        listed = git.run("rev-list", "--branches", "--tags", "--remotes", "HEAD", "--").decode()
        found.update(dict.fromkeys(listed.split()))
    kinds = ["refs/heads"] if commits.all_branches else []
    kinds += ["refs/tags"] if commits.all_tags else []
    if kinds:
        form = "--format=%(objectname) %(*objectname)"
        listed = os.fsdecode(git.run("for-each-ref", form, *kinds))
        found.update((line.split()[-1], None) for line in listed.splitlines())
    for rev in commits.revs:
        found[
            git.run("rev-parse", "--verify", "--end-of-options", f"{rev}^{{commit}}")
            .decode()
            .strip()
        ] = None
    return list(found)


def used_by_commits(
    layout: Layout, git: Git, revs: Iterable[str], *, skip: list[str] | None = None
) -> Iterator[tuple[str, list[Used]]]:
    """Sha and the data that the commit names. One that cannot be read is put into ``skip``, or its error raised."""
    return _by_commits(CommitReader.used, layout, git, revs, skip)


def recorded_by_commits(
    layout: Layout, git: Git, revs: Iterable[str], *, skip: list[str] | None = None
) -> Iterator[tuple[str, Recorded]]:
    """The same with the stages of each commit."""
    return _by_commits(CommitReader.recorded, layout, git, revs, skip)


def _by_commits(
    read: Callable[[CommitReader, str], _Read],
    layout: Layout,
    git: Git,
    revs: Iterable[str],
    skip: list[str] | None,
) -> Iterator[tuple[str, _Read]]:
    reader = CommitReader(layout, git)
    try:
        for rev in revs:
            try:
                yield rev, read(reader, rev)
            except RedoitError as error:
                if skip is None:
                    raise
                skip.append(f"the commit {rev[:7]} cannot be read: {error.what}")
    finally:
        reader.close()

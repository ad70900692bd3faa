"""What a commit, or the workspace, says: its params, metrics, deps and outs, read without a checkout."""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from redoit.errors import GitError, ProjectError, RedoitError, StoreError
from redoit.experiments.plain import only_metrics, pick, plain
from redoit.git import Git
from redoit.git_objects import GitObjects
from redoit.model import Entry, OutKind, ParamsDep, RepoPath, Stage
from redoit.project import Layout
from redoit.spec import Files, Index, ParamsFiles, WorkFiles, load_index, read_index
from redoit.spec.formats import read_values
from redoit.spec.source import Source
from redoit.spec.tree_files import TreeFiles
from redoit.store.objects import Objects
from redoit.store.tree import decode as decode_dir
from redoit.store.tree import is_dir_oid
from redoit.trace.recorded import recorded_traces
from redoit.trace.traces import kept_locks

WORKSPACE = "workspace"
"""What stands for a commit's sha in the Revision of the workspace."""
DEFAULT_PARAMS = RepoPath("params.yaml")


class Problem(NamedTuple):
    """Why something could not be read: the kind of error, and its one line."""

    kind: str
    what: str
    passing: bool = False
    """It may be gone the next time: the cache lacks an object."""


class Values(NamedTuple):
    """The content of a params or metrics file as JSON knows it, or the problem with it."""

    data: Any = None
    problem: Problem | None = None


class Content(NamedTuple):
    """What ``dvc.lock`` or a ``.dvc`` file records of a dep or an out; all None: nothing."""

    oid: str | None = None
    size: int | None = None
    nfiles: int | None = None


class OutContent(NamedTuple):
    """As Content, of an out: whether the cache holds it, and whether it is data of a ``.dvc`` file."""

    oid: str | None
    size: int | None
    nfiles: int | None
    cached: bool
    is_data: bool


class Revision(NamedTuple):
    """What the commit ``rev`` says; paths are relative to the project's root.

    ``time`` is when the commit was made (seconds since 1970), None for the workspace. ``problem`` tells why
    it could not be read at all; then there is nothing else.
    """

    rev: str
    time: int | None = None
    parent: str | None = None
    """The commit before it."""
    params: Mapping[str, Values] = {}
    """Every params file, the project's ``params.yaml`` included, with all values that are tracked of it."""
    tracked: Mapping[str, tuple[str, ...]] = {}
    """The params files that stages depend on: the keys they read, none for the whole file."""
    used: Mapping[str, Mapping[str, Any]] = {}
    """Vars files: dotted key → value of what stages take from them by ``${...}``; in ``params`` too."""
    metrics: Mapping[str, Values] = {}
    deps: Mapping[str, Content] = {}
    outs: Mapping[str, OutContent] = {}
    problem: Problem | None = None

    @property
    def param_deps(self) -> dict[str, Values]:
        """``params`` without what no stage depends on."""
        found = {
            path: Values(pick(values.data, keys), values.problem) if keys else values
            for path, keys in self.tracked.items()
            if (values := self.params.get(path)) is not None
        }
        return {**{path: Values(values) for path, values in self.used.items()}, **found}

    @property
    def is_final(self) -> bool:
        """Whether it was read, and no other time would show more of it."""
        values = (*self.params.values(), *self.metrics.values())
        return self.problem is None and not any(
            each.problem is not None and each.problem.passing for each in values
        )


class RevisionReader:
    """Reads many Revisions of one project; owns what one reading teaches the next.

    ``git`` and ``objects`` are for commits; ``objects`` is the caller's to close. For one thread.
    """

    def __init__(
        self, layout: Layout, git: Git | None = None, objects: GitObjects | None = None
    ) -> None:
        self._layout = layout
        self._objects = objects
        self._prefix = git.prefix() if git is not None else ""
        self._cache = Objects(layout)
        self._states: Mapping[str, Any] = {}
        self._locks: dict[str, Any] = {}

    def workspace(self) -> Revision:
        """What the work tree says. A mistake in ``dvc.yaml`` or ``dvc.lock`` is its problem, not raised."""
        self._locks = {**kept_locks(self._layout), **self._locks}
        kept = ParamsFiles(self._layout)
        return self._read(WorkFiles(self._layout.root), Revision(WORKSPACE), kept)

    def files(self, rev: str, paths: Iterable[str], *, metrics: bool) -> dict[str, Values]:
        """The values of any files and directories of a commit or the workspace, tracked or not.

        Raises SpecError for a mistake in ``dvc.yaml``, GitError.
        """
        _, content = self.open(rev)
        return {
            path: content.metrics(path) if metrics else content.params(path, ())
            for path, _ in content.expand(dict.fromkeys(paths, ()))
        }

    def open(self, rev: str) -> tuple[Index, RevisionFiles]:
        """The stages and the files of a commit or the workspace, to read of it what is wanted.

        Raises SpecError for a mistake in ``dvc.yaml``, TraceError, GitError.
        """
        files: Files = WorkFiles(self._layout.root)
        if rev != WORKSPACE:
            assert self._objects is not None
            tree = self._objects.commit(rev).tree
            files = TreeFiles(self._layout.root, self._objects, tree, self._prefix)
        index = self._index(files)
        return index, RevisionFiles(files, index, self._entries(files, index), self._cache)

    def commit(self, rev: str) -> Revision:
        """What the commit with this sha says, likewise. Raises GitError if there is no such commit."""
        assert self._objects is not None
        commit = self._objects.commit(rev)
        files = TreeFiles(self._layout.root, self._objects, commit.tree, self._prefix)
        empty = Revision(rev, commit.time, commit.parents[0] if commit.parents else None)
        if not files.is_dir(""):
            return empty._replace(
                problem=problem_of(ProjectError(f"it has no folder {self._prefix}"))
            )
        return self._read(files, empty)

    def _read(self, files: Files, empty: Revision, parsed: ParamsFiles | None = None) -> Revision:
        try:
            index = self._index(files)
            entries = self._entries(files, index)
        except (RedoitError, OSError) as error:
            return empty._replace(problem=problem_of(error))
        content = RevisionFiles(files, index, entries, self._cache, parsed)
        tracked = dict(content.expand(_tracked(index)))
        wanted = dict(content.expand(_all_params(files, index)))
        params = {path: content.params(path, keys) for path, keys in wanted.items()}
        used: dict[str, dict[str, Any]] = {}
        for top in index.files.values():
            for path, values in (top.used or {}).items():
                used.setdefault(path, {}).update(values)
        return empty._replace(
            params={**params, **{p: Values(v) for p, v in used.items() if p not in params}},
            tracked=tracked,
            used=used,
            metrics={
                path: content.metrics(path) for path, _ in content.expand(_metrics_files(index))
            },
            deps=_deps(index, entries),
            outs=_outs(index, entries),
        )

    def _index(self, files: Files) -> Index:
        if files.is_work_tree:
            return load_index(self._layout)
        index, self._states = read_index(self._layout, files, self._states)
        return index

    def _entries(self, files: Files, index: Index) -> dict[tuple[str, str], Entry]:
        """(address, text of a dep or out) → what is recorded of it; an out's text begins with ``>``."""
        entries: dict[tuple[str, str], Entry] = {}
        for address, trace in recorded_traces(files, index, self._locks):
            entries.update(((address, entry.path), entry) for entry in trace.deps)
            entries.update(((address, f">{entry.path}"), entry) for entry in trace.outs)
        return entries


class RevisionFiles:
    """The files of one revision: those that are there, and those that only the cache has."""

    def __init__(
        self,
        files: Files,
        index: Index,
        entries: Mapping[tuple[str, str], Entry],
        cache: Objects,
        parsed: ParamsFiles | None = None,
    ) -> None:
        self._files = files
        self._parsed = parsed
        """Params files that were parsed before need not be parsed again."""
        self._cache = cache
        self._cached: dict[str, Entry] = {}
        self._listings: dict[str, list[tuple[str, Any]]] = {}
        for stage in index.stages.values():
            for out in stage.outs:
                entry = entries.get((stage.address, f">{out.text}"))
                if entry is not None and entry.oid is not None:
                    self._cached[out.path] = entry

    def expand(
        self, wanted: Mapping[str, tuple[str, ...]]
    ) -> Iterator[tuple[str, tuple[str, ...]]]:
        """``wanted`` with the files of a directory instead of it."""
        for path, keys in wanted.items():
            found: list[str] = []
            with contextlib.suppress(OSError):  # reading it tells what is wrong
                found = list(self.below(path))
            yield from ((inside, keys) for inside in found) if found else [(path, keys)]

    def exists(self, path: str) -> bool:
        """Whether there is such a file or directory, here or in the cache by what was recorded."""
        if self._files.exists(path) or path in self._cached:
            return True
        folder = self._cached_folder(path)
        if folder is None:
            return False
        with contextlib.suppress(RedoitError):
            inside = path[len(folder) + 1 :]
            return any(
                name == inside or name.startswith(f"{inside}/") for name, _ in self._listing(folder)
            )
        return False

    def is_dir(self, path: str) -> bool:
        """Whether ``path`` is a directory whose files are known."""
        if self._files.is_dir(path):
            return True
        with contextlib.suppress(RedoitError):
            return self._is_cached_dir(path) and self._listing(path) is not None
        return False

    def below(self, folder: str) -> Iterator[str]:
        """The files in a directory and in all below it, sorted; nothing for a file. Raises OSError."""
        if self._files.is_dir(folder):
            for entry in sorted(self._files.list(folder), key=lambda entry: entry.name):
                path = posixpath.join(folder, entry.name)
                yield from self.below(path) if entry.is_dir() else (path,)
            return
        top = folder if self._is_cached_dir(folder) else self._cached_folder(folder)
        if top is not None and not self._files.exists(folder):
            try:
                names = [posixpath.join(top, name) for name, _ in self._listing(top)]
            except RedoitError:
                return
            yield from (name for name in names if name.startswith(f"{folder}/"))

    def _cached_folder(self, path: str) -> str | None:
        """The directory above ``path`` that was recorded as an out, if one was."""
        folder = posixpath.dirname(path)
        while folder and not self._is_cached_dir(folder):
            folder = posixpath.dirname(folder) if folder != "/" else ""
        return folder or None

    def _is_cached_dir(self, path: str) -> bool:
        entry = self._cached.get(path)
        return entry is not None and entry.oid is not None and is_dir_oid(entry.oid)

    def _listing(self, folder: str) -> list[tuple[str, Any]]:
        if folder not in self._listings:
            entry = self._cached[folder]
            assert entry.oid is not None
            data = self._cache.read(entry.oid, entry.algo)
            path = self._cache.path(entry.oid, entry.algo)
            self._listings[folder] = decode_dir(data, entry.algo, path)
        return self._listings[folder]

    def params(self, path: str, keys: tuple[str, ...]) -> Values:
        """The values of a params file: those under ``keys``, or all."""
        known = None
        if self._parsed is not None:
            with contextlib.suppress(RedoitError):  # what is wrong with it is found out below
                known = self._parsed.values(ParamsDep(RepoPath(path), path))
        values = self._values(path) if known is None else Values(known)
        if values.problem or not keys:
            return Values(plain(values.data), values.problem)
        return Values(pick(plain(values.data), keys))

    def metrics(self, path: str) -> Values:
        """The numbers and texts in a metrics file."""
        values = self._values(path)
        return values if values.problem else Values(only_metrics(values.data) or {})

    def _values(self, path: str) -> Values:
        try:
            return Values(read_values(Source.decode(path, self.read(path))))
        except (RedoitError, OSError) as error:
            return Values(problem=problem_of(error))

    def read(self, path: str) -> bytes:
        """What is in a file, or was recorded of it and is in the cache. Raises OSError, RedoitError."""
        try:
            return self._files.read(RepoPath(path))
        except (FileNotFoundError, NotADirectoryError) as error:
            entry = self._cached.get(path)
            if entry is not None and entry.oid is not None:
                return self._cache.read(entry.oid, entry.algo)
            folder = self._cached_folder(path)
            if folder is not None:
                oid = dict(self._listing(folder)).get(path[len(folder) + 1 :])
                if oid is not None:
                    return self._cache.read(oid, self._cached[folder].algo)
            # As every Files says it: with the path in the project, not on this disk.
            raise FileNotFoundError(error.errno, error.strerror, path) from None


def problem_of(error: Exception) -> Problem:
    """``error`` as what is said of a revision or a file that cannot be read."""
    what = error.what if isinstance(error, RedoitError) else str(error)
    return Problem(type(error).__name__, what, isinstance(error, StoreError | GitError))


# --- which files ----------------------------------------------------------------------------------


def _tracked(index: Index) -> dict[str, tuple[str, ...]]:
    """The params files of all stages with all keys; none for one that a stage reads as a whole."""
    keys: dict[str, list[str]] = {}
    whole: set[str] = set()
    for stage in index.stages.values():
        for dep in stage.params:
            keys.setdefault(dep.path, []).extend(dep.keys)
            if not dep.keys:
                whole.add(dep.path)
    return {
        path: () if path in whole else tuple(dict.fromkeys(found)) for path, found in keys.items()
    }


def _all_params(files: Files, index: Index) -> dict[str, tuple[str, ...]]:
    wanted = _tracked(index)
    for top in index.files.values():
        wanted.update((path, ()) for path in top.params)
    if files.exists(DEFAULT_PARAMS):
        wanted[DEFAULT_PARAMS] = ()
    return wanted


def _metrics_files(index: Index) -> dict[str, tuple[str, ...]]:
    paths: dict[str, tuple[str, ...]] = {}
    for stage in index.stages.values():
        paths.update((out.path, ()) for out in stage.outs if out.kind is OutKind.METRIC)
    for top in index.files.values():
        paths.update((path, ()) for path in top.metrics)
    return paths


def _deps(index: Index, entries: Mapping[tuple[str, str], Entry]) -> dict[str, Content]:
    return {
        dep.path: Content(entry.oid, entry.size, entry.nfiles) if entry else Content()
        for stage in index.stages.values()
        for dep in stage.deps
        for entry in (entries.get((stage.address, dep.text)),)
    }


def _outs(index: Index, entries: Mapping[tuple[str, str], Entry]) -> dict[str, OutContent]:
    """All outs that are no metrics and no plots: those have their own places."""
    found: dict[str, OutContent] = {}
    for stage in index.stages.values():
        for out in stage.outs:
            if out.kind is OutKind.OUT:
                entry = entries.get((stage.address, f">{out.text}"))
                found[out.path] = _out(stage, entry, out.cache)
    return found


def _out(stage: Stage, entry: Entry | None, cached: bool) -> OutContent:
    if entry is None:
        return OutContent(None, None, None, cached, stage.is_data)
    return OutContent(entry.oid, entry.size, entry.nfiles, cached, stage.is_data)

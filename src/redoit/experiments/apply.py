"""An experiment's files and outs put into the workspace; edits that are recorded nowhere are not lost.

Everything is looked at first, then everything new is prepared, then what is in the way is kept, and only then
is anything replaced, file by file in one step. Whenever it is killed, the same command completes it.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from redoit.errors import ExperimentError, GitError, MissingObject, RedoitError, WouldOverwrite
from redoit.experiments.clean import PREPARED
from redoit.experiments.place import Keeper, blocking, delete, put
from redoit.experiments.refs import Experiment, all_experiments
from redoit.git import Git
from redoit.git_objects import GitObjects
from redoit.git_trees import (
    SUBMODULE,
    TreeFile,
    export,
    files_of_commit,
    files_of_work_tree,
    recorded,
)
from redoit.model import Entry, RepoPath, Stage
from redoit.project import Layout
from redoit.spec import Files, Index, WorkFiles, load_index, read_ignore, read_index
from redoit.spec.tree_files import TreeFiles
from redoit.store import Look, StatCache, Store
from redoit.store.inside import check_path
from redoit.store.tree import decode as decode_dir
from redoit.store.tree import is_dir_oid
from redoit.trace.recorded import recorded_traces

_NAMED = 20
"""How many paths an error names."""


class Applied(NamedTuple):
    """What ``apply`` changed; paths are relative to the project's root."""

    experiment: Experiment
    written: tuple[str, ...]
    deleted: tuple[str, ...]
    outs: tuple[RepoPath, ...]
    """Outs that came from the cache."""
    backup: str | None
    """The folder (absolute) with the edits that were in the way, under the paths they had."""


class _Steps(NamedTuple):
    """What is to be done. Files are relative to the top of the work tree, outs to the project."""

    written: list[str]
    deleted: list[str]
    outs: dict[RepoPath, Entry]
    stale: list[RepoPath]
    """Outs of the present pipeline that the experiment does not have; the cache holds them."""
    edited: list[str]
    """Those of ``written`` and ``deleted`` whose present content is recorded nowhere."""
    blocking: list[str]
    """Untracked files and folders where others must be."""
    unsaved: list[RepoPath]
    """Those of ``outs`` whose present content is not in the cache."""


def apply_experiment(
    layout: Layout, git: Git, experiment: Experiment, *, force: bool = False
) -> Applied:
    """Make the workspace what ``experiment`` recorded: files of Git, params, outs of the cache.

    Only what differs is touched; the index, HEAD and untracked files elsewhere are not. Content of the workspace
    counts as recorded if HEAD, an experiment or (of an out) the cache has it. The workspace must be locked.

    Raises WouldOverwrite, naming what is recorded nowhere, unless ``force``: then that is kept in a folder of its
    own. Raises MissingObject naming all outs that the cache lacks, ExperimentError in the middle of a merge,
    GitError, SpecError, StoreError for an out that would be written outside of the project: then nothing has been changed; and ExperimentError or StoreError if the disk fails.
    """
    unmerged = git.unmerged()
    if unmerged:
        raise ExperimentError(
            "a merge is not finished, so nothing can be applied",
            facts={"in conflict": _named(unmerged)},
            hint="settle the conflicts and `git add` the files, or `git merge --abort`",
        )
    with contextlib.closing(StatCache(layout)) as state:
        look = Look(layout, state, read_ignore(layout))
        store = Store(layout, look, state)
        steps = _plan(layout, git, experiment, look, store)
        _check(experiment, steps, store, force=force)
        try:
            backup = _carry_out(layout, git, experiment, steps, look, store)
        except OSError as error:
            raise ExperimentError(
                f"the experiment '{experiment.name}' is applied in part only",
                facts={"path": error.filename, "reason": error.strerror},
                hint="nothing is lost: make room or make it writable, and apply it again",
            ) from error
    folder = git.prefix() or "."
    return Applied(
        experiment,
        tuple(posixpath.relpath(path, folder) for path in steps.written),
        tuple(posixpath.relpath(path, folder) for path in steps.deleted),
        tuple(steps.outs),
        backup,
    )


# --- looking --------------------------------------------------------------------------------------


class _Workspace:
    """What is known of the data that lies in the workspace: the present pipeline's outs, and the cache."""

    def __init__(self, layout: Layout, look: Look, store: Store) -> None:
        self._look = look
        self._store = store
        self.outs: dict[RepoPath, tuple[Stage, Entry]] = {}
        with contextlib.suppress(RedoitError):  # a pipeline with mistakes is no reason to keep it
            self.outs = dict(_cached_outs(WorkFiles(layout.root), load_index(layout)))

    def is_saved(self, path: RepoPath, wanted: Entry | None = None) -> bool:
        """Whether nothing lies at ``path``, or what the cache has, or a directory on its way to ``wanted``."""
        _, entry = self.outs.get(path, (None, None))
        if entry is not None and self._look.matches(path, entry) and self._store.has(entry):
            return True
        content = self._look.content(path)
        if content is None or self._store.has(content.entry(path)):
            return True
        if content.nfiles is None:
            return False
        ends = [each for each in (entry, wanted) if each is not None and self._store.has(each)]
        return self._is_between(path, ends)

    def _is_between(self, path: RepoPath, ends: Sequence[Entry]) -> bool:
        """Whether each file of a directory is as one of ``ends`` has it: an earlier ``apply`` was killed."""
        left: set[str] | None = None
        for entry in ends:
            if entry.oid is None or not is_dir_oid(entry.oid):
                continue
            listing, digests = self._look.listed(path, entry.algo)
            place = self._store.object_path(entry.oid, entry.algo)
            with open(place, "rb") as file:
                files = dict(decode_dir(file.read(), entry.algo, place))
            strange = {
                name
                for name, digest in zip(listing.names, digests, strict=True)
                if files.get(name) != digest.oid(entry.algo)
            }
            left = strange if left is None else left & strange
        return left is not None and not left


def _cached_outs(files: Files, index: Index) -> Iterator[tuple[RepoPath, tuple[Stage, Entry]]]:
    """Every out that the cache holds, with its stage and what is recorded of it."""
    traces = dict(recorded_traces(files, index, {}))
    for address, stage in index.stages.items():
        trace = traces.get(address)
        entries = {entry.path: entry for entry in trace.outs} if trace else {}
        for out in stage.outs:
            entry = entries.get(out.text)
            if out.cache and entry is not None and entry.oid is not None:
                yield out.path, (stage, entry)


def _plan(layout: Layout, git: Git, experiment: Experiment, look: Look, store: Store) -> _Steps:
    prefix = git.prefix()
    there = files_of_commit(git, experiment.rev)
    head = files_of_commit(git, "HEAD")
    work = files_of_work_tree(git, layout.tmp, there)
    written = [
        path for path, file in there.items() if file.mode != SUBMODULE and work.get(path) != file
    ]
    # What was committed since is not the experiment's: it stays.
    before = head if experiment.baseline == git.head() else _files_before(git, experiment)
    deleted = [
        path
        for path, file in head.items()
        if path in before and path not in there and path in work and file.mode != SUBMODULE
    ]
    workspace = _Workspace(layout, look, store)
    recorded_outs = _outs_of(layout, git, experiment)
    outs = {
        path: entry
        for path, (_, entry) in recorded_outs.items()
        if prefix + path not in there and not look.matches(path, entry)
    }
    for out in outs:
        check_path(out)
    changed = {
        path: work[path]
        for path in (*written, *deleted)
        if path in work and work[path] != head.get(path)
    }
    known = recorded(git, changed, [each.rev for each in all_experiments(git)] if changed else [])
    for path in changed:
        inside = RepoPath(path.removeprefix(prefix))
        if path.startswith(prefix) and inside in workspace.outs and workspace.is_saved(inside):
            known.add(path)
    committed = {path for path in deleted if path not in changed}
    inside_outs = [prefix + path for path in outs if not os.path.isabs(path)]
    return _Steps(
        written,
        deleted,
        outs,
        _stale(prefix, workspace, {*written, *deleted}, {*recorded_outs}, there),
        [path for path in changed if path not in known],
        blocking(git.toplevel, written, inside_outs, set(deleted)),
        [
            path
            for path, entry in outs.items()
            if prefix + path not in committed and not workspace.is_saved(path, entry)
        ],
    )


def _files_before(git: Git, experiment: Experiment) -> Collection[str]:
    """The files of the experiment's baseline; none if the repository lacks it (a shallow clone)."""
    try:
        return files_of_commit(git, experiment.baseline)
    except GitError:
        return ()


def _outs_of(
    layout: Layout, git: Git, experiment: Experiment
) -> dict[RepoPath, tuple[Stage, Entry]]:
    with contextlib.closing(GitObjects(git)) as objects:
        tree = objects.commit(experiment.rev).tree
        files = TreeFiles(layout.root, objects, tree, git.prefix())
        if not files.is_dir(""):
            raise ExperimentError(
                f"the experiment '{experiment.name}' does not have this project",
                facts={"project": git.prefix()},
                hint="it was recorded before the project was made, or in another folder",
            )
        index, _ = read_index(layout, files, {})
        return dict(_cached_outs(files, index))


def _stale(
    prefix: str,
    workspace: _Workspace,
    changing: Collection[str],
    outs: Collection[RepoPath],
    there: Mapping[str, TreeFile],
) -> list[RepoPath]:
    """Outs of stages whose files change, that the experiment neither has nor needs the place of."""
    candidates = [
        path
        for path, (stage, _) in workspace.outs.items()
        if prefix + stage.file in changing and path not in outs and not os.path.isabs(path)
    ]
    return [
        path
        for path in candidates
        if not any(meet(path, out) for out in outs)
        and not any(meet(prefix + path, file) for file in there)
        and workspace.is_saved(path)
    ]


def meet(one: str, other: str) -> bool:
    """Whether two paths are the same, or one lies in the other."""
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def _check(experiment: Experiment, steps: _Steps, store: Store, *, force: bool) -> None:
    missing = [path for path, entry in steps.outs.items() if not store.has(entry)]
    if missing:
        raise MissingObject(
            f"the cache does not have all data of the experiment '{experiment.name}'",
            facts={"missing": _named(missing)},
            hint="get it from where it was shared, or run the experiment's stages again on its branch",
        )
    if force or not (steps.edited or steps.blocking or steps.unsaved):
        return
    facts = {
        "files": _named(sorted({*steps.edited, *steps.blocking})),
        "outputs": _named(steps.unsaved),
    }
    raise WouldOverwrite(
        f"the experiment '{experiment.name}' would overwrite edits that are recorded nowhere",
        facts={label: names for label, names in facts.items() if names},
        hint="record them with `exp save`, or give --force: then they are kept in .dvc/tmp/redoit/backup",
    )


def _named(paths: Sequence[str]) -> str:
    rest = len(paths) - _NAMED
    return ", ".join(paths[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


# --- changing -------------------------------------------------------------------------------------


def _carry_out(
    layout: Layout, git: Git, experiment: Experiment, steps: _Steps, look: Look, store: Store
) -> str | None:
    """Returns the folder with what was in the way, if anything was."""
    top, prefix = git.toplevel, git.prefix()
    keeper = Keeper(layout, experiment.name)
    with _prepared(layout, git, experiment, steps.written) as new:
        for path in steps.edited:
            keeper.copy(os.path.join(top, path), path)
        for path in steps.blocking:
            keeper.move(os.path.join(top, path), path)
        for path in steps.deleted:
            delete(top, path)
        for out in steps.unsaved:
            keeper.move(layout.abspath(out), prefix + out)
        # As long as a directory is neither the old one nor the new, the old dvc.lock tells what it was.
        for out, entry in steps.outs.items():
            look.forget(out)
            store.checkout(out, entry)
        for out in steps.stale:
            store.remove(out)
        for path in steps.written:
            put(os.path.join(new, path), top, path)
    return keeper.folder


@contextlib.contextmanager
def _prepared(
    layout: Layout, git: Git, experiment: Experiment, paths: Sequence[str]
) -> Iterator[str]:
    """A folder with these files of the experiment, gone afterwards."""
    import shutil  # slow to import, and needed here alone

    folder = os.path.join(layout.tmp, f"{PREPARED}{os.getpid()}-{os.urandom(4).hex()}")
    new = os.path.join(folder, "new")
    os.makedirs(new)
    try:
        if paths:
            export(git, experiment.rev, paths, new)
        yield new
    finally:
        shutil.rmtree(folder, ignore_errors=True)

"""Data put under a ``.dvc`` file, and recorded anew."""

from __future__ import annotations

import contextlib
import fnmatch
import os
import posixpath
from collections.abc import Mapping
from typing import NamedTuple

from redoit.data.targets import DataRequest, stages_of
from redoit.engine.commit import commit_workspace
from redoit.engine.session import Session
from redoit.errors import StageError, StoreError, TargetNotFound
from redoit.graph import build_graph
from redoit.model import Address, Content, RepoPath, Stage, Trace, Why
from redoit.spec.datafile import make_source
from redoit.trace.datafile import new_data_file, write_data_file

SUFFIX = ".dvc"
_NAME_MAX = 255
"""Bytes of a file's name that the usual file systems take."""


class Added(NamedTuple):
    """A path that was added, its ``.dvc`` file, and whether that changed."""

    path: RepoPath
    file: RepoPath
    changed: bool


def add(
    session: Session, request: DataRequest, *, no_commit: bool = False, relink: bool = True
) -> list[Added]:
    """Put files and directories under ``.dvc`` files: into the cache, linked back if ``relink``, ignored by Git.

    All are checked before anything is done. Raises StoreError for what cannot be data, GraphError for what a stage
    writes, TargetNotFound for what is not there.
    """
    paths = [path for target in request.targets for path in _existing(session, target, request)]
    known = {out.path: stage for stage in session.graph.stages.values() for out in stage.outs}
    stages: dict[RepoPath, Stage] = {}
    new: dict[Address, Stage] = {}
    for path in dict.fromkeys(paths):
        check_place(session, path, known)
        file = RepoPath(path + SUFFIX)
        stage = known.get(path)
        if stage is None:
            name = posixpath.basename(path)
            stage, _ = make_source(session.layout.root, file, {"outs": [{"path": name}]})
            new[stage.address] = stage
        stages[path] = stage
    build_graph({**session.graph.stages, **new})
    session.store.check_untracked(stages)
    store = session.store
    return [
        record(
            session,
            path,
            store.commit(path, cached=not no_commit) if relink or no_commit else store.keep(path),
            known.get(path),
        )
        for path in stages
    ]


def record(session: Session, path: RepoPath, content: Content, stage: Stage | None) -> Added:
    """Write the ``.dvc`` file of ``path``: of ``stage``, or a new one for None; and let Git ignore the data."""
    session.store.sync()
    session.store.ignore([path])
    if stage is None:
        file = RepoPath(path + SUFFIX)
        changed = new_data_file(session.layout, file, content.entry(posixpath.basename(path)))
        return Added(path, file, changed)
    out = next(out for out in stage.outs if out.path == path)
    before = session.trace(stage)
    others = [each for each in (before.outs if before else ()) if each.path != out.text]
    trace = Trace(None, outs=(*others, content.entry(out.text)))
    changed = write_data_file(session.layout, stage, trace)
    session.data[stage.address] = trace
    return Added(path, stage.file, changed)


def _existing(session: Session, target: str, request: DataRequest) -> list[RepoPath]:
    """The paths that a target names; with ``glob`` it may be a pattern."""
    root = session.layout.root
    # As it was given: a symbolic link above it is to be refused, not followed.
    place = os.path.normpath(os.path.join(request.cwd or root, target))
    path = RepoPath(os.path.relpath(place, root))
    if request.glob and set(target) & set("*?["):
        folder = posixpath.dirname(path)
        with contextlib.suppress(OSError):
            names = sorted(os.listdir(session.layout.abspath(folder)))
            pattern = posixpath.basename(path)
            found = [name for name in names if fnmatch.fnmatchcase(name, pattern)]
            found = [name for name in found if not name.endswith(SUFFIX) and name[0] != "."]
            if found:
                return [RepoPath(posixpath.join(folder, name)) for name in found]
    if not os.path.lexists(session.layout.abspath(path)):
        raise TargetNotFound(
            f"there is nothing at '{target}' that could be added",
            facts={"looked for": session.layout.abspath(path)},
            hint="targets of `exp data add` are files and directories, relative to this folder",
        )
    return [path]


def check_place(session: Session, path: RepoPath, known: Mapping[RepoPath, Stage]) -> None:
    """Raise StoreError for a path that cannot be put under a ``.dvc`` file of its own."""
    stage = known.get(path)
    if stage is not None and not stage.is_data:
        raise StoreError(
            f"'{path}' is an out of the stage '{stage.address}' already",
            hint=f"`exp data commit {path}` records it as it is now",
        )
    why = hint = ""
    if path in ("", ".") or path.startswith(("../", "/")) or path == "..":
        why, hint = "it is not inside the project", "move it into the project first"
    elif path.endswith(SUFFIX) or posixpath.basename(path) in ("dvc.yaml", "dvc.lock"):
        why, hint = "it is a file that belongs into Git", "add the data that it describes"
    elif set(path.split("/")) & {".git", ".dvc"}:
        why, hint = "it belongs to Git or DVC", "name data of your own"
    elif len(os.fsencode(posixpath.basename(path) + SUFFIX)) > _NAME_MAX:
        why, hint = f"its name with '{SUFFIX}' would be too long for a file", "rename it first"
    elif inside := [out for out in known if path.startswith(f"{out}/")]:
        why = f"it lies inside '{inside[0]}', which is data already"
        hint = f"`exp data commit {inside[0]}` records that with everything in it"
    else:
        folder = os.path.dirname(session.layout.abspath(path))
        if os.path.realpath(folder) != folder:
            why, hint = "a folder above it is a symbolic link", "name the real path"
    if why:
        raise StoreError(f"'{path}' cannot be added", facts={"because": why}, hint=hint)


# --- recording what changed -----------------------------------------------------------------------

_OF_OUTS = frozenset((Why.OUT_CHANGED, Why.OUT_NOT_CACHED, Why.OUT_NEW, Why.NEVER_RAN))


def commit(
    session: Session, request: DataRequest, *, force: bool = False, relink: bool = True
) -> list[Address]:
    """Record the outs of stages and ``.dvc`` files as they are now; the cache gets what it lacks. Returns what changed.

    Raises StageError for a stage whose command, deps or params have changed too, unless ``force``: its outs would be
    recorded as made of them. Raises MissingOut, StoreError.
    """
    addresses = stages_of(session, request)
    changed: list[Address] = []
    for address in addresses:
        stage = session.graph.stages[address]
        reasons = session.reasons(stage)
        others = [reason for reason in reasons if reason.kind not in _OF_OUTS]
        others = [r for r in others if r.kind not in (Why.OUT_MISSING, Why.ALWAYS)]
        if others and not force and not stage.is_data:
            raise StageError(
                f"more than the outs of stage '{address}' has changed",
                place=stage.place,
                facts={reason.kind.value: reason.subject for reason in others[:5]},
                hint="run the stage; with --force its outs are recorded as made of what is there now",
            )
        if reasons:
            changed.append(address)
    if changed:
        commit_workspace(session, changed, relink=relink)
    return changed

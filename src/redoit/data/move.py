"""Data given another path."""

from __future__ import annotations

import os
import posixpath

from redoit.data.add import SUFFIX, check_place
from redoit.data.targets import DataRequest, repo_path, stages_of
from redoit.engine.session import Session
from redoit.errors import StageError, StoreError
from redoit.model import Entry, RepoPath, Stage
from redoit.project import Layout
from redoit.store.links import failing
from redoit.store.places import is_url
from redoit.trace.datafile import copy_data_file


def move(session: Session, source: str, target: str, cwd: str) -> tuple[RepoPath, RepoPath]:
    """Give data another path, with their ``.dvc`` file. Returns the old file and the new.

    ``target`` may be a directory to move into. Raises StoreError if something is there already, StageError for outs of
    stages, TargetNotFound.
    """
    layout = session.layout
    request = DataRequest((source,), cwd)
    old = repo_path(source, request, layout.root)
    new = repo_path(target, request, layout.root)
    address = stages_of(session, request)[0]
    stage = session.graph.stages[address]
    if not stage.is_data:
        raise StageError(
            f"'{source}' belongs to the stage '{address}'",
            place=stage.place,
            hint=f"write the new path into {stage.file}, and move what is there",
        )
    if old == stage.file:
        old = stage.outs[0].path
    trace = session.trace(stage)
    if len(stage.outs) != 1 or trace is None or stage.file != f"{old}{SUFFIX}":
        raise StoreError(
            f"'{stage.file}' cannot be moved",
            facts={"because": "it is not called after its one file or directory"},
            hint="move the data, and write the path into the file",
        )
    begun = _is_begun(session, old, trace.outs[0], new)
    if not begun and os.path.isdir(layout.abspath(new)):
        new = RepoPath(posixpath.join(new, posixpath.basename(old)))
        begun = _is_begun(session, old, trace.outs[0], new)
    file = RepoPath(new + SUFFIX)
    if not begun:
        for path in (new, file):
            if os.path.lexists(layout.abspath(path)):
                raise StoreError(f"'{path}' is there already", hint="move it away first")
        known = {out.path: each for each in session.graph.stages.values() for out in each.outs}
        check_place(session, new, known)
    # Whenever this is killed, one of the two files describes where the data are, and the same command goes on.
    with failing(layout.abspath(new)):
        os.makedirs(os.path.dirname(layout.abspath(new)), exist_ok=True)
        session.store.ignore([new])
        if not begun:
            name = posixpath.basename(new)
            copy_data_file(layout, stage.file, file, name, _source(layout, stage, file))
        if os.path.lexists(layout.abspath(old)):
            os.rename(layout.abspath(old), layout.abspath(new))
        session.store.unignore(old)
        os.unlink(layout.abspath(stage.file))
    session.look.forget(old)
    session.look.forget(new)
    return stage.file, file


def _source(layout: Layout, stage: Stage, file: RepoPath) -> str | None:
    """Where an import comes from, for ``file``: a path counts from the folder of the ``.dvc`` file. None: as it is."""
    origin = stage.origin
    if (
        origin is None
        or origin.repo is not None
        or is_url(origin.path)
        or os.path.isabs(origin.path)
    ):
        return None
    place = os.path.join(layout.abspath(stage.wdir), origin.path)
    return os.path.relpath(place, os.path.dirname(layout.abspath(file)))


def _is_begun(session: Session, old: RepoPath, entry: Entry, new: RepoPath) -> bool:
    """Whether data are on their way from ``old`` to ``new`` already: a move that was killed."""
    layout = session.layout
    outs = {out.path: (each, out) for each in session.graph.stages.values() for out in each.outs}
    if new == old or new not in outs:
        return False
    stage, out = outs[new]
    trace = session.trace(stage)
    return (
        stage.is_data
        and stage.file == f"{new}{SUFFIX}"
        and trace is not None
        and trace.outs == (entry._replace(path=out.text),)
        and not (os.path.lexists(layout.abspath(old)) and os.path.lexists(layout.abspath(new)))
    )

"""Data and stages given up: ``.dvc`` files, and entries of ``dvc.yaml`` with what belongs to them."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

from redoit.data.targets import DataRequest, repo_path, stages_of
from redoit.engine.session import Session
from redoit.errors import ParamsProblem, StageError, TargetNotFound
from redoit.experiments.edit_params import edit
from redoit.files import write_atomic
from redoit.model import Address, RepoPath, Request, Stage, address_of
from redoit.project import Layout
from redoit.selection import find_targets
from redoit.spec.formats import read_values
from redoit.spec.source import Source
from redoit.store.links import failing


def to_remove(session: Session, request: DataRequest) -> list[Stage]:
    """The stages and ``.dvc`` files that ``request`` names.

    Targets that a removal which was killed had removed already are left out. Raises TargetNotFound, and StageError for an out of
    a stage, and for a part of what one entry of ``dvc.yaml`` makes.
    """
    begun = _begun(session.layout)
    chosen: dict[Address, None] = {}
    for target in request.targets:
        try:
            chosen.update(dict.fromkeys(_named(session, target, request)))
        except TargetNotFound:
            if begun.isdisjoint((target, repo_path(target, request, session.layout.root))):
                raise
    stages = [session.graph.stages[address] for address in chosen]
    for stage in stages:
        if stage.group is not None:
            entry = address_of(stage.file, stage.group)
            members = session.index.groups[entry]
            if not chosen.keys() >= set(members):
                raise StageError(
                    f"'{stage.address}' is one of {len(members)} stages that the entry '{stage.group}' makes",
                    place=stage.place,
                    hint=f"`exp data remove {entry}` removes them all; or take it out of the entry's list",
                )
    return stages


def _named(session: Session, target: str, request: DataRequest) -> list[Address]:
    """The stages that ``target`` means: by name, else data by their path."""
    asked = Request(targets=(target,), cwd=request.cwd, glob=request.glob)
    try:
        return find_targets(session.graph, session.index.groups, asked, session.layout.root)
    except TargetNotFound:
        found = stages_of(session, request._replace(targets=(target,)))
    for address in found:
        stage = session.graph.stages[address]
        if not stage.is_data:
            raise StageError(
                f"'{target}' is an out of the stage '{address}'",
                place=stage.place,
                hint=f"`exp data remove {stage.group or address}` removes the stage",
            ) from None
    return found


def remove(session: Session, stages: Sequence[Stage], *, outs: bool = False) -> None:
    """Remove stages and ``.dvc`` files with their records and lines in ``.gitignore``; with ``outs`` also their outs.

    The cache keeps what it has. Outs that stay become files of their own. Raises StoreError, StageError, TraceError;
    then, as after a kill, the same command completes it.
    """
    note = _note(session.layout)
    if len(stages) > 1:
        names = {name for stage in stages for name in _names(stage)}
        write_atomic(note, json.dumps(sorted(names)).encode())
    for stage in stages:
        for out in stage.outs:
            if outs:
                session.store.remove(out.path)
            elif out.cache:
                session.store.unprotect(out.path)
            if out.cache:
                session.store.unignore(out.path)
        if not stage.is_data:
            session.traces.forget(stage.address)
    session.write(())
    # Last: without its entry a stage could not be named again, to do the rest.
    files: dict[RepoPath, list[str]] = {}
    for stage in stages:
        if stage.is_data:
            with failing(session.layout.abspath(stage.file)):
                os.unlink(session.layout.abspath(stage.file))
        else:
            files.setdefault(stage.file, []).append(stage.group or stage.name)
    for file, entries in files.items():
        _cut(session, file, entries)
    with failing(note), contextlib.suppress(FileNotFoundError):
        os.unlink(note)


def _names(stage: Stage) -> Iterator[str]:
    """What a target may call it."""
    yield stage.address
    yield stage.file if stage.is_data else address_of(stage.file, stage.group or stage.name)
    if stage.is_data:
        yield from (out.path for out in stage.outs)


def _note(layout: Layout) -> str:
    """The file that says what is being removed, as long as that may be done in part."""
    return os.path.join(layout.tmp, "removing.json")


def _begun(layout: Layout) -> set[str]:
    """The names of what a removal that was killed was to remove."""
    try:
        with open(_note(layout), "rb") as file:
            return set(json.loads(file.read()))
    except (OSError, ValueError):
        return set()


def _cut(session: Session, file: RepoPath, names: Sequence[str]) -> None:
    """Take entries out of a ``dvc.yaml``; one in which nothing is left goes too."""
    place = session.layout.abspath(file)
    with failing(place):
        with open(place, "rb") as handle:
            data = handle.read()
        old: dict[str, Any] = read_values(Source.decode(file, data))
        rest = {name: entry for name, entry in old["stages"].items() if name not in names}
        new = {**old, "stages": rest}
        if not rest:
            del new["stages"]
        if not new:
            os.unlink(place)
            return
        try:
            text = edit(file, data, old, new)
        except ParamsProblem:
            raise StageError(
                f"{file} is written in a way that cannot be kept without its stage '{names[0]}'",
                hint="take the stage out by hand",
            ) from None
        write_atomic(place, text, staging=session.layout.tmp)

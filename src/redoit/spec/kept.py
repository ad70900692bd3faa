"""The compact form in which resolved stages are kept between runs: lists in the order of fields."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from redoit.model import (
    Algo,
    Dep,
    Entry,
    Import,
    Oid,
    Out,
    OutKind,
    ParamsDep,
    Place,
    RepoPath,
    Stage,
    Trace,
    address_of,
)

_KINDS = tuple(OutKind)
Row = list[Any]


def stage_rows(stages: Iterable[Stage]) -> list[list[Row]]:
    """The stages of one file for ``read_stages``: their lists of deps, each once, and a row for each stage."""
    lists: dict[tuple[Dep, ...], int] = {}
    rows = [_stage_row(stage, lists.setdefault(stage.deps, len(lists))) for stage in stages]
    deps = [
        [dep.path if dep.path == dep.text else [dep.path, dep.text] for dep in items]
        for items in lists
    ]
    return [deps, rows]


def read_stages(file: RepoPath, state: list[list[Row]]) -> list[Stage]:
    """The stages of ``stage_rows``; ``file`` is the one they were read from. Equal lists of deps are one tuple."""
    lists, rows = state
    deps = [
        tuple([Dep(RepoPath(dep), dep) if isinstance(dep, str) else Dep(*dep) for dep in items])
        for items in lists
    ]
    return [_read_stage(file, row, deps) for row in rows]


def _stage_row(stage: Stage, deps: int) -> Row:
    place = stage.place
    cmd = list(stage.cmd) if isinstance(stage.cmd, tuple) else stage.cmd
    return [
        stage.name,
        stage.wdir,
        cmd,
        deps,
        [[dep.path, dep.text, list(dep.keys)] for dep in stage.params],
        [_out_row(out) for out in stage.outs],
        stage.frozen,
        stage.always_changed,
        stage.desc,
        stage.meta,
        stage.group,
        place.line if place else 0,
        place.column if place else 0,
        list(stage.origin) if stage.origin else None,
    ]


def _out_row(out: Out) -> Any:
    if out == Out(out.path, out.text):
        return out.path if out.path == out.text else [out.path, out.text]
    kind = _KINDS.index(out.kind)
    return [
        out.path,
        out.text,
        kind,
        out.cache,
        out.persist,
        out.remote,
        out.push,
        out.desc,
        out.extra,
    ]


def _read_stage(file: RepoPath, row: Row, lists: Sequence[tuple[Dep, ...]]) -> Stage:
    name, wdir, cmd, deps, params, outs, frozen, always, desc, meta, group, *rest = row
    line, column, origin = rest
    return Stage(
        address_of(file, name) if cmd is not None else name,
        name,
        file,
        wdir,
        tuple(cmd) if type(cmd) is list else cmd,
        lists[deps],
        tuple([ParamsDep(path, text, tuple(keys)) for path, text, keys in params]),
        tuple(
            [Out(RepoPath(out), out) if isinstance(out, str) else _read_out(out) for out in outs]
        ),
        frozen,
        always,
        desc,
        meta,
        group,
        Place(file, line, column),
        Import(*origin) if origin else None,
    )


def _read_out(row: Row) -> Out:
    if len(row) == 2:
        return Out(*row)
    path, text, kind, *rest = row
    return Out(path, text, _KINDS[kind], *rest)


def trace_row(trace: Trace) -> Row:
    """The record in a ``.dvc`` file as a list for ``read_trace``."""
    return [[_entry_row(entry) for entry in entries] for entries in (trace.deps, trace.outs)]


def _entry_row(entry: Entry) -> Row:
    return [entry.path, entry.oid, entry.algo.value, entry.size, entry.nfiles, entry.isexec]


def read_trace(row: Row) -> Trace:
    """The record of ``trace_row``."""
    deps, outs = (tuple([_read_entry(entry) for entry in entries]) for entries in row)
    return Trace(None, deps, None, outs)


def _read_entry(row: Row) -> Entry:
    path, oid, algo, size, nfiles, isexec = row
    return Entry(path, Oid(oid) if oid is not None else None, Algo(algo), size, nfiles, isexec)

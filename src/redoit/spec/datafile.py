"""``.dvc`` files: data that is added or imported, with what was recorded of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from redoit.model import (
    Address,
    Algo,
    Dep,
    Entry,
    Import,
    Oid,
    OutKind,
    Place,
    RepoPath,
    Stage,
    Trace,
)
from redoit.spec.listing import listed_directory
from redoit.spec.paths import is_outside, locate_path
from redoit.spec.source import Fault
from redoit.spec.stages import check_local, check_place, make_out


def make_source(root: str, file: RepoPath, value: Mapping[str, Any]) -> tuple[Stage, Trace]:
    """The Stage (without a command) of the ``.dvc`` file with this checked ``value``, and its record.

    Deps on anything but local files are left out, and make the stage frozen: a run fetches nothing. With one dep
    and one out it is an import. Raises Fault.
    """
    folder = RepoPath(file.rpartition("/")[0])
    wdir = value.get("wdir")
    if wdir:
        folder = locate_path(root, folder, wdir)[0]
    deps: list[Dep] = []
    dep_entries: list[Entry] = []
    imported = False
    for index, record in enumerate(value.get("deps") or []):
        text = record.get("path")
        if "repo" in record or "db" in record or (isinstance(text, str) and "://" in text):
            imported = True
            continue
        if text is None:
            hint = "say what was imported: path: ..."
            raise Fault('a dep of a .dvc file has no "path"', ("deps", index), hint=hint)
        check_local(text, ("deps", index, "path"))
        path, text = locate_path(root, folder, text)
        deps.append(Dep(path, text))
        dep_entries.append(_entry(text, record))
    outs = []
    out_entries: list[Entry] = []
    seen: set[RepoPath] = set()
    for index, record in enumerate(value.get("outs") or []):
        check_local(record["path"], ("outs", index, "path"))
        out = make_out(root, folder, record["path"], OutKind.OUT, record)
        check_place(root, out, ("outs", index, "path"))
        if is_outside(out.path):
            raise Fault(
                f'"{out.text}" lies outside of the project, so nothing is written there',
                ("outs", index, "path"),
                hint="a project that you got from others could write anywhere: put the data into it",
            )
        if out.path in seen:
            raise Fault(
                f'"{out.text}" stands twice in this file',
                ("outs", index, "path"),
                hint="keep one of the two",
            )
        seen.add(out.path)
        outs.append(out)
        out_entries.append(_entry(out.text, record))
    stage = Stage(
        address=Address(file),
        name=file,
        file=file,
        wdir=folder,
        cmd=None,
        deps=tuple(deps),
        outs=tuple(outs),
        frozen=imported or bool(value.get("frozen") or value.get("locked")),
        always_changed=bool(value.get("always_changed")),
        desc=value.get("desc"),
        meta=value.get("meta"),
        place=Place(file),
        origin=_origin(value.get("deps") or []) if len(outs) == 1 else None,
    )
    return stage, Trace(cmd=None, deps=tuple(dep_entries), outs=tuple(out_entries))


_NO_RECORD = frozenset(("path", "repo", "fs_config"))


def _origin(records: Sequence[Mapping[str, Any]]) -> Import | None:
    """Where the one out comes from, if there is one dep that tells it."""
    if len(records) != 1 or "path" not in records[0] or "db" in records[0]:
        return None
    record = records[0]
    return Import(
        record["path"],
        record.get("repo"),
        {key: item for key, item in record.items() if key not in _NO_RECORD},
        record.get("fs_config"),
    )


def _entry(text: str, record: Mapping[str, Any]) -> Entry:
    hash_name = record.get("hash")
    algo = {"md5": Algo.MD5, "xxh128": Algo.XXH128}.get(hash_name or "", Algo.MD5_DOS2UNIX)
    digest = record.get("xxh128" if algo is Algo.XXH128 else "md5")
    listed = listed_directory(record.get("files")) if digest in (None, "") else None
    if listed is not None:
        return Entry(text, listed.oid, Algo.MD5, listed.size, listed.nfiles)
    return Entry(
        text,
        Oid(str(digest).lower()) if digest not in (None, "") else None,
        algo,
        record.get("size"),
        record.get("nfiles"),
        bool(record.get("isexec", False)),
    )

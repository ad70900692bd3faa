"""Where remotes that keep versions in the cloud have the data of a project, as its files record it."""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from redoit.errors import SpecError
from redoit.model import Algo, Oid, RepoPath, Stage
from redoit.project import Layout
from redoit.spec import load_index
from redoit.spec.listing import listed_directory
from redoit.spec.source import Source
from redoit.spec.yaml import load
from redoit.store import tree
from redoit.store.remotes import Remotes, object_name
from redoit.store.versioned_storage import Version, Versions
from redoit.trace.traces import lock_path


def remotes_of(layout: Layout) -> Remotes:
    """The remotes of a project, those that keep versions in the cloud with what the workspace records of them."""
    return Remotes(layout.config, partial(recorded_versions, layout))


def recorded_versions(layout: Layout, remote: str) -> Versions:
    """What ``.dvc`` and ``dvc.lock`` files of the workspace say of a remote. Raises SpecError."""
    files: dict[str, Version] = {}
    folders: dict[str, bytes] = {}
    for path, item in _outs(layout):
        rows = item.get("files")
        listed = listed_directory(rows)
        if listed is None:
            _add(files, path, item, remote)
            continue
        for row in rows or ():
            _add(files, posixpath.join(path, row["relpath"]), row, remote)
        found = {row["relpath"]: row["md5"] for row in rows or ()}
        names = sorted(found)
        data = tree.encode(names, [found[name] for name in names], Algo.MD5)
        folders[object_name(listed.oid, Algo.MD5)] = data
    return Versions(files, folders)


def _add(files: dict[str, Version], path: str, row: Mapping[str, Any], remote: str) -> None:
    cloud = row.get("cloud")
    told = cloud.get(remote) if isinstance(cloud, Mapping) else None
    version = told.get("version_id") if isinstance(told, Mapping) else None
    oid = row.get("md5")
    if version and isinstance(oid, str) and tree.is_oid(oid):
        size = row.get("size")
        known = size if isinstance(size, int) else None
        files[object_name(Oid(oid), Algo.MD5)] = Version(path, str(version), known)


def _outs(layout: Layout) -> Iterator[tuple[RepoPath, Mapping[str, Any]]]:
    """Path and record of each out, as it is written in its file."""
    read: dict[RepoPath, Any] = {}
    for stage in load_index(layout).stages.values():
        file = stage.file if stage.is_data else lock_path(stage.file)
        if file not in read:
            read[file] = _read(layout, file)
        recorded = _record_of(stage, read[file])
        items = recorded.get("outs") if isinstance(recorded, Mapping) else None
        known = {item.get("path"): item for item in items or () if isinstance(item, Mapping)}
        for out in stage.outs:
            if out.text in known and not out.path.startswith(("/", "../")):
                yield out.path, known[out.text]


def _record_of(stage: Stage, document: Any) -> Any:
    if stage.is_data or not isinstance(document, Mapping):
        return document
    stages = document.get("stages")
    return stages.get(stage.name) if isinstance(stages, Mapping) else None


def _read(layout: Layout, file: RepoPath) -> Any:
    with contextlib.suppress(FileNotFoundError), open(layout.abspath(file), "rb") as handle:
        text = handle.read()
        if b"cloud:" in text:
            with contextlib.suppress(SpecError):  # who reads it for what it is about says so
                return load(Source.decode(file, text)).value
    return None

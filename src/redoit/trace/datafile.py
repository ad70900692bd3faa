"""Writing ``.dvc`` files: what a data source holds now, with comments and unknown fields kept."""

from __future__ import annotations

import hashlib
import io
import json
import posixpath
from collections.abc import Iterable, Mapping
from typing import Any

from redoit.errors import SpecError, TraceError
from redoit.files import write_atomic
from redoit.model import Entry, Oid, RepoPath, Stage, Trace
from redoit.project import Layout
from redoit.spec.source import Source
from redoit.spec.yaml import load
from redoit.trace.record import entry_data
from redoit.trace.versions import FIELDS, names_same

_CONTENT = (
    "md5",
    "xxh128",
    "etag",
    "checksum",
    "size",
    "nfiles",
    "isexec",
    "hash",
    "cloud",
    "files",
)
"""Fields of an out that say what it holds."""
_DEFAULTS: Mapping[str, Any] = {"cache": True, "push": True, "persist": False}
"""Fields of an out that DVC leaves out when they say nothing."""
_NOT_IN_CHECKSUM = frozenset(
    (
        "desc",
        "type",
        "labels",
        "meta",
        "locked",
        "frozen",
        "metric",
        "persist",
        "isexec",
        "size",
        "nfiles",
    )
)


def new_data_file(layout: Layout, file: RepoPath, entry: Entry) -> bool:
    """Write the ``.dvc`` file of one file or directory, byte for byte as DVC does. True if it changed.

    Raises TraceError if it cannot be written.
    """
    from ruamel.yaml import YAML

    data = entry_data(entry)
    path = data.pop("path")
    hashed = data.pop("hash", None)
    digest = entry.algo.value if entry.algo.value in data else "md5"
    item = {digest: data.pop(digest), **data}
    if hashed is not None:
        item["hash"] = hashed
    yaml = YAML()
    yaml.default_flow_style = False
    stream = io.StringIO()
    yaml.dump({"outs": [{**item, "path": path}]}, stream)
    try:
        write_atomic(layout.abspath(file), stream.getvalue().encode())
    except OSError as error:
        raise TraceError(f"{file} cannot be written", facts={"reason": error.strerror}) from error
    return True


def write_data_file(layout: Layout, stage: Stage, trace: Trace) -> bool:
    """Record in the ``.dvc`` file of ``stage`` what its outs hold: ``trace.outs``. True if the file changed.

    Raises TraceError if it cannot be read or written.
    """
    entries = {entry.path: entry for entry in trace.outs}
    return _rewrite(layout, stage.file, "outs", entries)


def copy_data_file(
    layout: Layout, file: RepoPath, new: RepoPath, path: str, source: str | None = None
) -> None:
    """Write the ``.dvc`` file ``new``: as ``file``, but its one out is at ``path``, and imported from ``source`` if given.

    Raises TraceError.
    """
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.default_flow_style = False
    try:
        with open(layout.abspath(file), "rb") as handle:
            document = yaml.load(handle.read())
        document["outs"][0]["path"] = path
        if source is not None:
            document["deps"][0]["path"] = source
        if "md5" in document:
            document["md5"] = checksum(document)
        stream = io.StringIO()
        yaml.dump(document, stream)
        write_atomic(layout.abspath(new), stream.getvalue().encode(), staging=layout.tmp)
    except OSError as error:
        raise TraceError(f"{new} cannot be written", facts={"reason": error.strerror}) from error


def replace_oids(layout: Layout, file: RepoPath, replace: Mapping[Oid, Entry]) -> bool:
    """Give the outs and local deps of a ``.dvc`` file other digests: old oid → an entry with the new. True if changed."""
    changed = False
    for field in ("outs", "deps"):
        changed = _rewrite(layout, file, field, {}, replace) or changed
    return changed


def _rewrite(
    layout: Layout,
    file: RepoPath,
    field: str,
    entries: Mapping[str, Entry],
    replace: Mapping[Oid, Entry] | None = None,
) -> bool:
    path = layout.abspath(file)
    try:
        with open(path, "rb") as handle:
            text = handle.read()
        plain = load(Source.decode(file, text)).value
        wanted = list(_wanted(plain.get(field) or [], entries, replace or {}))
        if all(entry is None or _says(item, entry) for item, entry in wanted):
            return False
        changed = [None if entry and _says(item, entry) else entry for item, entry in wanted]
        new = _round_trip(text, field, changed)
        write_atomic(path, new, staging=layout.tmp)
    except (OSError, SpecError, AttributeError, TypeError, KeyError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise TraceError(f"{file} cannot be rewritten", facts={"reason": reason}) from error
    return True


def _wanted(
    items: Iterable[Any], entries: Mapping[str, Entry], replace: Mapping[Oid, Entry]
) -> Iterable[tuple[dict[str, Any], Entry | None]]:
    for item in items:
        if replace:
            old = item.get("xxh128") or item.get("md5")
            new = replace.get(old)
            yield (
                item,
                new
                and Entry(
                    item["path"],
                    new.oid,
                    new.algo,
                    item.get("size"),
                    item.get("nfiles"),
                    bool(item.get("isexec")),
                ),
            )
        else:
            name = posixpath.normpath(item["path"])
            yield item, entries.get(item["path"]) or entries.get(name)


def _says(item: Mapping[str, Any], entry: Entry) -> bool:
    """Whether the item has the content of ``entry`` already."""
    if FIELDS & item.keys():
        return names_same(item, entry)
    data = entry_data(entry)
    del data["path"]
    return {key: value for key, value in item.items() if key in _CONTENT} == data


def _round_trip(text: bytes, field: str, entries: list[Entry | None]) -> bytes:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.default_flow_style = False
    document = yaml.load(text)
    for item, entry in zip(document[field], entries, strict=True):
        if entry is not None:
            _update(item, entry)
    _leave_out_defaults(document)
    if "md5" in document:  # of imports: a checksum of the file's own fields
        document["md5"] = checksum(document)
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue().encode()


def _update(item: Any, entry: Entry) -> None:
    data = entry_data(entry)
    del data["path"]
    # Fields keep their places; new ones come in DVC's order, `hash` last.
    if "hash" in data:
        data["hash"] = data.pop("hash")
    digest = entry.algo.value if entry.algo.value in data else "md5"
    for key in [key for key in _CONTENT if key in item and key not in data]:
        if key in ("md5", "xxh128"):
            item.insert(list(item).index(key), digest, data[digest])
            if key in item.ca.items:
                item.ca.items[digest] = item.ca.items.pop(key)
        del item[key]
    for key, value in data.items():
        if item.get(key) != value:
            item[key] = value


def _leave_out_defaults(document: Any) -> None:
    for key in [
        key for key, value in document.items() if not value or (key, value) == ("wdir", ".")
    ]:
        del document[key]
    for item in document.get("outs", ()):
        for key, default in _DEFAULTS.items():
            if key in item and item[key] == default:
                del item[key]


def checksum(document: Mapping[str, Any]) -> str:
    """DVC's checksum of the fields of a ``.dvc`` file that say what it is about."""
    fields = {key: value for key, value in document.items() if key != "md5"}
    return hashlib.md5(
        json.dumps(_counted(fields), sort_keys=True).encode(), usedforsecurity=False
    ).hexdigest()


def _counted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _counted(item) for key, item in value.items() if key not in _NOT_IN_CHECKSUM}
    if isinstance(value, list):
        return [_counted(item) for item in value]
    return value

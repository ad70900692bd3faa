"""A trace in its three forms: the value, the entry of ``dvc.lock``, and a compact JSON record.

The record is two texts, as many stages may have the same deps: the list of deps, and the list
``[cmd, params, outs]``. A dep or out is ``[path, oid, size]``, followed by ``nfiles``, the algo's
number and ``isexec`` where they differ from nothing, md5 and false.
"""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from redoit.errors import TraceError
from redoit.files import survives_json
from redoit.model import Algo, Entry, Oid, Trace
from redoit.spec.listing import listed_directory

_ALGOS = (Algo.MD5, Algo.XXH128, Algo.MD5_DOS2UNIX)
_MD5 = Algo.MD5
_scan = json.JSONDecoder().raw_decode
_dump = json.JSONEncoder(separators=(",", ":")).encode
DEFAULT_PARAMS = "params.yaml"


class BadEntry(ValueError):
    """An entry of ``dvc.lock`` is not as the schema says; the message says what."""


# -- the entry of dvc.lock ---------------------------------------------------------------------


def lock_data(trace: Trace) -> dict[str, Any]:
    """The entry of ``dvc.lock``: keys in DVC's order, deps, params and outs sorted by path."""
    command: Any = trace.cmd
    data: dict[str, Any] = {"cmd": list(command) if isinstance(command, tuple) else command}
    if trace.deps:
        data["deps"] = [entry_data(entry) for entry in sorted(trace.deps, key=_path)]
    if trace.params:
        data["params"] = {
            file: {key: values[key] for key in sorted(values)}
            for file, values in sorted(trace.params.items(), key=_params_file_order)
        }
    if trace.outs:
        data["outs"] = [entry_data(entry) for entry in sorted(trace.outs, key=_path)]
    return data


def entry_data(entry: Entry) -> dict[str, Any]:
    """A dep or out as ``dvc.lock`` has it."""
    data: dict[str, Any] = {"path": entry.path}
    name = entry.algo.value
    if entry.algo is Algo.MD5_DOS2UNIX:
        name = "md5"  # what DVC 2 wrote has no key `hash`
    else:
        data["hash"] = name
    if entry.oid is not None:
        data[name] = entry.oid
    if entry.size is not None:
        data["size"] = entry.size
    if entry.nfiles is not None:
        data["nfiles"] = entry.nfiles
    if entry.isexec:
        data["isexec"] = True
    return data


def trace_of_lock(data: Any) -> Trace:
    """The trace of an entry of ``dvc.lock`` (already parsed). Raises BadEntry."""
    if not isinstance(data, dict):
        raise BadEntry("is not a mapping")
    command = data.get("cmd")
    if not isinstance(command, (str, list)):
        raise BadEntry(
            "has no cmd" if command is None else "has a cmd that is neither a string nor a list"
        )
    params = data.get("params") or None
    if params is not None and not (
        isinstance(params, dict) and all(isinstance(values, dict) for values in params.values())
    ):
        raise BadEntry("has params that are not a mapping of files to keys and values")
    return Trace(command, _entries(data, "deps"), params, _entries(data, "outs"))


def _entries(data: Mapping[str, Any], field: str) -> tuple[Entry, ...]:
    items = data.get(field) or []
    if not isinstance(items, list):
        raise BadEntry(f"has {field} that are not a list")
    return tuple([entry_of_lock(item, field) for item in items])


def entry_of_lock(item: Any, field: str = "outs") -> Entry:
    """A dep or out of ``dvc.lock``. Raises BadEntry."""
    if not isinstance(item, dict) or not isinstance(item.get("path"), str):
        raise BadEntry(f"has an item without path in its {field}")
    kind = item.get("hash")
    if kind is None:
        algo = Algo.MD5_DOS2UNIX if "md5" in item else Algo.MD5
    else:
        try:
            algo = Algo(kind)
        except ValueError:
            raise BadEntry(f"has an unknown hash {kind!r} in its {field}") from None
    oid = item.get("xxh128" if algo is Algo.XXH128 else "md5")
    size, nfiles = item.get("size"), item.get("nfiles")
    if not (
        (oid is None or isinstance(oid, str))
        and (size is None or isinstance(size, int))
        and (nfiles is None or isinstance(nfiles, int))
    ):
        raise BadEntry(f"has a digest, size or nfiles of the wrong type in its {field}")
    if oid is None and (listed := listed_directory(item.get("files"))) is not None:
        return Entry(item["path"], listed.oid, Algo.MD5, listed.size, listed.nfiles)
    return Entry(
        item["path"],
        None if oid is None else Oid(oid),
        algo,
        size,
        nfiles,
        bool(item.get("isexec")),
    )


def _path(entry: Entry) -> str:
    return entry.path


def _params_file_order(item: tuple[str, object]) -> tuple[bool, str]:
    return item[0] != DEFAULT_PARAMS, item[0]


# -- the record --------------------------------------------------------------------------------


class Record(NamedTuple):
    """A trace as two lines of JSON, the same for equal traces."""

    deps: str
    rest: str


def encode(trace: Trace) -> Record:
    """The record of ``trace``. Raises TraceError."""
    params: Any = trace.params and {
        file: {key: values[key] for key in sorted(values)}
        for file, values in sorted(trace.params.items(), key=_params_file_order)
    }
    if params and not survives_json(params):
        params = [_pack(params)]
    rest = [trace.cmd, params or None, _pack_entries(trace.outs)]
    return Record(_dump(_pack_entries(trace.deps)), _dump(rest))


def decode_deps(text: str) -> tuple[Entry, ...]:
    """The deps of a record."""
    return _unpack_entries(_scan(text)[0])


def decode(record: Record, deps_of: Callable[[str], tuple[Entry, ...]] = decode_deps) -> Trace:
    """The trace of a record that ``encode`` made; ``deps_of`` may be a ``decode_deps`` with a memory."""
    command, params, outs = _scan(record.rest)[0]
    if type(params) is list:
        params = _unpack(params[0])
    return Trace(command, deps_of(record.deps), params, _unpack_entries(outs))


def _pack_entries(entries: Iterable[Entry]) -> list[list[Any]]:
    packed = []
    for entry in sorted(entries, key=_path):
        item: list[Any] = [entry.path, entry.oid, entry.size]
        if entry.nfiles is not None or entry.algo is not _MD5 or entry.isexec:
            item += [entry.nfiles, _ALGOS.index(entry.algo), entry.isexec]
        packed.append(item)
    return packed


def _unpack_entries(items: list[list[Any]]) -> tuple[Entry, ...]:
    return tuple(
        [
            Entry(item[0], item[1], _MD5, item[2])
            if len(item) == 3
            else Entry(item[0], item[1], _ALGOS[item[4]], item[2], item[3], item[5])
            for item in items
        ]
    )


def _pack(value: Any) -> Any:
    """``value`` as JSON that keeps its types: YAML and TOML know dates, bytes and odd keys."""
    if value is None or type(value) in (str, int, float, bool):
        return value
    if isinstance(value, Mapping):
        return {"map": [[_pack(key), _pack(item)] for key, item in value.items()]}
    if isinstance(value, (list, tuple)):
        return [_pack(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return {"set": [_pack(item) for item in sorted(value, key=repr)]}
    if isinstance(value, datetime.datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, datetime.date):
        return {"date": value.isoformat()}
    if isinstance(value, datetime.time):
        return {"time": value.isoformat()}
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    raise TraceError(
        "a value cannot be recorded in dvc.lock",
        facts={"value": repr(value)[:60], "type": type(value).__name__},
        hint="use strings, numbers, true, false, null, lists and mappings in params files",
    )


def _unpack(value: Any) -> Any:
    if type(value) is list:
        return [_unpack(item) for item in value]
    if type(value) is not dict:
        return value
    ((kind, inner),) = value.items()
    if kind == "map":
        return {_unpack(key): _unpack(item) for key, item in inner}
    if kind == "set":
        return {_unpack(item) for item in inner}
    if kind == "bytes":
        return base64.b64decode(inner)
    readers = {
        "datetime": datetime.datetime.fromisoformat,
        "date": datetime.date.fromisoformat,
        "time": datetime.time.fromisoformat,
    }
    return readers[kind](inner)

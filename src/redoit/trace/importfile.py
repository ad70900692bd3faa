"""``.dvc`` files of imported data: made, and changed when the data are got anew, byte for byte as DVC does it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from redoit.errors import TraceError
from redoit.files import write_atomic
from redoit.model import Algo, Entry, Import, RepoPath
from redoit.project import Layout
from redoit.trace.datafile import checksum
from redoit.trace.record import entry_data

_REPO = ("url", "rev", "rev_lock", "config", "remote")
"""The fields of ``repo`` in DVC's order; those without a value are left out."""
_OWN = frozenset(
    (
        *("md5", "xxh128", "etag", "checksum", "size", "nfiles", "isexec", "hash", "cloud"),
        *("files", "version_id", "path"),
    )
)
"""Fields of an out that an import writes; all others are the user's, and stay."""


def import_data(
    origin: Import, out: Entry, algo: Algo, *, resolved: bool, push: bool = True
) -> dict[str, Any]:
    """The content of the ``.dvc`` file of an import into ``out``. ``resolved``: it is known what the source holds."""
    kept = {} if push else {"push": False}
    data: dict[str, Any] = {
        "frozen": True,
        "deps": [_dep(origin, algo)],
        "outs": [{**_digest_first(entry_data(out)), **kept}],
    }
    return {"md5": checksum(data), **data} if resolved else data


def _dep(origin: Import, algo: Algo) -> dict[str, Any]:
    if origin.repo is not None:
        repo = {key: origin.repo[key] for key in _REPO if origin.repo.get(key)}
        return {"path": origin.path, "repo": repo}
    record = dict(origin.record or {})
    record.pop("hash", None)
    files = record.pop("files", None)
    data = {**record, "hash": algo.value, "path": origin.path}
    if origin.fs_config:
        data["fs_config"] = dict(origin.fs_config)
    return data if files is None else {**data, "files": files}


def _digest_first(data: dict[str, Any]) -> dict[str, Any]:
    """The fields of an out in the order in which DVC writes them into a new ``.dvc`` file."""
    path, hashed = data.pop("path"), data.pop("hash")
    first = {key: data.pop(key) for key in (hashed,) if key in data}
    return {**first, **data, "hash": hashed, "path": path}


def write_import(
    layout: Layout,
    file: RepoPath,
    origin: Import,
    out: Entry,
    *,
    resolved: bool = True,
    counted: Entry | None = None,
    push: bool = True,
) -> None:
    """Write the ``.dvc`` file of an import. One that is there keeps comments, and the fields that are the user's.

    ``push``: whether a new one lets its data be sent to remotes.

    ``counted``: the out that the file's own checksum is of, if not ``out``: DVC makes it before it forgets an out.
    Raises TraceError if it cannot be read or written.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML()
    yaml.default_flow_style = False
    place = layout.abspath(file)
    wanted = import_data(origin, out, layout.algo, resolved=resolved)
    try:
        document = _read(yaml, place)
        if document is None:
            document = import_data(origin, out, layout.algo, resolved=resolved, push=push)
        else:
            whole = _with_own(document, wanted)
            if resolved:
                outs = [{**whole["outs"][0], **entry_data(counted or out)}]
                fields = {key: value for key, value in whole.items() if key != "md5"}
                whole["md5"] = checksum({**fields, "outs": outs})
            _apply(whole, document)
        stream = io.StringIO()
        yaml.dump(document, stream)
        write_atomic(place, stream.getvalue().encode(), staging=layout.tmp)
    except (OSError, YAMLError) as error:
        reason = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())
        raise TraceError(f"{file} cannot be written", facts={"reason": reason}) from error


def _read(yaml: Any, place: str) -> Any:
    try:
        with open(place, "rb") as file:
            document = yaml.load(file.read())
    except FileNotFoundError:
        return None
    return document if isinstance(document, dict) else None


def _with_own(document: Any, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """``wanted`` with those fields of the file that say nothing of the import."""
    whole = {**wanted}
    for key, value in document.items():
        if value and key in ("wdir", "desc", "meta", "always_changed") and (key, value) != _HERE:
            whole.setdefault(key, value)
    before = document.get("outs")
    if isinstance(before, list) and len(before) == 1 and isinstance(before[0], dict):
        own = {
            key: value
            for key, value in before[0].items()
            if key not in _OWN and (key, value) not in _DEFAULTS
        }
        whole["outs"] = [{**wanted["outs"][0], **own}]
    return whole


_HERE = ("wdir", ".")
_DEFAULTS = (("cache", True), ("push", True), ("persist", False))


def _apply(wanted: Mapping[str, Any], document: Any) -> None:
    """Make ``document`` say ``wanted``: what stays keeps its place and its comments, what is new comes last."""
    for key in [key for key in document if key not in wanted]:
        del document[key]
    for key, value in wanted.items():
        old = document.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            _apply(value, old)
        elif isinstance(value, list) and isinstance(old, list) and len(old) == len(value):
            for at, item in enumerate(value):
                if isinstance(item, dict) and isinstance(old[at], dict):
                    _apply(item, old[at])
                elif old[at] != item:
                    old[at] = item
        elif key not in document or old != value:
            document[key] = value

"""What DVC records of versions in a cloud (``cloud``, ``files``): kept of all data that stay the same."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from redoit.model import Entry
from redoit.trace.record import BadEntry, entry_of_lock

FIELDS = frozenset(("cloud", "files"))


def with_versions(data: dict[str, Any], old: Any) -> dict[str, Any]:
    """``data``, the new entry of a stage in ``dvc.lock``, with what the ``old`` one has of versions of the same data."""
    if not isinstance(old, Mapping):
        return data
    kept = {**data}
    for field in ("deps", "outs"):
        known = {item["path"]: item for item in old.get(field) or () if FIELDS & item.keys()}
        if known and field in data:
            kept[field] = [
                known[item["path"]] if names_same(known.get(item["path"]), item) else item
                for item in data[field]
            ]
    return kept


def names_same(old: Any, new: Mapping[str, Any] | Entry) -> bool:
    """Whether a dep or out with versions, as it is written, is of the same content as ``new``."""
    if old is None:
        return False
    with contextlib.suppress(BadEntry):
        one = entry_of_lock(old)
        other = new if isinstance(new, Entry) else entry_of_lock(new)
        return one.oid is not None and one[1:3] == other[1:3] and one.isexec == other.isexec
    return False

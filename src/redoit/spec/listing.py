"""Directories that DVC lists file by file, for remotes that keep their versions in the cloud."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from redoit.model import Oid


class Listed(NamedTuple):
    """The directory that a list of files is: the oid of its object, which the list stands for."""

    oid: Oid
    size: int | None
    nfiles: int


def listed_directory(rows: Any) -> Listed | None:
    """What the field ``files`` of an out says; None if it does not say every file's digest."""
    if not isinstance(rows, list) or not rows:
        return None
    found: dict[str, str] = {}
    size: int | None = 0
    for row in rows:
        if not isinstance(row, dict):
            return None
        name, digest, length = row.get("relpath"), row.get("md5"), row.get("size")
        if not isinstance(name, str) or not isinstance(digest, str):
            return None
        found[name] = digest
        size = None if size is None or not isinstance(length, int) else size + length
    import hashlib  # it loads OpenSSL, which all that have no such list can spare

    # Byte for byte the object of a directory, as `store.tree` encodes it.
    data = json.dumps([{"md5": found[name], "relpath": name} for name in sorted(found)])
    digest = hashlib.md5(data.encode(), usedforsecurity=False).hexdigest()
    return Listed(Oid(f"{digest}.dir"), size, len(found))

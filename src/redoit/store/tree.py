"""Directories as objects: the JSON lists that DVC calls ``.dir`` objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from io import BytesIO
from json.encoder import encode_basestring_ascii as quoted
from operator import itemgetter

from redoit.errors import CorruptObject
from redoit.model import Algo, Oid
from redoit.store.digests import oid_of

DIR_SUFFIX = ".dir"

_MD5_FORM = '{{"md5": "{1}", "relpath": {0}}}'
_PART = 1000
"""Files encoded at a time."""


def is_dir_oid(oid: str) -> bool:
    """Whether ``oid`` names a directory."""
    return oid.endswith(DIR_SUFFIX)


def key_of(algo: Algo) -> str:
    """What DVC calls a digest in a record; DVC 2's has the same name as DVC 3's."""
    return "xxh128" if algo is Algo.XXH128 else "md5"


def encode(names: Sequence[str], oids: Sequence[str], algo: Algo) -> bytes:
    """The object of a directory: ``names`` sorted, byte for byte as DVC writes it."""
    form = '{{"relpath": {0}, "xxh128": "{1}"}}' if algo is Algo.XXH128 else _MD5_FORM
    written = BytesIO()  # part by part: the text of a hundred thousand files is not held twice
    written.write(b"[")
    for start in range(0, len(names), _PART):
        part = slice(start, start + _PART)
        rows = map(form.format, map(quoted, names[part]), oids[part])
        written.write(f"{', ' if start else ''}{', '.join(rows)}".encode("ascii"))
    written.write(b"]")
    return written.getvalue()


def dir_oid(data: bytes, algo: Algo) -> Oid:
    """The oid of an encoded directory."""
    return Oid(oid_of(data, algo) + DIR_SUFFIX)


def decode(data: bytes, algo: Algo, where: str) -> list[tuple[str, Oid]]:
    """Name and oid of every file in the object, sorted by name. ``where`` names it in the error.

    Raises CorruptObject for anything that DVC or Redoit would not have written, names that
    lead out of the directory included.
    """
    try:
        # Each object becomes a pair as soon as it is read: a hundred thousand would take much memory.
        rows = json.loads(data, object_hook=itemgetter("relpath", key_of(algo)))
        if (
            isinstance(rows, list)
            and {tuple}.issuperset(map(type, rows))
            and _are_names([row[0] for row in rows])
            and _are_oids([row[1] for row in rows])
        ):
            rows.sort()
            return rows
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise CorruptObject(
        "the object of a directory in the cache is not what it should be",
        facts={"object": where},
        hint="run `exp cache verify`, then get it again or run its stage with -f",
    )


def _are_names(names: list[str]) -> bool:
    """Whether all are different paths below the directory, and nothing in them leads elsewhere."""
    text = "/" + "/\0/".join(names) + "/"
    return (
        text.count("\0") == max(len(names) - 1, 0)
        and len(set(names)) == len(names)
        and "//" not in text
        and "/./" not in text
        and "/../" not in text
    ) or not names


def _are_oids(oids: list[str]) -> bool:
    """Whether all are oids of files."""
    return {32}.issuperset(map(len, oids)) and _HEX.issuperset("".join(oids))


_HEX = frozenset("0123456789abcdef")


def is_oid(text: str) -> bool:
    """Whether ``text`` looks like one: 32 hex digits, perhaps with ``.dir``."""
    bare = text[:-4] if text.endswith(DIR_SUFFIX) else text
    return len(bare) == 32 and _HEX.issuperset(bare)


def parents(names: Iterable[str]) -> list[str]:
    """Every directory that these files lie in, those above first; the top one left out."""
    found: set[str] = set()
    for name in names:
        head = name.rpartition("/")[0]
        while head and head not in found:
            found.add(head)
            head = head.rpartition("/")[0]
    return sorted(found)

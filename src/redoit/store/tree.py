"""Directories as objects: the JSON lists that DVC calls ``.dir`` objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from json.encoder import encode_basestring_ascii as quoted

from redoit.errors import CorruptObject
from redoit.model import Algo, Oid
from redoit.store.digests import oid_of

DIR_SUFFIX = ".dir"


def is_dir_oid(oid: str) -> bool:
    """Whether ``oid`` names a directory."""
    return oid.endswith(DIR_SUFFIX)


def key_of(algo: Algo) -> str:
    """What DVC calls a digest in a record; DVC 2's has the same name as DVC 3's."""
    return "xxh128" if algo is Algo.XXH128 else "md5"


def encode(names: Sequence[str], oids: Sequence[str], algo: Algo) -> bytes:
    """The object of a directory: ``names`` sorted, byte for byte as DVC writes it."""
    if algo is Algo.XXH128:
        rows = [
            f'{{"relpath": {quoted(name)}, "xxh128": "{oid}"}}'
            for name, oid in zip(names, oids, strict=True)
        ]
    else:
        rows = [
            f'{{"md5": "{oid}", "relpath": {quoted(name)}}}'
            for name, oid in zip(names, oids, strict=True)
        ]
    return f"[{', '.join(rows)}]".encode("ascii")


def dir_oid(data: bytes, algo: Algo) -> Oid:
    """The oid of an encoded directory."""
    return Oid(oid_of(data, algo) + DIR_SUFFIX)


def decode(data: bytes, algo: Algo, where: str) -> list[tuple[str, Oid]]:
    """Name and oid of every file in the object, sorted by name. ``where`` names it in the error.

    Raises CorruptObject for anything that DVC or Redoit would not have written, names that
    lead out of the directory included.
    """
    try:
        rows = json.loads(data)
        key = key_of(algo)
        names = [row["relpath"] for row in rows]
        oids = [row[key] for row in rows]
        if isinstance(rows, list) and _are_names(names) and _are_oids(oids):
            return sorted(zip(names, oids, strict=True))
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

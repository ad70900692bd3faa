"""Objects of directories in the cache: what each lists, believed only if it is what its name says."""

from __future__ import annotations

import os
from collections.abc import Iterator

from redoit.errors import MissingObject, StoreError
from redoit.model import Algo, Entry, Oid
from redoit.store import tree
from redoit.store.objects import Objects, corrupt, missing


def read_listing(objects: Objects, oid: Oid, algo: Algo) -> bytes:
    """The object of a directory, which must be a list of files. Raises MissingObject, CorruptObject, StoreError."""
    path = objects.path(oid, algo)
    # As for ``Objects.has``: '../x.dir' must not lead out of the cache.
    if not tree.is_oid(oid):
        raise missing(oid, path)
    data = objects.read(oid, algo)
    if tree.dir_oid(data, algo) != oid:
        raise corrupt(oid, path)
    return data


def listing_of(objects: Objects, oid: Oid, algo: Algo) -> list[tuple[str, Oid]]:
    """Name and oid of the files of a directory, sorted by name. Raises as ``read_listing``."""
    return tree.decode(read_listing(objects, oid, algo), algo, objects.path(oid, algo))


def damaged(objects: Objects, entry: Entry) -> Iterator[str]:
    """Of what ``entry`` records, where the cache has something else: ``""`` for all of it, else names of files."""
    oid, algo = entry.oid, entry.algo
    if oid is None or not tree.is_oid(oid):
        return
    if not tree.is_dir_oid(oid):
        if _is_damaged(objects, oid, algo):
            yield ""
        return
    try:
        files = listing_of(objects, oid, algo)
    except MissingObject:
        return
    except StoreError:  # also one that cannot be read
        yield ""
    else:
        yield from (name for name, inner in files if _is_damaged(objects, inner, algo))


def _is_damaged(objects: Objects, oid: Oid, algo: Algo) -> bool:
    return not objects.has(oid, algo) and os.path.lexists(objects.path(oid, algo))

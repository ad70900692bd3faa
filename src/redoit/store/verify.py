"""Reading every object of the cache again, to find those whose content is not their name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from redoit.errors import CorruptObject, StoreError
from redoit.model import Algo, Entry, Oid
from redoit.project import Layout
from redoit.store import tree
from redoit.store.digests import digest_file
from redoit.store.links import remove
from redoit.store.objects import folders_of
from redoit.store.parallel import in_parallel

_BATCH = 64
"""Objects read before the bad ones among them are named."""


@dataclass(frozen=True)
class BadObject:
    """An object that cannot be used as what its name says."""

    path: str
    oid: Oid
    algo: Algo
    problem: str
    """One line: what is wrong."""

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


def find_bad(layout: Layout) -> Iterator[BadObject]:
    """Every bad object, in the order of their names. Raises StoreError if a folder cannot be read.

    Files that are no objects, such as what an interrupted copy left, are passed over.
    """
    batch: list[tuple[str, Oid, Algo]] = []
    for algo, folder in folders_of(layout.cache_dir).items():
        for path, oid in objects_in(folder):
            batch.append((path, oid, algo))
            if len(batch) == _BATCH:
                yield from _bad_of(batch)
                batch = []
    yield from _bad_of(batch)


def is_whole(object_path: Callable[[Oid, Algo], str], entry: Entry) -> bool:
    """Whether the object of ``entry``, and of a directory every object in it, has the content of its name.

    An object that has not is removed: nothing shall believe it. Raises StoreError.
    """
    if entry.oid is None:
        return False
    path = object_path(entry.oid, entry.algo)
    if not os.path.exists(path):
        return False
    if _problem(path, entry.oid, entry.algo):
        remove(path)
        return False
    if not tree.is_dir_oid(entry.oid):
        return True
    with open(path, "rb") as file:
        inner = tree.decode(file.read(), entry.algo, path)
    # All of them are read, so that every bad one goes.
    whole = [is_whole(object_path, Entry(name, oid, entry.algo)) for name, oid in inner]
    return all(whole)


def objects_in(folder: str) -> Iterator[tuple[str, Oid]]:
    """Path and oid of everything in ``folder`` that is named like an object."""
    for prefix in _names(folder):
        if len(prefix) == 2:
            for name in _names(f"{folder}/{prefix}"):
                if tree.is_oid(prefix + name):
                    yield f"{folder}/{prefix}/{name}", Oid(prefix + name)


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StoreError(
            "cannot read a folder of the cache",
            facts={"folder": folder, "because": error.strerror or str(error)},
            hint="check its permissions and the disk",
        ) from error


def _bad_of(batch: list[tuple[str, Oid, Algo]]) -> list[BadObject]:
    found: list[BadObject | None] = [None] * len(batch)

    def look(at: int) -> None:
        path, oid, algo = batch[at]
        problem = _problem(path, oid, algo)
        if problem is not None:
            found[at] = BadObject(path, oid, algo, problem)

    in_parallel([partial(look, at) for at in range(len(batch))])
    return [bad for bad in found if bad is not None]


def _problem(path: str, oid: Oid, algo: Algo) -> str | None:
    try:
        digest = digest_file(path, algo).oid(algo)
        if digest != oid.removesuffix(tree.DIR_SUFFIX):
            return f"its content has the digest {digest}"
        if tree.is_dir_oid(oid):
            with open(path, "rb") as file:
                tree.decode(file.read(), algo, path)
    except FileNotFoundError:  # removed meanwhile
        return None
    except CorruptObject:
        return "it is no list of files"
    except StoreError as error:
        return f"it cannot be read: {error.facts.get('because', error.what)}"
    return None

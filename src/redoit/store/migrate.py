"""From one digest to another: the same objects under other names; nothing is run.

An object keeps its content, so the new name is a second hard link to it where the file system
allows that. Only the objects of directories, which hold oids, are written anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from redoit.errors import MissingObject
from redoit.model import Algo, Entry, Oid, RepoPath
from redoit.project import Layout
from redoit.store import tree
from redoit.store.digests import Digests, digest_file
from redoit.store.listings import listing_of
from redoit.store.look import Look
from redoit.store.objects import Objects, corrupt, missing
from redoit.store.scan import stamp_of


@dataclass(frozen=True)
class Item:
    """One entry of a ``dvc.lock`` or ``.dvc`` file, the path it is about, and whether the cache
    is to hold it."""

    path: RepoPath
    entry: Entry
    cached: bool


@dataclass
class Migration:
    """What came of it: the new oids, and the entries whose content is nowhere to be had."""

    oids: dict[Oid, Oid] = field(default_factory=dict)
    """Old oid → new oid."""
    lost: list[Item] = field(default_factory=list)
    """Neither in the cache nor, unchanged, in the workspace: their entries stay as they are."""


def migrate(
    items: Iterable[Item], to: Algo, layout: Layout, look: Look, objects: Objects
) -> Migration:
    """Find the oid by ``to`` of every entry, and put the objects of cached ones into the cache.

    An entry recorded by ``to`` already is left alone. Raises CorruptObject, StoreError.
    """
    work = _Work(to, layout, look, objects)
    found = Migration()
    for item in items:
        oid, algo = item.entry.oid, item.entry.algo
        if oid is None or algo is to:
            continue
        try:
            new: Oid | None = work.object(oid, algo)
        except MissingObject:
            new = work.from_workspace(item)
        # Two digests may have named two contents alike (DVC 2 took no notice of CR).
        if new is None or found.oids.setdefault(oid, new) != new:
            found.lost.append(item)
    return found


class _Work:
    """One migration under way, and what it did so far."""

    def __init__(self, to: Algo, layout: Layout, look: Look, objects: Objects) -> None:
        self._to = to
        self._layout = layout
        self._look = look
        self._objects = objects
        self._done: dict[tuple[Algo, Oid], Oid] = {}

    def object(self, oid: Oid, algo: Algo) -> Oid:
        """The same content under the new digest. Raises MissingObject, CorruptObject."""
        new = self._done.get((algo, oid))
        if new is None:
            new = self._directory(oid, algo) if tree.is_dir_oid(oid) else self._file(oid, algo)
            self._done[algo, oid] = new
        return new

    def _file(self, oid: Oid, algo: Algo) -> Oid:
        path = self._objects.path(oid, algo)
        try:
            old = digest_file(path, algo)
            if old.oid(algo) != oid:
                raise corrupt(oid, path)
            digests = old if self._to is Algo.XXH128 else digest_file(path, self._to)
            stamp = stamp_of(os.stat(path))
        except FileNotFoundError:
            raise missing(oid, path) from None
        new = _oid(digests, self._to)
        if not self._objects.put_link(path, new, self._to, stamp):
            self._put(path)
        return new

    def _directory(self, oid: Oid, algo: Algo) -> Oid:
        files = listing_of(self._objects, oid, algo)
        oids = [self.object(inner, algo) for _, inner in files]
        return self._put_tree([name for name, _ in files], oids)

    def from_workspace(self, item: Item) -> Oid | None:
        """The new oid by what lies in the workspace, if that is what the entry records."""
        if not self._look.matches(item.path, item.entry):
            return None
        if not item.cached:
            content = self._look.content_by(item.path, self._to)
            return None if content is None else content.oid
        place = self._layout.abspath(item.path)
        if not os.path.isdir(place):
            return self._put(place)
        names = self._look.scan(item.path).names
        return self._put_tree(names, [self._put(f"{place}/{name}") for name in names])

    def _put(self, place: str) -> Oid:
        return _oid(self._objects.put_file(place, self._to), self._to)

    def _put_tree(self, names: list[str], oids: list[Oid]) -> Oid:
        return self._objects.put_tree(tree.encode(names, oids, self._to), self._to)


def _oid(digests: Digests, algo: Algo) -> Oid:
    oid = digests.oid(algo)
    assert oid is not None
    return oid

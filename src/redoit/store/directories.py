"""Directories out of the cache into the workspace, writing only what differs."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterable, Sequence
from typing import Any

from redoit.errors import StoreError
from redoit.model import Algo, Oid, RepoPath
from redoit.project import Layout
from redoit.store import tree
from redoit.store.digests import Digests, known_as
from redoit.store.incomplete import Mark, Marks
from redoit.store.links import Links, failing, remove, settled
from redoit.store.look import Look
from redoit.store.objects import Objects
from redoit.store.processes import in_slices
from redoit.store.scan import UNKNOWN, Listing, Stamp, is_racy, stamp_of

_NOTHING = Digests(None)

_ONE_PIECE = 1 << 30
"""Bytes of a directory that may be lost, and be in the way, when a checkout is killed."""
_FEW = 1000
"""Fewer files than these are all so young at the end that their stamps could not be trusted."""


class _New:
    """The files of a directory that is being checked out, and what became of each."""

    def __init__(self, names: list[str], oids: list[Oid], size: int) -> None:
        self.names = names
        self.oids = oids
        self.size = size
        self.stamps = [UNKNOWN] * len(names)
        self.digests = [_NOTHING] * len(names)

    def keep(self, places: Iterable[int], rows: Iterable[Any], algo: Algo) -> None:
        """Note the digests and stamp of files that were written."""
        for at, row in zip(places, rows, strict=True):
            # The oid is kept in memory once, as it is known already.
            self.digests[at] = known_as(self.oids[at], algo).merged(Digests(*row[:3]))
            self.stamps[at] = row[3:]


class Directories:
    """Puts whole directories of objects into the workspace."""

    def __init__(
        self, layout: Layout, look: Look, objects: Objects, links: Links, marks: Marks
    ) -> None:
        self._layout = layout
        self._marks = marks
        self._look = look
        self._objects = objects
        self._links = links

    def checkout(
        self,
        path: RepoPath,
        files: Sequence[tuple[str, Oid]],
        oid: Oid,
        algo: Algo,
        size: int | None,
        *,
        copy: bool,
    ) -> None:
        """Make ``path`` the directory ``oid``, which has these files, and nothing more but what ``.dvcignore`` names.

        ``size``: bytes of all the files, None if the cache lacks one. Raises as ``Store.checkout``.
        """
        place = self._layout.abspath(path)
        if size is None:  # ``find`` says what is wrong with which
            size = sum(self._objects.find(inner, algo).size for _, inner in files)
        new = _New([name for name, _ in files], [inner for _, inner in files], size)
        with failing(place):
            if self._checkout_new(place, new, algo, copy=copy):
                present = {}
            else:
                self._marks.set(path, Mark(oid, whole=True))
                present = self._make_folders(path, place, new.names, algo)
                self._put_missing(place, new, present, algo, copy=copy)
        for name in present:
            remove(f"{place}/{name}")
        self._marks.drop(path)
        self._look.note_dir(path, Listing(new.names, new.stamps, new.size), new.digests, oid, algo)

    def _checkout_new(self, place: str, new: _New, algo: Algo, *, copy: bool) -> bool:
        """Make a directory where nothing is. False if that is not possible in one piece: nothing is there then.

        It gets its name when it is whole, so that its files need no care of their own. All of it is lost if this
        process is killed, and takes room for a day: so it must not be too large.
        """
        if new.size > _ONE_PIECE or not (copy or self._links.copies) or os.path.lexists(place):
            return False
        folder = self._links.draft_folder(place)
        if folder is None:
            return False
        try:
            for inner in tree.parents(new.names):
                os.mkdir(f"{folder}/{inner}")
            few = len(new.names) < _FEW
            every = range(len(new.names))

            def put(at: int) -> tuple[object, ...]:
                file, oid = f"{folder}/{new.names[at]}", new.oids[at]
                placed = self._links.place_new(
                    self._objects.path(oid, algo), oid, algo, file, age=few
                ) or self._links.place(self._objects.find(oid, algo), file, copy=copy)
                return (*placed.digests, *stamp_of(placed.status))

            for part, rows in in_slices(len(new.names), lambda part: list(map(put, every[part]))):
                new.keep(every[part], rows, algo)
            now = time.time_ns()
            for at, stamp in enumerate(new.stamps):
                if is_racy(stamp[2], now):
                    file = f"{folder}/{new.names[at]}"
                    new.stamps[at] = stamp_of(settled(file, os.lstat(file)))
            try:
                os.rename(folder, place)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                return False
        finally:
            remove(folder)
        return True

    def _put_missing(
        self,
        place: str,
        new: _New,
        present: dict[str, tuple[Stamp, Digests]],
        algo: Algo,
        *,
        copy: bool,
    ) -> None:
        """Put the files into a directory that do not lie there already; of ``present`` those others stay."""
        todo: list[int] = []
        for at, (name, inner) in enumerate(zip(new.names, new.oids, strict=True)):
            row = present.pop(name, None)
            if row is None or row[1].oid(algo) != inner:
                todo.append(at)
            else:
                new.stamps[at], new.digests[at] = row

        def put(at: int) -> tuple[object, ...]:
            found = self._objects.find(new.oids[at], algo)
            placed = self._links.place(found, f"{place}/{new.names[at]}", copy=copy)
            stamp = stamp_of(placed.status)
            racy = is_racy(stamp[2], time.time_ns())
            return (*placed.digests, *(UNKNOWN if racy else stamp))

        for part, rows in in_slices(len(todo), lambda part: list(map(put, todo[part]))):
            new.keep(todo[part], rows, algo)

    def _make_folders(
        self, path: RepoPath, place: str, names: Sequence[str], algo: Algo
    ) -> dict[str, tuple[Stamp, Digests]]:
        """Make the directories that these files lie in. Returns what lies there already."""
        present: dict[str, tuple[Stamp, Digests]] = {}
        with failing(place):
            if os.path.isdir(place):
                try:
                    listing, digests = self._look.listed(path, algo)
                    rows = zip(listing.stamps, digests, strict=True)
                    present = dict(zip(listing.names, rows, strict=True))
                except StoreError:  # something in it cannot even be read
                    remove(place)
            elif os.path.lexists(place):
                remove(place)
            fresh = not os.path.isdir(place)
            os.makedirs(place, exist_ok=True)
            for folder in tree.parents(names):
                inner = f"{place}/{folder}"
                # Nothing may be written through a symlink to somewhere else.
                if not fresh and (os.path.islink(inner) or os.path.isfile(inner)):
                    os.unlink(inner)
                    present.pop(folder, None)
                os.makedirs(inner, exist_ok=True)
        return present

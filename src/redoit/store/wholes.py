"""Directories that the cache is known to hold whole, so that not each object must be asked for again.

No object can come or go without a new change time of the folder that it lies in. Of a large directory it is kept
which times the folders had when all of its objects were there: while a folder keeps its time, it keeps its objects,
and only those in other folders are asked for. It is about being there: whoever reads an object checks it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from redoit.errors import StoreError
from redoit.model import Algo, Oid
from redoit.store.listings import listing_of
from redoit.store.objects import Objects
from redoit.store.scan import is_racy
from redoit.store.statcache import StatCache, WholeRow

_FEWEST = 1000
"""Files of a directory for which this pays."""
_CROWD = 8
"""In a cache with more than so many times the objects of a directory, listing its folders does not pay."""
_PREFIXES = [f"{number:02x}" for number in range(256)]
_MISSING = 0
"""Instead of the change time of a folder that is not there."""
_UNSURE = -1
"""Instead of one that could come again with another content: it equals that of no folder, nor of a missing one."""


class Wholes:
    """Owns what this run knows of directories in the cache.

    ``shared``: workspaces hold links to objects, so that these can change without a trace in their folders. Then
    nothing is remembered from run to run.
    """

    def __init__(
        self,
        objects: Objects,
        state: StatCache,
        *,
        shared: bool,
    ) -> None:
        self._objects = objects
        self._state = state
        self._shared = shared
        self._sizes: dict[tuple[Oid, Algo], int] = {}

    def size(self, oid: Oid, algo: Algo) -> int | None:
        """The size in bytes of all files of the directory; None if the cache does not hold all of it."""
        known = self._sizes.get((oid, algo))
        if known is None:
            known = self._ask(oid, algo)
            if known is not None:
                self._sizes[oid, algo] = known
        return known

    def note(self, oid: Oid, algo: Algo, files: Sequence[Oid], sizes: Sequence[int]) -> None:
        """Learn that this run has put these files of a directory into the cache, or met them there; ``sizes`` in bytes.

        What it has put may be gone again by another process's doing, so the names are looked at once.
        """
        if self._shared or len(files) < _FEWEST:
            return
        now = time.time_ns()
        times = self._times(algo)
        if not self._are_listed(files, algo):
            return
        sums = [0] * len(_PREFIXES)
        for inner, size in zip(files, sizes, strict=True):
            sums[int(inner[:2], 16)] += size
        self._keep(oid, algo, WholeRow(times, sums), now)

    def forget(self, oid: Oid, algo: Algo) -> None:
        """Ask for each object the next time: one of them was not as it should be."""
        self._sizes.pop((oid, algo), None)
        self._state.put_whole(oid, algo, None)

    def _ask(self, oid: Oid, algo: Algo) -> int | None:
        row = None if self._shared else self._state.whole(oid, algo)
        now = time.time_ns()
        times = [] if row is None else self._times(algo)
        if row is not None and row.times == times and self._objects.has(oid, algo):
            return sum(row.sizes)
        try:
            files = listing_of(self._objects, oid, algo)
        except StoreError:
            return None
        if self._shared or len(files) < _FEWEST:
            sizes = self._objects.sizes([inner for _, inner in files], algo)
            return None if sizes is None else sum(sizes)
        times = times or self._times(algo)
        old = WholeRow([_UNSURE] * len(_PREFIXES), [0] * len(_PREFIXES)) if row is None else row
        found = self._sums([inner for _, inner in files], algo, times, old)
        if found is None:
            self._state.put_whole(oid, algo, None)
            return None
        self._keep(oid, algo, WholeRow(times, found), now)
        return sum(found)

    def _keep(self, oid: Oid, algo: Algo, row: WholeRow, now: int) -> None:
        sure = [_UNSURE if is_racy(changed, now) else changed for changed in row.times]
        self._state.put_whole(oid, algo, WholeRow(sure, row.sizes))

    def _sums(
        self, oids: Sequence[Oid], algo: Algo, times: Sequence[int], old: WholeRow
    ) -> list[int] | None:
        """The sizes of all objects of each folder: as they were where nothing changed; None if one is not there."""
        sums = list(old.sizes)
        changed = set()
        for number, prefix in enumerate(_PREFIXES):
            if times[number] != old.times[number]:
                changed.add(prefix)
                sums[number] = 0
        asked = [oid for oid in oids if oid[:2] in changed]
        sizes = self._objects.sizes(asked, algo)
        if sizes is None:
            return None
        for oid, size in zip(asked, sizes, strict=True):
            sums[int(oid[:2], 16)] += size
        return sums

    def _are_listed(self, oids: Sequence[Oid], algo: Algo) -> bool:
        """Whether the folders hold objects of these names; False, too, where there are too many others to look at."""
        wanted: dict[str, set[str]] = {}
        for oid in oids:
            wanted.setdefault(oid[:2], set()).add(oid[2:])
        top = self._objects.folder(algo)
        seen = 0
        for prefix, names in wanted.items():
            try:
                there = os.listdir(f"{top}/{prefix}")
            except OSError:
                return False
            seen += len(there)
            if seen > _CROWD * len(oids) or not names.issubset(there):
                return False
        return True

    def _times(self, algo: Algo) -> list[int]:
        """When each folder changed, in ns; unlike the time of modification, nobody can set that."""
        top = self._objects.folder(algo)
        times = []
        for prefix in _PREFIXES:
            try:
                times.append(os.stat(f"{top}/{prefix}").st_ctime_ns)
            except OSError:
                times.append(_MISSING)
        return times

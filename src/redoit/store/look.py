"""What the workspace holds now: each path is asked for once per run, and read only when it must be."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from redoit.errors import StoreError
from redoit.model import Algo, Content, Entry, Oid, RepoPath
from redoit.project import Layout
from redoit.store import tree
from redoit.store.digests import SMALL, Digests, digest_file, known_as, unreadable
from redoit.store.parallel import in_parallel
from redoit.store.scan import UNKNOWN, Ignores, Listing, Stamp, is_racy, scan, stamp_of
from redoit.store.statcache import DirRow, FileRow, StatCache, TreeRow

LARGE = 1 << 20
"""From this size, in bytes, it pays to read several files at once."""

_NOTHING = Digests(None)


@dataclass(slots=True)
class Seen:
    """A path at one moment. ``mode`` and ``stamp`` are None if there is nothing, or a broken symlink.

    They are all that is kept of the status, which is ten times as large.
    """

    since: int
    """How many writes this run had announced by then."""
    exists: bool
    mode: int | None = None
    stamp: Stamp | None = None
    digests: Digests = _NOTHING
    """Of a file its digests; of a directory its oids (with ``.dir``)."""
    size: int = 0
    nfiles: int | None = None

    @property
    def is_dir(self) -> bool:
        return self.mode is not None and stat.S_ISDIR(self.mode)

    @property
    def is_broken_link(self) -> bool:
        return self.exists and self.mode is None


class Look:
    """Owns what this run has seen of the workspace; the stat cache gives what earlier runs saw.

    Safe to use from any thread: a look that overlaps with a write announced by ``forget`` or
    ``note`` counts as older than it.
    """

    def __init__(self, layout: Layout, state: StatCache, ignore: Ignores | None) -> None:
        self._root = layout.root
        self._algo = layout.algo
        self._state = state
        self._ignore = ignore
        self._seen: dict[RepoPath, Seen] = {}
        self._lock = threading.Lock()
        self._writes = 0
        self._agreed: dict[RepoPath, tuple[int, Entry]] = {}
        """Path → when it was seen, and an entry that it matched then."""
        # Path → the write that concerned the path and all inside it, or something inside it.
        self._written: dict[str, int] = {}
        self._touched: dict[str, int] = {}

    # --- questions --------------------------------------------------------------------------------

    def exists(self, path: RepoPath) -> bool:
        """Whether anything is at ``path``; a broken symlink counts, as DVC counts it."""
        return self._see(path).exists

    def may_be_part(self, path: RepoPath) -> bool:
        """Whether a directory or a broken symlink is at ``path``."""
        seen = self._see(path)
        return seen.is_dir or seen.is_broken_link

    def is_executable(self, path: RepoPath) -> bool:
        """Whether a file is at ``path`` that its owner may execute."""
        mode = self._see(path).mode
        return mode is not None and stat.S_ISREG(mode) and is_executable(mode)

    def matches(self, path: RepoPath, entry: Entry) -> bool:
        """Whether ``path`` holds what ``entry`` records, whichever its digest; executable bits
        do not count, as with DVC. False if nothing is there, or what is there cannot be read.
        """
        # Many stages may read one file, and record the same of it.
        agreed = self._agreed.get(path)
        if agreed is not None and agreed[0] == self._writes and agreed[1] == entry:
            return True
        oid = entry.oid
        seen = self._see(path)
        if oid is None or seen.mode is None or seen.is_dir != tree.is_dir_oid(oid):
            return False
        known = seen.digests.oid(entry.algo)
        if known is None:
            try:
                known = self._digest(path, seen, entry.algo, entry)
            except StoreError:  # whoever needs the content is told why it cannot be read
                return False
        if known != oid:
            return False
        self._agreed[path] = (seen.since, entry)
        return True

    def content(self, path: RepoPath) -> Content | None:
        """What ``path`` holds, in the project's digest; None if it is missing. Raises StoreError."""
        return self.content_by(path, self._algo)

    def content_by(self, path: RepoPath, algo: Algo) -> Content | None:
        """As ``content``, in the digest ``algo``."""
        seen = self._see(path)
        if seen.mode is None:
            return None
        oid = seen.digests.oid(algo)
        if oid is None:
            oid = self._digest(path, seen, algo, None)
        if oid is None:  # it has vanished meanwhile
            return None
        if seen.is_dir:
            return Content(oid, algo, seen.size, seen.nfiles)
        return Content(oid, algo, seen.size, None, is_executable(seen.mode))

    def prefetch(
        self, paths: Iterable[RepoPath], entries: Mapping[RepoPath, Entry], jobs: int = 0
    ) -> None:
        """See all these paths, and digest what will be compared with ``entries``.

        Directories and large files are read by ``jobs`` threads (0: one per processor). Raises
        nothing: what cannot be read is reported when it is asked for.
        """
        slow: list[Callable[[], None]] = []
        for path in paths:
            entry = entries.get(path)
            try:
                seen = self._see(path)
                if entry is None or seen.mode is None or seen.digests.oid(entry.algo):
                    continue
                if seen.is_dir or seen.size > LARGE:
                    slow.append(partial(self._try_match, path, entry))
                else:
                    self.matches(path, entry)
            except StoreError:
                continue
        in_parallel(slow, jobs)

    def _try_match(self, path: RepoPath, entry: Entry) -> None:
        with contextlib.suppress(StoreError):
            self.matches(path, entry)

    # --- what has been written --------------------------------------------------------------------

    def forget(self, path: RepoPath) -> None:
        """Something wrote at ``path``: what was seen there, inside it and above it is old."""
        with self._lock:
            self._writes += 1
            self._written[path] = self._writes
            self._seen.pop(path, None)
            above: str = path
            while above:
                above = above.rpartition("/")[0]
                self._touched[above] = self._writes
                self._seen.pop(RepoPath(above), None)

    def note_file(self, path: RepoPath, status: os.stat_result, digests: Digests) -> None:
        """A file has just been written at ``path`` by us, and this is what it holds.

        ``status`` is that of the file, or of the object that it links to, from before its content
        was read or from the moment it was written.
        """
        self.forget(path)
        stamp = stamp_of(status)
        if not is_racy(status.st_mtime_ns, time.time_ns()):
            self._state.put_file(path, FileRow(stamp, digests))
        self._seen[path] = Seen(self._writes, True, status.st_mode, stamp, digests, status.st_size)

    def note_dir(
        self, path: RepoPath, listing: Listing, digests: Sequence[Digests], oid: Oid, algo: Algo
    ) -> None:
        """A directory has just been written at ``path`` by us, and this is what it holds.

        Stamps that cannot be trusted must be UNKNOWN in ``listing``.
        """
        self.forget(path)
        status = os.stat(self._abspath(path))
        seen = Seen(self._writes, True, status.st_mode, stamp_of(status))
        self._keep_dir(path, seen, listing, digests, known_as(oid, algo))
        self._seen[path] = seen

    # --- seeing -----------------------------------------------------------------------------------

    def _abspath(self, path: str) -> str:
        return f"{self._root}/{path}" if path and path[0] != "/" else path or self._root

    def _see(self, path: RepoPath) -> Seen:
        seen = self._seen.get(path)
        if seen is not None:
            if seen.since == self._writes:
                return seen
            # Where a broken symlink leads to, into the cache mostly, anything may have written since.
            if not seen.is_broken_link and self._is_fresh(path, seen.since):
                return seen
        seen = self._new(path)
        self._seen[path] = seen
        return seen

    def _is_fresh(self, path: str, since: int) -> bool:
        """Whether no write since then concerned ``path``."""
        with self._lock:
            if self._touched.get(path, 0) > since:
                return False
            while self._written.get(path, 0) <= since:
                if not path:
                    return True
                path = path.rpartition("/")[0]
        return False

    def _new(self, path: RepoPath) -> Seen:
        since = self._writes
        place = self._abspath(path)
        try:
            status = os.lstat(place)
            if stat.S_ISLNK(status.st_mode):
                try:
                    status = os.stat(place)
                except OSError:  # it leads nowhere, or in circles
                    return Seen(since, True)
        except (FileNotFoundError, NotADirectoryError):
            return Seen(since, False)
        except OSError as error:
            raise unreadable(place, error) from error
        mode, stamp = status.st_mode, stamp_of(status)
        if stat.S_ISDIR(mode):
            return Seen(since, True, mode, stamp)
        row = self._state.file(path)
        if row is not None and row.stamp == stamp:
            return Seen(since, True, mode, row.stamp, row.digests, stamp[1])
        return Seen(since, True, mode, stamp, _NOTHING, stamp[1])

    def _digest(self, path: RepoPath, seen: Seen, algo: Algo, entry: Entry | None) -> Oid | None:
        """Digest what was seen, and note it there. Returns the oid; None if it has vanished.

        If it is clear without ``algo`` that ``entry`` records something else, None too.
        """
        try:
            if seen.is_dir:
                self._digest_dir(path, seen, algo)
            else:
                self._digest_file(path, seen, algo, entry)
        except FileNotFoundError:
            return None
        return seen.digests.oid(algo)

    def _digest_file(self, path: RepoPath, seen: Seen, algo: Algo, entry: Entry | None) -> None:
        assert seen.stamp is not None
        stamp = seen.stamp
        now = time.time_ns()
        old = self._state.file(path)
        # If only the stamp is new, the fingerprint alone may do.
        hope = (old is not None and old.stamp[1] == stamp[1]) or (
            entry is not None and entry.size == stamp[1]
        )
        place = self._abspath(path)
        seen.digests = self._read(place, seen.size, seen.digests, algo, entry if hope else None)
        if not is_racy(stamp[2], now):
            self._state.put_file(path, FileRow(stamp, seen.digests))

    def _read(
        self, place: str, size: int, known: Digests, algo: Algo, entry: Entry | None
    ) -> Digests:
        """Digest a file. ``entry``, if given, probably records the same content.

        Of a large file, md5 is computed only if it cannot be had by the fingerprint.
        """
        if size <= SMALL or algo is Algo.XXH128:
            return digest_file(place, algo).merged(known)
        if known.fingerprint is None and entry is not None:
            known = digest_file(place, Algo.XXH128).merged(known)
        if known.fingerprint is not None:
            same = self._state.known(known.fingerprint)
            if same is not None and same.oid(algo) is not None:
                return same.merged(known)
            if entry is not None and entry.oid is not None:
                twin = self._state.fingerprint_of(entry.oid, algo)
                if twin is not None and twin != known.fingerprint:
                    return known
        both = digest_file(place, algo)
        self._state.learn(both)
        return both.merged(known)

    # --- directories ------------------------------------------------------------------------------

    def listed(self, path: RepoPath, algo: Algo) -> tuple[Listing, list[Digests]]:
        """The files of the directory and their digests, by ``algo`` among others.

        Only files that are new or changed are read. Raises FileNotFoundError, StoreError.
        """
        now = time.time_ns()
        listing = self.scan(path)
        return self._digest_files(path, listing, algo, now)

    def scan(self, path: RepoPath) -> Listing:
        """List the directory, without what is ignored. Raises FileNotFoundError, StoreError."""
        return scan(self._abspath(path), path, self._ignore)

    def known_files(self, path: RepoPath, listing: Listing) -> list[Digests]:
        """The digests of the files whose stamps were seen before; empty ones for the others."""
        old = self._state.tree(path)
        if old is None:
            return [_NOTHING] * len(listing.names)
        if old.names == listing.names and old.stamps == listing.stamps:
            return old.digests
        found = []
        at, end = 0, len(old.names)
        # Both are sorted: a table of the old ones would be as large as all else together.
        for name, stamp in zip(listing.names, listing.stamps, strict=True):
            while at < end and old.names[at] < name:
                at += 1
            same = at < end and old.names[at] == name and old.stamps[at] == stamp
            found.append(old.digests[at] if same else _NOTHING)
        return found

    def _digest_dir(self, path: RepoPath, seen: Seen, algo: Algo) -> None:
        now = time.time_ns()
        listing = self.scan(path)
        row = self._state.dir(path)
        if row is not None and row.signature == listing.signature:
            seen.digests, seen.size, seen.nfiles = row.oids, row.size, row.nfiles
            if row.oids.oid(algo) is not None:
                return
        listing, digests = self._digest_files(path, listing, algo, now)
        oids = [str(digest.oid(algo)) for digest in digests]
        oid = tree.dir_oid(tree.encode(listing.names, oids, algo), algo)
        self._keep_dir(path, seen, listing, digests, known_as(oid, algo))

    def _digest_files(
        self, path: RepoPath, listing: Listing, algo: Algo, now: int
    ) -> tuple[Listing, list[Digests]]:
        """The digests of the files, read where need be, and the listing with racy stamps UNKNOWN."""
        digests = list(self.known_files(path, listing))
        stamps = list(listing.stamps)
        place = self._abspath(path)
        large = []

        def read(at: int) -> None:
            digests[at] = self._read(
                f"{place}/{listing.names[at]}", stamps[at][1], digests[at], algo, None
            )
            if is_racy(stamps[at][2], now):
                stamps[at] = UNKNOWN

        for at, digest in enumerate(digests):
            if digest.oid(algo) is None:
                if stamps[at][1] > LARGE:
                    large.append(at)
                else:
                    read(at)
        in_parallel([partial(read, at) for at in large])
        return replace(listing, stamps=stamps), digests

    def _keep_dir(
        self,
        path: RepoPath,
        seen: Seen,
        listing: Listing,
        digests: Sequence[Digests],
        oids: Digests,
    ) -> None:
        seen.digests = oids.merged(seen.digests)
        seen.size, seen.nfiles = listing.size, len(listing.names)
        row = None
        if UNKNOWN not in listing.stamps:
            newest = max((stamp[2] for stamp in listing.stamps), default=0)
            row = DirRow(listing.signature, seen.size, seen.nfiles, newest, seen.digests)
        self._state.put_dir(path, row, TreeRow(listing.names, listing.stamps, list(digests)))


def is_executable(mode: int) -> bool:
    """Whether anybody may execute the file: what ``isexec`` records."""
    return bool(mode & 0o111)

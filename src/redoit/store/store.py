"""The store: workspace → cache (commit) and cache → workspace (checkout)."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterable, Iterator
from functools import partial

from redoit.errors import CorruptObject, MissingObject, StoreError
from redoit.model import Algo, Content, Entry, Oid, RepoPath
from redoit.project import Layout
from redoit.store import tree
from redoit.store.digests import SMALL, Digests, digest_file
from redoit.store.directories import Directories
from redoit.store.gitignore import GitIgnore
from redoit.store.incomplete import Lack, Mark, Marks, find_lack, is_all_there
from redoit.store.inside import check_path
from redoit.store.links import Links, failing, make_executable, remove, settled
from redoit.store.listings import listing_of
from redoit.store.look import LARGE, Look, is_executable
from redoit.store.migrate import Item, Migration, migrate
from redoit.store.objects import Objects
from redoit.store.parallel import in_parallel
from redoit.store.processes import in_slices
from redoit.store.scan import UNKNOWN, Listing, Stamp, is_racy, stamp_of
from redoit.store.statcache import StatCache
from redoit.store.verify import BadObject, find_bad, is_whole
from redoit.store.wholes import Wholes

_NOTHING = Digests(None)


class Store:
    """Moves content between the workspace and the cache, and keeps Look and StatCache right.

    Commit, checkout and remove may run in several threads at a time, on different paths. Nothing
    in the workspace is replaced before its content is in the cache.
    """

    def __init__(self, layout: Layout, look: Look, state: StatCache) -> None:
        self._layout = layout
        self._look = look
        self._state = state
        self._algo = layout.algo
        self._objects = Objects(layout)
        self._links = Links(layout)
        self._marks = Marks(f"{layout.tmp}/incomplete", f"{layout.tmp}/drafts")
        self._directories = Directories(layout, look, self._objects, self._links, self._marks)
        self._gitignore = GitIgnore(layout)
        linked = not {"hardlink", "symlink"}.isdisjoint(self._links.types)
        self._wholes = Wholes(self._objects, state, shared=linked)

    @property
    def objects(self) -> Objects:
        """The cache itself, for moving its objects from and to remotes."""
        return self._objects

    def object_path(self, oid: Oid, algo: Algo) -> str:
        """Where the object is, or would be."""
        return self._objects.path(oid, algo)

    def sync(self) -> None:
        """Make all objects added since the last call survive a power cut. Raises StoreError."""
        self._objects.sync()

    def has(self, entry: Entry) -> bool:
        """Whether the cache holds all of what ``entry`` records: of a directory, every file too."""
        oid = entry.oid
        if oid is None:
            return False
        # DVC 2 gave one name to contents of several sizes.
        wanted = None if entry.algo is Algo.MD5_DOS2UNIX else entry.size
        if not tree.is_dir_oid(oid):
            return self._objects.has(oid, entry.algo, wanted)
        size = self._wholes.size(oid, entry.algo)
        return size is not None and wanted in (None, size)  # else something in it was cut off

    # --- workspace → cache ------------------------------------------------------------------------

    def commit(self, path: RepoPath, *, cached: bool) -> Content:
        """Digest what was just written at ``path``; with ``cached``, put it into the cache and
        link it back as ``cache.type`` says.

        Raises StoreError, also if nothing is there.
        """
        return self._commit(path, cached=cached, link=cached)

    def keep(self, path: RepoPath) -> Content:
        """Put what is at ``path`` into the cache and leave it as it is: for outs that Git keeps.

        Raises StoreError.
        """
        return self._commit(path, cached=True, link=False)

    def _commit(self, path: RepoPath, *, cached: bool, link: bool) -> Content:
        place = self._layout.abspath(path)
        try:
            status = os.lstat(place)
            is_dir = stat.S_ISDIR(status.st_mode)
            if is_dir or (stat.S_ISLNK(status.st_mode) and os.path.isdir(place)):
                return self._commit_dir(path, place, cached=cached, link=link)
            return self._commit_file(path, place, status, cached=cached, link=link)
        except (FileNotFoundError, NotADirectoryError):
            raise StoreError(
                "there is nothing to commit",
                facts={"path": path},
                hint="it was not written, is a broken symlink, or has been removed meanwhile",
            ) from None

    def _commit_file(
        self, path: RepoPath, place: str, status: os.stat_result, *, cached: bool, link: bool
    ) -> Content:
        is_link = stat.S_ISLNK(status.st_mode)
        if is_link:
            status = os.stat(place)
        else:
            status = settled(place, status)
        isexec = is_executable(status.st_mode)
        row = self._state.file(path)
        known = row.digests if row is not None and row.stamp == stamp_of(status) else _NOTHING
        digests = self._take(place, stamp_of(status), known, cached=cached, link=link)
        if status.st_size > SMALL:
            self._state.learn(digests)
        if link and self._is_to_relink(place, is_link or status.st_nlink > 1, digests):
            status = self._relink(place, digests, isexec=isexec)
        elif isexec and link and self._links.types[0] == "hardlink":
            make_executable(place)  # becoming an object has made it read-only
            status = os.stat(place)
        self._look.note_file(path, status, digests)
        return Content(self._oid(digests), self._algo, status.st_size, None, isexec)

    def _commit_dir(self, path: RepoPath, place: str, *, cached: bool, link: bool) -> Content:
        listing = self._look.scan(path)
        stamps = list(listing.stamps)
        digests = list(self._look.known_files(path, listing))
        always = self._links.types[0] in ("hardlink", "symlink")
        begun = time.time_ns()

        def take(at: int) -> tuple[Digests, Stamp]:
            name, stamp = listing.names[at], stamps[at]
            file = f"{place}/{name}"
            linked = name in listing.links
            racy = is_racy(stamp[2], begun)
            if racy and not linked:
                stamp = stamp_of(settled(file, os.lstat(file)))
            found = self._take(file, stamp, digests[at], cached=cached, link=link)
            if link and (linked or always) and self._is_to_relink(file, linked, found):
                stamp = stamp_of(self._relink(file, found, isexec=False))
            return found, UNKNOWN if racy and is_racy(stamp[2], time.time_ns()) else stamp

        def keep(at: int, found: Digests, stamp: Stamp) -> None:
            size = listing.stamps[at][1]
            if cached and found != digests[at]:  # perhaps by another process
                self._objects.note(self._oid(found), self._algo, size)
            if size > SMALL:
                self._state.learn(found)
            digests[at] = found
            if stamp != stamps[at]:  # else it need not be in memory twice
                stamps[at] = stamp

        small = [at for at, stamp in enumerate(stamps) if stamp[1] <= LARGE]
        large = [at for at, stamp in enumerate(stamps) if stamp[1] > LARGE]
        for part, rows in in_slices(
            len(small), lambda part: [(*found, *stamp) for found, stamp in map(take, small[part])]
        ):
            for at, row in zip(small[part], rows, strict=True):
                keep(at, Digests(*row[:3]), row[3:])
        in_parallel([partial(lambda at: keep(at, *take(at)), at) for at in large])
        oids = [self._oid(digest) for digest in digests]
        data = tree.encode(listing.names, oids, self._algo)
        if cached:
            oid = self._objects.put_tree(data, self._algo)
            sizes = [stamp[1] for stamp in listing.stamps]
            self._wholes.note(oid, self._algo, oids, sizes)
        else:
            oid = tree.dir_oid(data, self._algo)
        noted = Listing(listing.names, stamps, listing.size)
        self._look.note_dir(path, noted, digests, oid, self._algo)
        self._marks.drop(path)
        return Content(oid, self._algo, listing.size, len(listing.names))

    def _take(
        self, place: str, stamp: Stamp, known: Digests, *, cached: bool, link: bool
    ) -> Digests:
        """The digests of a file, and with ``cached`` its content in the cache; read at most once."""
        algo, size = self._algo, stamp[1]
        oid = known.oid(algo)
        if not cached:
            digests = known if oid is not None else digest_file(place, algo)
        elif oid is not None and self._objects.has(oid, algo, size):
            return known
        elif link and size and self._links.types[0] in ("hardlink", "symlink"):
            digests = known if oid is not None else digest_file(place, algo)
            if not self._objects.put_link(place, self._oid(digests), algo, stamp):
                digests = self._objects.put_file(place, algo)
        else:
            digests = self._objects.put_file(place, algo, size)
        return digests

    def _oid(self, digests: Digests) -> Oid:
        oid = digests.oid(self._algo)
        assert oid is not None
        return oid

    def _relink(self, place: str, digests: Digests, *, isexec: bool) -> os.stat_result:
        with failing(place):
            found = self._objects.find(self._oid(digests), self._algo)
            return self._links.place(found, place, isexec=isexec).status

    def _is_to_relink(self, place: str, linked: bool, digests: Digests) -> bool:
        """Whether a committed file is not yet what the first choice of ``cache.type`` makes of it."""
        kind = self._links.types[0]
        if kind in ("copy", "reflink"):
            return linked
        source = self._objects.path(self._oid(digests), self._algo)
        status = os.lstat(place)
        if kind == "symlink":
            return not stat.S_ISLNK(status.st_mode) or os.readlink(place) != source
        return bool(status.st_size) and status.st_ino != os.stat(source).st_ino

    # --- cache → workspace ------------------------------------------------------------------------

    def checkout(self, path: RepoPath, entry: Entry, *, copy: bool = False) -> None:
        """Make ``path`` hold what ``entry`` records, writing only what differs.

        Files are linked as ``cache.type`` says; ``copy`` makes them independent, for outs that
        Git keeps. In a directory, files that ``entry`` does not record are removed, but for
        those that ``.dvcignore`` names.
        Raises MissingObject, CorruptObject, StoreError, also for a path outside of the project; an object that is missing is
        noticed before anything is changed.
        """
        oid = entry.oid
        if oid is None:
            raise StoreError("it is not recorded what should be here", facts={"path": path})
        check_path(path)
        place = self._layout.abspath(path)
        if self._is_there(path, entry):
            if entry.isexec:
                make_executable(place)
            if tree.is_dir_oid(oid):
                self._marks.drop(path)
        elif tree.is_dir_oid(oid):
            try:
                files = listing_of(self._objects, oid, entry.algo)
                size = self._wholes.size(oid, entry.algo)
                self._directories.checkout(path, files, oid, entry.algo, size, copy=copy)
            except (MissingObject, CorruptObject):
                self._wholes.forget(oid, entry.algo)
                raise
        else:
            found = self._objects.find(oid, entry.algo)
            if os.path.isdir(place):
                remove(place)
            with failing(place):
                placed = self._links.place(found, place, isexec=entry.isexec, copy=copy)
            self._look.note_file(path, placed.status, placed.digests)

    def checkout_files(
        self, path: RepoPath, entry: Entry, files: Iterable[tuple[str, Oid]]
    ) -> None:
        """Put only these files (name, oid) of the directory that ``entry`` records into the workspace.

        Raises as ``checkout``.
        """
        with self.in_part(path, entry):
            for name, oid in files:
                self.checkout(RepoPath(f"{path}/{name}"), Entry(name, oid, entry.algo))

    @contextlib.contextmanager
    def in_part(self, path: RepoPath, entry: Entry) -> Iterator[None]:
        """What is checked out below ``path`` meanwhile is a part of the directory that ``entry`` records.

        What lacks there then is remembered to have been deleted by nobody. Raises StoreError.
        """
        place = self._layout.abspath(path)
        assert entry.oid is not None
        if not os.path.isdir(place) or not os.listdir(place):
            self._marks.drop(path)
            self.mark_part(path, entry)
        yield
        if self._marks.get(path) is not None:
            names = [name for name, _ in listing_of(self._objects, entry.oid, entry.algo)]
            if is_all_there(place, names):
                self._marks.drop(path)

    def lack(self, path: RepoPath, entry: Entry, inside: str | None = None) -> Lack | None:
        """What a directory, or what is ``inside`` of it, lacks of what ``entry`` records, if nobody has deleted that."""
        place = self._layout.abspath(path)
        return find_lack(path, entry, place, self._marks, self._look, self._objects, inside)

    def marked(self) -> list[RepoPath]:
        """The directories that were put into the workspace in part."""
        return self._marks.paths()

    def mark_part(self, path: RepoPath, entry: Entry) -> None:
        """Only a part of what ``entry`` records is at ``path``. Raises StoreError."""
        if entry.oid is not None and self._marks.get(path) is None:
            with failing(self._layout.abspath(path)):
                self._marks.set(path, Mark(entry.oid, whole=False))

    def unmark(self, path: RepoPath) -> None:
        """What is at ``path`` now is all of it."""
        self._marks.drop(path)

    def complete(self, path: RepoPath, entry: Entry, lack: Lack) -> None:
        """Put into a directory what it lacks; what was edited in it stays. Raises as ``checkout``."""
        if lack.edited:
            self.checkout_files(path, entry, lack.absent)
        else:
            self.checkout(path, entry)

    def relink(self, path: RepoPath, entry: Entry) -> None:
        """Link a path that holds what ``entry`` records anew, as ``cache.type`` says now. Raises as ``checkout``."""
        place = self._layout.abspath(path)
        oid = entry.oid
        if oid is None:
            return
        names = [""]
        oids = [oid]
        if tree.is_dir_oid(oid):
            files = listing_of(self._objects, oid, entry.algo)
            names, oids = [f"/{name}" for name, _ in files], [inner for _, inner in files]
        with failing(place):
            for name, inner in zip(names, oids, strict=True):
                isexec = bool(os.stat(f"{place}{name}").st_mode & stat.S_IXUSR)
                found = self._objects.find(inner, entry.algo)
                self._links.place(found, f"{place}{name}", isexec=isexec)
        self._look.forget(path)

    def _is_there(self, path: RepoPath, entry: Entry) -> bool:
        try:
            return self._look.matches(path, entry)
        except StoreError:  # what lies there cannot even be read
            return False

    # --- the cache as a whole, and Git -----------------------------------------------------------

    def is_whole(self, entry: Entry) -> bool:
        """Whether the cache has what ``entry`` records, by reading it; bad objects are removed. Raises StoreError."""
        return is_whole(self.object_path, entry)

    def verify(self) -> Iterator[BadObject]:
        """Read every object of the cache, and name those whose content is not their name."""
        return find_bad(self._layout)

    def migrate(self, items: Iterable[Item], to: Algo) -> Migration:
        """Make the objects of these entries exist under the digest ``to``. Raises StoreError."""
        return migrate(items, to, self._layout, self._look, self._objects)

    def ignore(self, paths: Iterable[RepoPath]) -> None:
        """Let Git ignore these outs, as DVC does it. Raises StoreError for one that Git tracks."""
        self._gitignore.add(paths)

    def check_untracked(self, paths: Iterable[RepoPath]) -> None:
        """Raise StoreError for an out that Git tracks, and so will not ignore."""
        self._gitignore.check(paths)

    def unignore(self, path: RepoPath) -> None:
        """Take the line of an out out of ``.gitignore`` again. Raises StoreError."""
        self._gitignore.remove(path)

    # --- the workspace alone ----------------------------------------------------------------------

    def remove(self, path: RepoPath) -> None:
        """Remove an out: a file, a symlink or a directory; missing is fine. Raises StoreError."""
        self._look.forget(path)
        remove(self._layout.abspath(path))
        self._marks.drop(path)
        self._look.forget(path)

    def unprotect(self, path: RepoPath) -> None:
        """Make an out independent of the cache and writable; missing is fine. Raises StoreError."""
        self._links.unprotect(self._layout.abspath(path))
        self._look.forget(path)

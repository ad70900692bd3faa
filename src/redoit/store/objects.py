"""The objects of the cache: where each lies, whether it is there, and how one gets in.

An object gets its name only once its whole content is written and has been digested, from the
very bytes that were written. Nothing ever writes into an object.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from redoit.errors import CorruptObject, MissingObject, StoreError
from redoit.model import Algo, Oid
from redoit.project import Layout
from redoit.store import tree
from redoit.store.copying import copy_and_digest
from redoit.store.digests import (
    Digests,
    digest_data,
    digest_file,
    digest_open,
    open_file,
    read_whole,
    unreadable,
)
from redoit.store.drafts import Draft, Drafts, clear, umask, write_all
from redoit.store.processes import FEWEST_LOOKS, in_slices
from redoit.store.scan import Stamp, stamp_of

_READ_ONLY = 0o444
_KIND_OR_WRITABLE = stat.S_IFMT(0xFFFF) | stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
_WHOLE = 1 << 20
"""Up to this size, in bytes, a file is held in memory while it is digested and copied."""
_SINGLY = 64
"""Up to so many objects are synced one by one; for more, everything at once is faster."""


def folders_of(cache: str) -> dict[Algo, str]:
    """Where the objects of each digest lie; DVC 2 had no folder of its own for them."""
    return {
        Algo.MD5: f"{cache}/files/md5",
        Algo.XXH128: f"{cache}/files/xxh128",
        Algo.MD5_DOS2UNIX: cache,
    }


class Found(NamedTuple):
    """An object that is there and can be believed; ``size`` in bytes."""

    oid: Oid
    algo: Algo
    path: str
    size: int


class Objects:
    """Owns the cache folder; safe to use from any thread, and with other processes."""

    def __init__(self, layout: Layout) -> None:
        cache = layout.cache_dir
        self._cache = cache
        self._folders = folders_of(cache)
        self._dir_mode = 0o2775 if layout.config.cache_shared else 0o777
        self._shared = layout.config.cache_shared
        self._clones = "reflink" in layout.config.cache_types()
        self._masked = bool(umask() & _READ_ONLY)
        self._drafts = Drafts(f"{cache}/.redoit")
        self._met = False
        """Whether content came that was there already. Until then most is new, and asking each time would cost more."""
        self._lock = threading.Lock()
        self._unsynced: list[str] = []
        """Paths, no more than need be to see that they are too many to be synced one by one."""
        self._sizes: dict[Algo, dict[Oid, int]] = {algo: {} for algo in Algo}
        """Sizes of objects that are known to be there and good."""

    # --- questions --------------------------------------------------------------------------------

    def folder(self, algo: Algo) -> str:
        """Where the objects of one digest lie, in 256 folders."""
        return self._folders[algo]

    def path(self, oid: Oid, algo: Algo) -> str:
        """Where the object is, or would be."""
        return f"{self._folders[algo]}/{oid[:2]}/{oid[2:]}"

    def find(self, oid: Oid, algo: Algo) -> Found:
        """The object. Raises MissingObject if it is not there, CorruptObject if it is damaged.

        A read-only one is believed, as by DVC; any other is digested.
        """
        path = self.path(oid, algo)
        size = self._size_of(oid, algo)
        if size is None:
            raise (corrupt if os.path.lexists(path) else missing)(oid, path)
        return Found(oid, algo, path, size)

    def has(self, oid: Oid, algo: Algo, size: int | None = None) -> bool:
        """Whether the object is there, not damaged, and has ``size`` bytes if that is known."""
        found = self._size_of(oid, algo)
        return found is not None and size in (None, found)

    def sizes(self, oids: Sequence[Oid], algo: Algo) -> list[int] | None:
        """The sizes of these objects in bytes; None if one of them is not there or damaged."""
        known = self._sizes[algo]
        found = [known.get(oid) for oid in oids]
        asked = [at for at, size in enumerate(found) if size is None]

        def ask(part: slice) -> list[int | None]:
            return [self._size_of(oids[at], algo) for at in asked[part]]

        for part, sizes in in_slices(len(asked), ask, fewest=FEWEST_LOOKS):
            for at, size in zip(asked[part], sizes, strict=True):
                if size is None:
                    return None
                found[at] = known[oids[at]] = size
        return [size for size in found if size is not None]

    def _size_of(self, oid: Oid, algo: Algo) -> int | None:
        size = self._sizes[algo].get(oid)
        if size is not None:
            return size
        # Anybody may have written the .dvc file that it comes from: '../x' must not lead out of the cache.
        if not tree.is_oid(oid):
            return None
        path = self.path(oid, algo)
        try:
            status = os.stat(path)
        except OSError:
            return None
        mode = status.st_mode
        # In most cases there is nothing to call: this is asked for each object in every run.
        if mode & _KIND_OR_WRITABLE != stat.S_IFREG and not (
            stat.S_ISREG(mode) and self._is_good(path, oid, algo)
        ):
            return None
        self._sizes[algo][oid] = status.st_size
        return status.st_size

    def _is_good(self, path: str, oid: Oid, algo: Algo) -> bool:
        try:
            if digest_file(path, algo).oid(algo) != oid.removesuffix(tree.DIR_SUFFIX):
                return False
        except (FileNotFoundError, StoreError):
            return False
        with contextlib.suppress(OSError):  # it may belong to someone else
            os.chmod(path, _READ_ONLY)
        return True

    def read(self, oid: Oid, algo: Algo) -> bytes:
        """The whole of a small object. Raises MissingObject, CorruptObject, StoreError."""
        path = self.path(oid, algo)
        try:
            with open(path, "rb") as file:
                return file.read()
        except FileNotFoundError:
            raise missing(oid, path) from None
        except IsADirectoryError:
            raise corrupt(oid, path) from None
        except OSError as error:
            raise StoreError(
                "cannot read an object of the cache",
                facts={"object": path, "because": error.strerror or str(error)},
                hint="check its permissions and the disk",
            ) from error

    def is_lost(self, place: str) -> bool:
        """Whether ``place`` is a link into the cache, to what is not there any more."""
        try:
            target = os.readlink(place)
        except OSError:
            return False
        target = os.path.join(os.path.dirname(place), target)
        return f"{os.path.normpath(target)}/".startswith(f"{self._cache}/") and not os.path.exists(
            place
        )

    # --- putting in -------------------------------------------------------------------------------

    def put_file(self, place: str, algo: Algo, size: int | None = None) -> Digests:
        """Make an object of a copy of the file, which stays as it is. Returns its digests.

        ``size``: how many bytes it had, if that is known; it saves asking for a small one.

        Where it can be, the copy shares its blocks with the file. The digests are those of the
        copy: the file may change while it is copied, the object is still what its name says.
        Raises FileNotFoundError, StoreError.
        """
        if size is not None and size <= _WHOLE and not self._clones:
            content = read_whole(place, size)
            if content is not None:
                return self.put_data(content, algo)
        handle, size = open_file(place)
        try:
            if size > _WHOLE or self._clones:
                return self._put_copy(handle, size, algo)
            data = os.pread(handle, size + 1, 0)
            if len(data) > size:  # it grows
                return self._put_copy(handle, size, algo)
        except OSError as error:
            raise unreadable(place, error) from error
        finally:
            os.close(handle)
        return self.put_data(data, algo)

    def put_data(self, data: bytes, algo: Algo, suffix: str = "") -> Digests:
        """Make an object of ``data``. Returns its digests. Raises StoreError."""
        digests = digest_data(data, algo)
        oid = digests.oid(algo)
        assert oid is not None
        if suffix:
            oid = Oid(oid + suffix)
        if self._sizes[algo].get(oid) == len(data):
            return digests
        folder = f"{self._folders[algo]}/{oid[:2]}"
        path = f"{folder}/{oid[2:]}"
        if self._met and os.access(path, os.F_OK) and self.has(oid, algo, len(data)):
            return digests
        try:
            with self._draft(folder) as draft:
                write_all(draft.handle, data)
                self._publish(draft, Found(oid, algo, path, len(data)))
        except OSError as error:
            raise self._failed(error) from error
        return digests

    def put_tree(self, data: bytes, algo: Algo) -> Oid:
        """Make an object of an encoded directory. Returns its oid. Raises StoreError."""
        return Oid(f"{self.put_data(data, algo, tree.DIR_SUFFIX).oid(algo)}{tree.DIR_SUFFIX}")

    def drop(self, oid: Oid, algo: Algo) -> None:
        """Remove an object that is damaged; missing is fine. Raises StoreError."""
        path = self.path(oid, algo)
        self._sizes[algo].pop(oid, None)
        try:
            clear(path)
            os.unlink(path)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise self._failed(error) from error

    def _put_copy(self, handle: int, size: int, algo: Algo) -> Digests:
        try:
            with self._draft(self._folders[algo]) as draft:
                if self._clones and self._drafts.clone(handle, draft):
                    digests = digest_open(draft.handle, size, algo)
                elif size <= _WHOLE:
                    self._clones = False  # found out just now
                    return self.put_data(os.pread(handle, size, 0), algo)
                else:
                    digests = copy_and_digest(handle, draft.handle, algo)
                oid = digests.oid(algo)
                assert oid is not None
                written = os.fstat(draft.handle).st_size
                if not self.has(oid, algo, written):
                    self._publish(draft, Found(oid, algo, self.path(oid, algo), written))
                return digests
        except OSError as error:
            raise self._failed(error) from error

    def put_link(self, source: str, oid: Oid, algo: Algo, stamp: Stamp) -> bool:
        """Make the file ``source``, which is ``oid`` while it has this stamp, the object itself.

        It becomes read-only. False if another file system holds it, or it has changed. Raises
        StoreError.
        """
        size = stamp[1]
        if self.has(oid, algo, size):
            return True
        path = self.path(oid, algo)
        wanted = Found(oid, algo, path, size)
        try:
            if not self._link(source, wanted):
                return True
            os.chmod(path, _READ_ONLY)
            if stamp_of(os.stat(path)) != stamp:
                os.unlink(path)
                return False
        except OSError as error:
            if error.errno in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
                return False
            raise self._failed(error) from error
        self._added(wanted)
        return True

    def temporary(self, algo: Algo) -> str:
        """A name for a file that ``adopt`` is to take; what is left behind goes after a day. Raises StoreError."""
        folder = self._folders[algo]
        try:
            try:
                return self._drafts.temporary(folder)
            except FileNotFoundError:
                self._make_folder(folder)
                return self._drafts.temporary(folder)
        except OSError as error:
            raise self._failed(error) from error

    def adopt(self, place: str, oid: Oid, algo: Algo) -> int:
        """Make the file ``place`` the object, if that is its content. Returns its size in bytes.

        It is read for that. Raises CorruptObject, StoreError; then the file is still there.
        """
        with _opened(place) as (handle, size):
            if digest_open(handle, size, algo).oid(algo) != oid.removesuffix(tree.DIR_SUFFIX):
                raise corrupt(oid, place)
            self._move_in(place, handle, Found(oid, algo, self.path(oid, algo), size))
        return size

    def take(self, place: str, algo: Algo) -> Digests:
        """Make the file ``place``, which is a ``temporary``, an object. Returns its digests. Raises StoreError."""
        with _opened(place) as (handle, size):
            digests = digest_open(handle, size, algo)
            oid = digests.oid(algo)
            assert oid is not None
            if not self.has(oid, algo, size):
                self._move_in(place, handle, Found(oid, algo, self.path(oid, algo), size))
        return digests

    def _move_in(self, place: str, handle: int, made: Found) -> None:
        try:
            os.fchmod(handle, _READ_ONLY)
            try:
                os.replace(place, made.path)
            except FileNotFoundError:
                self._make_folder(os.path.dirname(made.path))
                os.replace(place, made.path)
            except IsADirectoryError:
                clear(made.path)
                os.replace(place, made.path)
        except OSError as error:
            raise self._failed(error) from error
        self._added(made)

    def _link(self, source: str, wanted: Found) -> bool:
        """Link the file to the object's name; False if a good object has it meanwhile."""
        try:
            try:
                os.link(source, wanted.path)
            except FileNotFoundError:
                self._make_folder(os.path.dirname(wanted.path))
                os.link(source, wanted.path)
        except FileExistsError:
            if self.has(wanted.oid, wanted.algo, wanted.size):
                return False
            clear(wanted.path)
            name = self._drafts.temporary(os.path.dirname(wanted.path))
            os.link(source, name)
            os.replace(name, wanted.path)
        return True

    def _draft(self, folder: str) -> Draft:
        try:
            draft = self._drafts.new(folder, _READ_ONLY)
        except FileNotFoundError:
            self._make_folder(folder)
            draft = self._drafts.new(folder, _READ_ONLY)
        return draft

    def _make_folder(self, folder: str) -> None:
        """Make the folder; in a shared cache, the group may write into it."""
        if not self._shared:
            os.makedirs(folder, exist_ok=True)
            return
        parent = os.path.dirname(folder)
        if not os.path.isdir(parent):
            self._make_folder(parent)
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder)
            os.chmod(folder, self._dir_mode)

    def _publish(self, draft: Draft, made: Found) -> None:
        if self._masked:
            os.fchmod(draft.handle, _READ_ONLY)
        try:
            free = draft.publish(made.path)
        except FileNotFoundError:
            self._make_folder(os.path.dirname(made.path))
            free = draft.publish(made.path)
        if not free:
            self._met = True
            if self.has(made.oid, made.algo, made.size):
                return
            clear(made.path)
            draft.replace(made.path)  # what is there cannot be believed
        self._added(made)

    def note(self, oid: Oid, algo: Algo, size: int) -> None:
        """Another process of ours has seen to it that this object is there: it is to be synced."""
        if oid not in self._sizes[algo]:
            self._added(Found(oid, algo, self.path(oid, algo), size))

    def _added(self, made: Found) -> None:
        with self._lock:
            self._sizes[made.algo][made.oid] = made.size
            if len(self._unsynced) <= _SINGLY:
                self._unsynced.append(made.path)

    def _failed(self, error: OSError) -> StoreError:
        """What the operating system said about writing into the cache, as our error."""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return StoreError(
            "the disk of the cache is full" if full else "cannot write into the cache",
            facts={"cache": self._cache, "because": error.strerror or str(error)},
            hint="make room there, or move the cache: exp config cache.dir /other/disk"
            if full
            else "check who may write there, and whether it is mounted read-only",
        )

    # --- durability -------------------------------------------------------------------------------

    def sync(self) -> None:
        """Make every object added since the last call survive a power cut. Raises StoreError."""
        with self._lock:
            paths, self._unsynced = self._unsynced, []
        folders = {os.path.dirname(path) for path in paths}
        try:
            if len(paths) > _SINGLY:
                sync_file_system(self._cache)
                return
            for path in (*paths, *folders):
                with contextlib.suppress(FileNotFoundError):
                    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                    try:
                        os.fsync(handle)
                    finally:
                        os.close(handle)
        except OSError as error:
            raise self._failed(error) from error


@contextlib.contextmanager
def _opened(path: str) -> Iterator[tuple[int, int]]:
    handle, size = open_file(path)
    try:
        yield handle, size
    finally:
        os.close(handle)


def sync_file_system(folder: str) -> None:
    """Bring everything to disk that was written to the file system of ``folder``. Raises OSError."""
    import ctypes  # only for this: Python has no name for it

    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:  # not Linux
        os.sync()
        return
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if syncfs(handle):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), folder)
    finally:
        os.close(handle)


def missing(oid: str, path: str) -> MissingObject:
    """The error for an object that is not there."""
    return MissingObject(
        "an object is not in the cache",
        facts={"oid": oid, "looked for": path},
        hint="get it from where it was shared, or run the stage that makes it",
    )


def corrupt(oid: str, path: str) -> CorruptObject:
    """The error for an object whose content is not its name."""
    return CorruptObject(
        "an object in the cache is damaged: its content is not what its name says",
        facts={"oid": oid, "object": path},
        hint="remove it, then get it again or run the stage that makes it",
    )

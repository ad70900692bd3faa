"""Objects in the workspace: as reflink, hard link, symlink or copy; and their removal."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Iterator
from typing import NamedTuple

from redoit.errors import CorruptObject, StoreError
from redoit.model import Algo, Oid
from redoit.project import Layout
from redoit.store.digests import SMALL, Digests, digest_data, known_as
from redoit.store.drafts import Drafts, copy_range, umask, write_all
from redoit.store.objects import Objects, missing
from redoit.store.scan import is_racy

AGE_NS = 20_000_000
"""How old a file that we have just written is made to look, so that its stamp can be trusted:
whatever changes it from now on gives it a later time."""

_STEP = 64 << 20
_UNABLE = frozenset(
    (
        *(errno.EPERM, errno.ENOTSUP, errno.EXDEV, errno.ENOTTY, errno.ENOSYS),
        *(errno.EINVAL, errno.EAGAIN, errno.EMLINK),
    )
)


class Placed(NamedTuple):
    """A file put into the workspace: its status (of the object, for a symlink), and its digests."""

    status: os.stat_result
    digests: Digests


class Links:
    """Puts objects into the workspace, in the way that ``cache.type`` says."""

    def __init__(self, layout: Layout, objects: Objects) -> None:
        self.types = layout.config.cache_types()
        self._objects = objects
        self._drafts = Drafts(f"{layout.tmp}/drafts")
        self._umask = umask()
        self._reflinks = "reflink" in self.types

    def place(
        self, oid: Oid, algo: Algo, place: str, *, isexec: bool = False, copy: bool = False
    ) -> Placed:
        """Make ``place`` the object's content, replacing a file or symlink in one step.

        ``copy``: an independent file, whatever ``cache.type`` says.
        Raises MissingObject, CorruptObject, StoreError; then the old file is still there.
        """
        source = self._objects.path(oid, algo)
        size = self._objects.size_of(oid, algo)
        if size is None:
            raise (corrupt if os.path.exists(source) else missing)(oid, source)
        with failing(place):
            try:
                if not copy and (placed := self._link(source, place, oid, algo, size)):
                    if isexec:
                        make_executable(place)
                        return Placed(os.stat(place), placed.digests)
                    return placed
                return self._copy(source, place, oid, algo, isexec)
            except IsADirectoryError:
                remove(place)
                return self.place(oid, algo, place, isexec=isexec, copy=copy)
            except FileNotFoundError:  # of the folder, or of the object, gone since
                if not os.path.exists(source):
                    raise missing(oid, source) from None
                os.makedirs(os.path.dirname(place))
                return self.place(oid, algo, place, isexec=isexec, copy=copy)

    def _link(self, source: str, place: str, oid: Oid, algo: Algo, size: int) -> Placed | None:
        """As the first link that works; None if a copy is wanted."""
        for kind in self.types:
            if kind in ("copy", "reflink"):  # a copy tries to be a reflink
                return None
            # Many files are empty: they would use up the links that an object may have.
            if kind == "hardlink" and size == 0:
                return None
            link = os.link if kind == "hardlink" else os.symlink
            try:
                try:
                    link(source, place)
                except FileExistsError:
                    name = self._drafts.temporary(os.path.dirname(place))
                    link(source, name)
                    try:
                        os.replace(name, place)
                    finally:  # of two names of one file, it leaves both
                        with contextlib.suppress(FileNotFoundError):
                            os.unlink(name)
            except OSError as error:
                if error.errno not in _UNABLE:
                    raise
                continue
            return Placed(os.stat(place), known_as(oid, algo))
        raise StoreError(
            "no link type of cache.type works here",
            facts={"path": place, "cache.type": ", ".join(self.types)},
            hint="allow copies: exp config cache.type reflink,copy",
        )

    def _copy(self, source: str, place: str, oid: Oid, algo: Algo, isexec: bool) -> Placed:
        handle = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(handle).st_size
            with self._drafts.new(os.path.dirname(place), 0o666) as draft:
                digests = known_as(oid, algo)
                if self._reflinks and size and self._drafts.clone(handle, draft):
                    pass
                elif size <= SMALL:
                    self._reflinks = self._reflinks and not size
                    data = os.pread(handle, size + 1, 0)
                    digests = digest_data(data, algo)
                    if digests.oid(algo) != oid:
                        raise corrupt(oid, source)
                    write_all(draft.handle, data)
                else:
                    self._reflinks = False
                    offset = 0
                    while count := copy_range(handle, draft.handle, offset, _STEP):
                        offset += count
                    if offset != size:
                        raise corrupt(oid, source)
                if isexec:
                    os.fchmod(draft.handle, os.fstat(draft.handle).st_mode | stat.S_IXUSR)
                aged = time.time_ns() - AGE_NS
                os.utime(draft.handle, ns=(aged, aged))
                status = os.fstat(draft.handle)
                if not draft.publish(place):
                    draft.replace(place)
            return Placed(status, digests)
        finally:
            os.close(handle)

    def unprotect(self, place: str) -> None:
        """Make a file, or all files of a directory, independent of the cache and writable.

        Nothing happens to what is not there. Raises StoreError.
        """
        with failing(place):
            if os.path.isdir(place):
                for folder, _, names in os.walk(place):
                    for name in names:
                        self._unprotect_file(f"{folder}/{name}")
            elif os.path.exists(place):
                self._unprotect_file(place)

    def _unprotect_file(self, place: str) -> None:
        status = os.lstat(place)
        mode = 0o666 & ~self._umask
        if stat.S_ISLNK(status.st_mode) or status.st_nlink > 1:
            handle = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
            try:
                with self._drafts.new(os.path.dirname(place), 0o666) as draft:
                    offset = 0
                    while count := copy_range(handle, draft.handle, offset, _STEP):
                        offset += count
                    draft.replace(place)
            finally:
                os.close(handle)
        elif stat.S_IMODE(status.st_mode) != mode:
            os.chmod(place, mode)


def settled(place: str, status: os.stat_result) -> os.stat_result:
    """The status of a file, which is made to look a little older if it has just been written.

    Otherwise its stamp could not be trusted, and the next run would read it again.
    """
    now = time.time_ns()
    if is_racy(status.st_mtime_ns, now):
        with contextlib.suppress(PermissionError):  # not ours
            os.utime(place, ns=(status.st_atime_ns, now - AGE_NS))
            return os.lstat(place)
    return status


def make_executable(place: str) -> None:
    """Let the owner execute the file. Raises StoreError."""
    with failing(place):
        mode = os.stat(place).st_mode
        if not mode & stat.S_IXUSR:
            os.chmod(place, mode | stat.S_IXUSR)


def remove(place: str) -> None:
    """Remove a file, a symlink or a whole directory, read-only or not; missing is fine.

    Raises StoreError.
    """
    with failing(place):
        try:
            os.unlink(place)
        except FileNotFoundError:
            pass
        except NotADirectoryError:
            pass
        except OSError:
            if os.path.islink(place) or not os.path.isdir(place):
                raise
            _remove_tree(place)


def _remove_tree(folder: str) -> None:
    with contextlib.suppress(OSError):
        if not os.access(folder, os.W_OK | os.X_OK):
            os.chmod(folder, os.stat(folder).st_mode | stat.S_IRWXU)
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                _remove_tree(entry.path)
            else:
                os.unlink(entry.path)
    os.rmdir(folder)


def corrupt(oid: str, path: str) -> CorruptObject:
    """The error for an object whose content is not its name."""
    return CorruptObject(
        "an object in the cache is damaged: its content is not what its name says",
        facts={"oid": oid, "object": path},
        hint="remove it, then get it again or run the stage that makes it",
    )


@contextlib.contextmanager
def failing(place: str) -> Iterator[None]:
    """Turn the errors of the operating system at ``place`` into ours."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise StoreError(
            "the disk is full" if full else "cannot write into the workspace",
            facts={"path": place, "because": error.strerror or str(error)},
            hint="make room" if full else "check who may write there",
        ) from error

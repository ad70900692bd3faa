"""Objects in the workspace: as reflink, hard link, symlink or copy; and their removal."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Iterator
from typing import NamedTuple

from redoit.errors import StoreError
from redoit.model import Algo, Oid
from redoit.project import Layout
from redoit.store.digests import SMALL, Digests, digest_data, known_as
from redoit.store.drafts import Draft, Drafts, copy_file, umask, write_all
from redoit.store.objects import Found, corrupt, missing
from redoit.store.scan import is_racy

AGE_NS = 20_000_000
"""How old a file that we have just written is made to look, so that its stamp can be trusted:
whatever changes it from now on gives it a later time."""

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

    def __init__(self, layout: Layout) -> None:
        self.types = layout.config.cache_types()
        self._drafts = Drafts(f"{layout.tmp}/drafts")
        self._umask = umask()
        self._reflinks = "reflink" in self.types

    def place(
        self, found: Found, place: str, *, isexec: bool = False, copy: bool = False
    ) -> Placed:
        """Make ``place`` the object's content, replacing a file or symlink in one step.

        ``copy``: an independent file, whatever ``cache.type`` says.
        Raises CorruptObject, StoreError, OSError; then the old file is still there.
        """
        try:
            if not copy and (placed := self._link(found, place)):
                if isexec:
                    make_executable(place)
                    return Placed(os.stat(place), placed.digests)
                return placed
            return self._copy(found, place, isexec)
        except IsADirectoryError:
            remove(place)
        except FileNotFoundError:  # of the folder, or of the object, gone since
            if not os.path.exists(found.path):
                raise missing(found.oid, found.path) from None
            os.makedirs(os.path.dirname(place))
        return self.place(found, place, isexec=isexec, copy=copy)

    @property
    def copies(self) -> bool:
        """Whether files are to be independent of the cache."""
        return self.types[0] in ("reflink", "copy")

    def draft_folder(self, place: str) -> str | None:
        """A new folder that can get the name ``place``, and the rights that one made there would have; None if not.

        What is left behind of it goes after a day. Raises OSError.
        """
        parent = os.path.dirname(place)
        os.makedirs(parent, exist_ok=True)
        if os.stat(parent).st_mode & stat.S_ISGID or _gives_rights(parent):
            return None
        folder = self._drafts.temporary(parent)
        if os.path.dirname(folder) == parent:  # visible, on a file system of its own
            return None
        os.mkdir(folder)
        return folder

    def place_new(
        self, path: str, oid: Oid, algo: Algo, place: str, *, age: bool = False
    ) -> Placed | None:
        """Copy the small object at ``path`` to ``place``, where nothing is and nobody looks before it is whole.

        None if that is for ``place`` to do: it is large, perhaps can be cloned, is gone, or was begun before. ``age``: make it look old enough for its stamp to be trusted.
        Raises CorruptObject, OSError.
        """
        if self._reflinks:
            return None
        try:
            source = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # ``place`` will tell
            return None
        try:
            size = os.fstat(source).st_size
            if size > SMALL:
                return None
            data = os.pread(source, size + 1, 0)
        finally:
            os.close(source)
        digests = digest_data(data, algo)
        if digests.oid(algo) != oid:
            raise corrupt(oid, path)
        try:
            handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:  # a process of ours was killed over it
            return None
        try:
            write_all(handle, data)
            if age:
                aged = time.time_ns() - AGE_NS
                os.utime(handle, ns=(aged, aged))
            return Placed(os.fstat(handle), digests)
        finally:
            os.close(handle)

    def _link(self, found: Found, place: str) -> Placed | None:
        """As the first link that works; None if a copy is wanted."""
        for kind in self.types:
            if kind in ("copy", "reflink"):  # a copy tries to be a reflink
                return None
            # Many files are empty: they would use up the links that an object may have.
            if kind == "hardlink" and not found.size:
                return None
            link = os.link if kind == "hardlink" else os.symlink
            try:
                try:
                    link(found.path, place)
                except FileExistsError:
                    name = self._drafts.temporary(os.path.dirname(place))
                    link(found.path, name)
                    try:
                        os.replace(name, place)
                    finally:  # of two names of one file, it leaves both
                        with contextlib.suppress(FileNotFoundError):
                            os.unlink(name)
            except OSError as error:
                if error.errno not in _UNABLE:
                    raise
                continue
            return Placed(os.stat(place), known_as(found.oid, found.algo))
        raise StoreError(
            "no link type of cache.type works here",
            facts={"path": place, "cache.type": ", ".join(self.types)},
            hint="allow copies: exp config cache.type reflink,copy",
        )

    def _copy(self, found: Found, place: str, isexec: bool) -> Placed:
        source = os.open(found.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            with self._drafts.new(place.rpartition("/")[0], 0o666) as draft:
                digests = self._fill(draft, source, found)
                if isexec:
                    os.fchmod(draft.handle, os.fstat(draft.handle).st_mode | stat.S_IXUSR)
                aged = time.time_ns() - AGE_NS
                os.utime(draft.handle, ns=(aged, aged))
                status = os.fstat(draft.handle)
                if not draft.publish(place):
                    draft.replace(place)
                return Placed(status, digests)
        finally:
            os.close(source)

    def _fill(self, draft: Draft, source: int, found: Found) -> Digests:
        """Give the draft the object's content. Raises CorruptObject if that is not its name.

        What is small enough to be held in memory is digested on the way.
        """
        if self._reflinks and found.size:
            if self._drafts.clone(source, draft):
                return known_as(found.oid, found.algo)
            self._reflinks = False
        if found.size <= SMALL:
            data = os.pread(source, found.size + 1, 0)
            digests = digest_data(data, found.algo)
            if digests.oid(found.algo) != found.oid:
                raise corrupt(found.oid, found.path)
            write_all(draft.handle, data)
            return digests
        if copy_file(source, draft.handle) != found.size:
            raise corrupt(found.oid, found.path)
        return known_as(found.oid, found.algo)

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
                    copy_file(handle, draft.handle)
                    draft.replace(place)
            finally:
                os.close(handle)
        elif stat.S_IMODE(status.st_mode) != mode:
            os.chmod(place, mode)


def _gives_rights(folder: str) -> bool:
    """Whether what is made in the folder gets an access control list from it."""
    if not hasattr(os, "getxattr"):
        return False
    try:
        return bool(os.getxattr(folder, "system.posix_acl_default"))
    except OSError:
        return False


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


@contextlib.contextmanager
def failing(place: str) -> Iterator[None]:
    """Turn the errors of the operating system at ``place`` into ours."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise StoreError(
            "the disk is full" if full else "cannot write into the workspace",
            facts={
                "path": error.filename or place,
                "because": error.strerror or str(error),
            },
            hint="make room" if full else "check who may write there",
        ) from error

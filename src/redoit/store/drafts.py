"""Files that appear whole or not at all.

A draft has no name while it is being written, so that a killed process leaves nothing behind;
where the file system cannot do that, and to replace a file, it has one in a folder of its own.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import threading
import time

_ANONYMOUS = getattr(os, "O_TMPFILE", 0)
_FLAGS = os.O_RDWR | os.O_CLOEXEC
_STEP = 64 << 20
_FICLONE = 0x40049409


_FOLDERS = 1000
"""So many folders are remembered: those of a cache."""


class Drafts:
    """Makes drafts; remembers whether the file system can do without names, and clone.

    ``staging`` is a folder for the names that cannot be done without; it is made when needed.
    """

    def __init__(self, staging: str) -> None:
        self._staging = staging
        self._swept = False
        self._devices: dict[str, int] = {}
        """Folder → its device, of some that were asked about."""
        self._anonymous = bool(_ANONYMOUS) and os.path.exists("/proc/self/fd")
        self._clones = sys.platform == "linux"

    def new(self, folder: str, mode: int) -> Draft:
        """A new, empty draft, to be published on the file system of ``folder``. Raises OSError."""
        if self._anonymous:
            try:
                return Draft(self, os.open(folder, _FLAGS | _ANONYMOUS, mode), None)
            except FileNotFoundError:
                raise
            except OSError:
                # What file systems say that cannot do it varies; a real fault shows up again.
                self.use_names()
        name = self.temporary(folder)
        return Draft(self, os.open(name, _FLAGS | os.O_CREAT | os.O_EXCL, mode), name)

    def use_names(self) -> None:
        """From now on, make drafts with names."""
        self._anonymous = False

    def clone(self, source: int, draft: Draft) -> bool:
        """Make the draft share its blocks with the open file ``source``; False if impossible."""
        if not self._clones:
            return False
        import fcntl

        try:
            fcntl.ioctl(draft.handle, _FICLONE, source)
        except OSError:
            self._clones = False
            return False
        return True

    def temporary(self, folder: str) -> str:
        """A new name on the file system of ``folder``. Raises OSError."""
        device = self._devices.get(folder)
        if device is None:
            device = os.stat(folder).st_dev
            if len(self._devices) < _FOLDERS:
                self._devices[folder] = device
        try:
            here = os.stat(self._staging).st_dev
        except FileNotFoundError:
            os.makedirs(self._staging, exist_ok=True)
            here = os.stat(self._staging).st_dev
        if not self._swept:
            self._swept = True
            _sweep(self._staging)
        return _unique(self._staging if device == here else folder)


class Draft:
    """An open file that is published under a name or vanishes. To be used with ``with``."""

    __slots__ = ("_drafts", "_name", "handle")

    def __init__(self, drafts: Drafts, handle: int, name: str | None) -> None:
        self._drafts = drafts
        self.handle = handle
        self._name = name

    def __enter__(self) -> Draft:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.handle)
        if self._name is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._name)

    def publish(self, path: str) -> bool:
        """Give the file its name, unless that is taken: then False. Raises OSError."""
        try:
            self._link(path)
        except FileExistsError:
            return False
        return True

    def replace(self, path: str) -> None:
        """Give the file its name, in place of whatever file has it. Raises OSError."""
        if self._name is None:
            name = self._drafts.temporary(os.path.dirname(path))
            self._link(name)
            self._name = name
        os.replace(self._name, path)
        self._name = None

    def _link(self, path: str) -> None:
        if self._name is None:
            # With a directory handle, Python calls linkat, which alone can follow the link in
            # /proc; for an absolute path the handle itself does not matter.
            source = f"/proc/self/fd/{self.handle}"
            try:
                os.link(source, path, src_dir_fd=self.handle, follow_symlinks=True)
                return
            except FileExistsError:
                raise
            except OSError:
                if not os.path.isdir(os.path.dirname(path)):
                    raise
                self._take_name(os.path.dirname(path))
        assert self._name is not None
        os.link(self._name, path)

    def _take_name(self, folder: str) -> None:
        """Have a name after all: here nameless files can be made, but not linked."""
        self._drafts.use_names()
        name = self._drafts.temporary(folder)
        status = os.fstat(self.handle)
        handle = os.open(name, _FLAGS | os.O_CREAT | os.O_EXCL, stat.S_IMODE(status.st_mode))
        nameless, self.handle, self._name = self.handle, handle, name
        try:
            copy_file(nameless, handle)
        finally:
            os.close(nameless)
        os.fchmod(handle, stat.S_IMODE(status.st_mode))
        os.utime(handle, ns=(status.st_atime_ns, status.st_mtime_ns))


def _unique(folder: str) -> str:
    """A name in ``folder`` that no other process or thread uses."""
    return f"{folder}/.redoit-{os.getpid()}-{threading.get_ident():x}-{os.urandom(4).hex()}.tmp"


_LEFT_OVER = 24 * 3600
"""Seconds after which a name can only be what a killed process left."""


def _sweep(folder: str) -> None:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            old = time.time() - entry.stat(follow_symlinks=False).st_mtime > _LEFT_OVER
            if old and entry.name.endswith(".tmp"):
                if entry.is_dir(follow_symlinks=False):
                    import shutil  # there is hardly ever one

                    shutil.rmtree(entry.path, ignore_errors=True)
                    continue
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)


def clear(path: str) -> None:
    """Remove a folder where a file is to be; a file there can be replaced. Raises OSError."""
    if os.path.isdir(path) and not os.path.islink(path):
        import shutil  # there is hardly ever one

        shutil.rmtree(path)


def write_all(handle: int, data: bytes | memoryview) -> None:
    """Write all of ``data``; a short write is not the end of it. Raises OSError."""
    count = os.write(handle, data)
    if count < len(data):
        rest = memoryview(data)
        while count < len(rest):
            rest = rest[count:]
            count = os.write(handle, rest)


def write_out(handle: int, offset: int, count: int) -> None:
    """Let the system begin to write this part of the file to disk, so that syncing it later has less to wait for."""
    with contextlib.suppress(AttributeError, OSError):  # not on every system
        # On Linux, this begins to write what is not on disk yet, before it drops from memory what is.
        os.posix_fadvise(handle, offset, count, os.POSIX_FADV_DONTNEED)


def copy_range(source: int, target: int, offset: int, count: int) -> int:
    """Copy up to ``count`` bytes from ``offset`` to the same place of ``target``.

    Returns how many; 0 at the end of the file. Inside the kernel where it can. Raises OSError.
    """
    with contextlib.suppress(AttributeError, OSError):
        # ENOSPC and the like come again below; other refusals mean "not between these two".
        return os.copy_file_range(source, target, count, offset, offset)
    data = os.pread(source, min(count, 1 << 20), offset)
    written = 0
    while written < len(data):
        written += os.pwrite(target, memoryview(data)[written:], offset + written)
    return len(data)


def copy_file(source: int, target: int) -> int:
    """Copy one open file to another, from the beginning. Returns how many bytes. Raises OSError."""
    offset = 0
    while count := copy_range(source, target, offset, _STEP):
        offset += count
    return offset


def umask() -> int:
    """The process's umask; there is no way to ask for it but to set it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask

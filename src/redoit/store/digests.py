"""Digests of files: xxh3-128, md5 and DVC 2's md5, all in one read and in constant memory."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple, Protocol

import xxhash

from redoit.errors import StoreError
from redoit.model import Algo, Fingerprint, Oid

CHUNK = 1 << 20
"""Bytes read at a time. DVC 2's digest depends on it: it judges each such chunk by itself."""

SMALL = 1 << 17
"""Up to this size md5 costs less than looking up whether it is known already."""

_TEXT = bytes(range(32, 127)) + b"\n\r\t\f\b"


class Digests(NamedTuple):
    """What is known of one file's content; None: not computed."""

    fingerprint: Fingerprint | None
    md5: Oid | None = None
    dos2unix: Oid | None = None

    def oid(self, algo: Algo) -> Oid | None:
        """The digest by ``algo``, if known. An xxh128 oid is the fingerprint."""
        if algo is Algo.MD5:
            return self.md5
        if algo is Algo.XXH128:
            return None if self.fingerprint is None else Oid(self.fingerprint)
        return self.dos2unix

    def merged(self, other: Digests) -> Digests:
        """These, and where unknown those of ``other``: the same content."""
        return Digests(
            self.fingerprint or other.fingerprint,
            self.md5 or other.md5,
            self.dos2unix or other.dos2unix,
        )


def known_as(oid: Oid, algo: Algo) -> Digests:
    """The digests of content of which only the oid is known."""
    if algo is Algo.XXH128:
        return Digests(Fingerprint(oid))
    return Digests(None, oid) if algo is Algo.MD5 else Digests(None, None, oid)


class _Hash(Protocol):
    def update(self, data: bytes | memoryview, /) -> object: ...
    def hexdigest(self) -> str: ...


def _md5(data: bytes = b"") -> _Hash:
    import hashlib  # it loads OpenSSL, which a run with nothing to do can spare

    return hashlib.md5(data, usedforsecurity=False)


class Hasher:
    """The digests of one stream of bytes, fed chunk by chunk; always with the fingerprint."""

    def __init__(self, algo: Algo) -> None:
        self._xxh = xxhash.xxh3_128()
        self._md5: _Hash | None = None
        self._dos2unix: _Hash | None = None
        if algo is Algo.MD5:
            self._md5 = _md5()
        elif algo is Algo.MD5_DOS2UNIX:
            self._dos2unix = _md5()

    def update(self, data: bytes | memoryview) -> None:
        """Take the next chunk; for DVC 2's digest it must be CHUNK long, the last one shorter."""
        self._xxh.update(data)
        if self._md5 is not None:
            self._md5.update(data)
        if self._dos2unix is not None:
            self._dos2unix.update(unix_lines(bytes(data)))

    def digests(self) -> Digests:
        """What was fed so far."""
        return Digests(
            Fingerprint(self._xxh.hexdigest()),
            None if self._md5 is None else Oid(self._md5.hexdigest()),
            None if self._dos2unix is None else Oid(self._dos2unix.hexdigest()),
        )


def digest_data(data: bytes, algo: Algo) -> Digests:
    """The fingerprint of ``data`` and its digest by ``algo``."""
    fingerprint = Fingerprint(xxhash.xxh3_128_hexdigest(data))
    if algo is Algo.MD5:
        return Digests(fingerprint, Oid(_md5(data).hexdigest()))
    if algo is Algo.MD5_DOS2UNIX:
        hasher = Hasher(algo)
        for start in range(0, len(data), CHUNK):
            hasher.update(data[start : start + CHUNK])
        return hasher.digests()
    return Digests(fingerprint)


def oid_of(data: bytes, algo: Algo) -> Oid:
    """The digest of ``data`` by ``algo``."""
    oid = digest_data(data, algo).oid(algo)
    assert oid is not None
    return oid


def digest_file(path: str, algo: Algo) -> Digests:
    """The fingerprint of the file (a symlink is followed) and its digest by ``algo``.

    Raises FileNotFoundError; StoreError for what is no regular file or cannot be read.
    """
    handle, size = open_file(path)
    try:
        return digest_open(handle, size, algo)
    except OSError as error:
        raise unreadable(path, error) from error
    finally:
        os.close(handle)


def digest_open(handle: int, size: int, algo: Algo) -> Digests:
    """As ``digest_file``, of an open file of about ``size`` bytes, from its beginning."""
    if size <= SMALL:
        data = os.pread(handle, size + 1, 0)
        if len(data) <= size:  # else it has grown meanwhile
            return digest_data(data, algo)
    hasher = Hasher(algo)
    buffer = bytearray(CHUNK)
    view = memoryview(buffer)
    offset = 0
    while count := _fill(handle, view, offset):
        hasher.update(view[:count])
        offset += count
    return hasher.digests()


def _fill(handle: int, view: memoryview, offset: int) -> int:
    """Read until ``view`` is full or the file ends; a short read is not the end."""
    total = 0
    while total < len(view):
        count = os.preadv(handle, [view[total:]], offset + total)
        if not count:
            break
        total += count
    return total


def open_file(path: str) -> tuple[int, int]:
    """The regular file at ``path``, opened for reading, and its size in bytes.

    Raises FileNotFoundError; StoreError for what is no regular file or cannot be read.
    """
    try:
        # Not blocking: opening a named pipe must not wait for a writer.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise unreadable(path, error) from error
    status = os.fstat(handle)
    if stat.S_ISREG(status.st_mode):
        return handle, status.st_size
    os.close(handle)
    raise StoreError(
        "this is neither a file nor a directory",
        facts={"path": path},
        hint="deps and outs can only be files and directories",
    )


def read_whole(path: str, size: int) -> bytes | None:
    """The content of a small file that had ``size`` bytes when it was last looked at.

    None if it is not as it was: then it has to be asked more carefully what it is.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        data = os.pread(handle, size + 1, 0)
    except OSError:
        return None
    finally:
        os.close(handle)
    return data if len(data) == size else None


def unreadable(path: str, error: OSError) -> StoreError:
    """The error for a file or directory that cannot be read."""
    return StoreError(
        "cannot read a file or directory",
        facts={"path": path, "because": error.strerror or str(error)},
        hint="check its permissions and the disk",
    )


def unix_lines(chunk: bytes) -> bytes:
    """What DVC 2 digested of a chunk: CR LF made LF, if the chunk begins like text."""
    return chunk.replace(b"\r\n", b"\n") if _is_text(chunk[:512]) else chunk


def _is_text(block: bytes) -> bool:
    """DVC's rule: no NUL, and at most 30 % of the bytes outside of printable ASCII."""
    if not block:
        return True
    if b"\x00" in block:
        return False
    return len(block.translate(None, _TEXT)) / len(block) <= 0.30

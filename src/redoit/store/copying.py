"""A large file copied and digested at the same time, in hardly more time than the copying takes.

xxh3 is so fast that only memory limits it: each piece is digested while it is in the processor's cache, between being read
and written. md5 is slower than the copying, and gets a thread of its own.
"""

from __future__ import annotations

import mmap
import os
import threading
from queue import SimpleQueue

from redoit.model import Algo
from redoit.store.digests import CHUNK, Digests, Hasher
from redoit.store.drafts import copy_range, write_all, write_out

_STEP = 16 << 20
"""Bytes copied at a time, while those before are digested in another thread."""
_FLAGS = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)


def copy_and_digest(source: int, target: int, algo: Algo) -> Digests:
    """Copy one open file to another, and digest the copy while it grows. Raises OSError.

    ``target`` must be a file that nobody else knows.
    """
    if algo is Algo.XXH128:
        return _copy_alone(source, target, algo)
    return _copy_beside(source, target, algo)


def _copy_alone(source: int, target: int, algo: Algo) -> Digests:
    hasher = Hasher(algo)
    buffer = memoryview(bytearray(CHUNK))
    offset = begun = 0
    while count := os.preadv(source, [buffer], offset):
        with buffer[:count] as piece:
            hasher.update(piece)
            write_all(target, piece)
        offset += count
        if offset - begun >= _STEP:
            write_out(target, begun, offset - begun)
            begun = offset
    return hasher.digests()


def _copy_beside(source: int, target: int, algo: Algo) -> Digests:
    hasher = Hasher(algo)
    copied: SimpleQueue[int] = SimpleQueue()  # how far; the last number twice means the end
    failures: list[BaseException] = []

    def digest() -> None:
        offset = 0
        try:
            while (until := copied.get()) > offset:
                while offset < until:
                    count = min(until - offset, _STEP)
                    _digest_part(hasher, target, offset, count)
                    offset += count
        except BaseException as error:  # noqa: BLE001  handed to the thread that copies
            failures.append(error)

    thread = threading.Thread(target=digest, name="digest")
    thread.start()
    offset = 0
    try:
        while count := copy_range(source, target, offset, _STEP):
            copied.put(offset + count)
            write_out(target, offset, count)
            offset += count
    finally:
        copied.put(offset)
        thread.join()
    if failures:
        raise failures[0]
    return hasher.digests()


def _digest_part(hasher: Hasher, handle: int, offset: int, count: int) -> None:
    """Digest this part of the file where the kernel has it: reading would copy it once more.

    Nobody can cut the file off under the mapping, as it is ours alone.
    """
    before = offset % mmap.ALLOCATIONGRANULARITY
    with (
        mmap.mmap(handle, before + count, _FLAGS, mmap.PROT_READ, offset=offset - before) as mapped,
        memoryview(mapped) as view,
    ):
        for start in range(before, before + count, CHUNK):
            with view[start : min(start + CHUNK, before + count)] as chunk:
                hasher.update(chunk)

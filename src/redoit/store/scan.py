"""What a directory holds, and the signature by which an unchanged one is known again."""

from __future__ import annotations

import os
import stat
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import xxhash

from redoit.errors import StoreError
from redoit.model import RepoPath
from redoit.store.digests import unreadable
from redoit.store.processes import FEWEST_LOOKS, in_slices

Stamp = tuple[int, int, int]
"""Inode, size in bytes and modification time in ns: the same again means the same content."""

UNKNOWN: Stamp = (0, 0, 0)
"""A stamp that no file has."""

_POSITIVE = (1 << 63) - 1


# How long after its last change a file could change again with the same mtime: the longest tick
# of the kernel's clock for files is 10 ms; some file systems keep whole seconds only.
_TICK_NS = 10_000_000
_SECONDS_NS = 2_000_000_000


def is_racy(mtime: int, now: int) -> bool:
    """Whether a file with this mtime could change after ``now`` without getting a new one."""
    return mtime > now - (_SECONDS_NS if mtime % 1_000_000_000 == 0 else _TICK_NS)


class Ignores(Protocol):
    """Which paths are no data: ``.dvcignore``."""

    has_rules: bool
    """Whether a ``.dvcignore`` with rules was met, in the folders asked about so far."""

    def ignores(self, path: RepoPath, is_dir: bool) -> bool: ...


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp of a file; an inode beyond 63 bits is cut to what SQLite can hold."""
    return (status.st_ino & _POSITIVE, status.st_size, status.st_mtime_ns)


@dataclass(frozen=True)
class Listing:
    """The files in a directory at any depth, sorted by path; empty directories do not count.

    ``names`` are relative to the directory, with ``/``; ``stamps`` stand in the same order.
    ``links`` are those of the names that are symlinks or have several hard links.
    """

    names: list[str]
    stamps: list[Stamp]
    size: int
    """Sum of all sizes, in bytes."""
    links: frozenset[str] = frozenset()

    @cached_property
    def signature(self) -> str:
        """Changes whenever a name or a stamp does."""
        xxh = xxhash.xxh3_128(joined(self.names))
        xxh.update(packed(self.stamps))
        return str(xxh.hexdigest())


def joined(names: Sequence[str]) -> bytes:
    """Names as one piece of bytes, ended by NUL each."""
    return "\0".join((*names, "")).encode("utf-8", "surrogateescape")


def split(data: bytes) -> list[str]:
    """The reverse of ``joined``."""
    return data.decode("utf-8", "surrogateescape").split("\0")[:-1]


def packed(stamps: Sequence[Stamp]) -> bytes:
    """Stamps as 24 bytes each, in this machine's order: they never leave it."""
    return array("q", [number for stamp in stamps for number in stamp]).tobytes()


def unpacked(data: bytes) -> list[Stamp]:
    """The reverse of ``packed``."""
    numbers = iter(array("q", data))
    return list(zip(numbers, numbers, numbers, strict=True))


def scan(folder: str, path: RepoPath, ignore: Ignores | None) -> Listing:
    """List the directory ``folder``; ``path`` is how ``ignore`` knows it.

    A symlink to a file counts as the file, one to a directory is left out, as DVC does.
    Raises FileNotFoundError or NotADirectoryError; StoreError for a broken symlink, for what is
    neither file nor directory, for what cannot be read, and for a ``.dvcignore`` inside.
    """
    walk = _walk(folder, path, ignore)
    names, others = walk.files, walk.others
    names.sort()
    stamps: list[Stamp] = [UNKNOWN] * len(names)
    links = list(others)

    def look(part: slice) -> list[Any]:
        return list(_look(folder, names[part], part.start))

    gone = False
    for part, (found, several, lost) in in_slices(len(names), look, fewest=FEWEST_LOOKS):
        stamps[part] = unpacked(found)
        links += [names[at] for at in several]
        gone = gone or lost
    if others or gone:
        pairs = [*others.items(), *zip(names, stamps, strict=True)]
        pairs = sorted(pair for pair in pairs if pair[1] != UNKNOWN)
        names, stamps = [name for name, _ in pairs], [stamp for _, stamp in pairs]
    return Listing(names, stamps, sum(stamp[1] for stamp in stamps), frozenset(links))


class _Walk(NamedTuple):
    files: list[str]
    others: dict[str, Stamp]
    """Symlinks, by the stamp of the file that they lead to."""


def _walk(folder: str, path: RepoPath, ignore: Ignores | None) -> _Walk:
    """The names in a directory that count. Raises as ``scan``."""
    files: list[str] = []
    others: dict[str, Stamp] = {}
    pending = [""]
    if ignore is not None:
        ignore.ignores(path, True)  # reads the rules that hold here
    while pending:
        prefix = pending.pop()
        inner = f"{folder}/{prefix}" if prefix else folder
        above = f"{path}/{prefix}" if path else prefix  # ends with a slash, or is empty
        has_rules = ignore is not None and ignore.has_rules
        try:
            with os.scandir(inner) as entries:
                for entry in entries:
                    name = entry.name
                    if entry.is_dir(follow_symlinks=False):
                        if ignore is None or not ignore.ignores(RepoPath(above + name), True):
                            pending.append(f"{prefix}{name}/")
                        continue
                    if has_rules or name in _ASKED:
                        if ignore is not None and ignore.ignores(RepoPath(above + name), False):
                            continue
                        if name == ".dvcignore":
                            raise _ignore_file_inside(entry.path)
                    if entry.is_file(follow_symlinks=False):
                        files.append(prefix + name)
                    elif (target := _target(entry)) is not None:
                        others[prefix + name] = stamp_of(target)
        except (FileNotFoundError, NotADirectoryError):
            if not prefix:
                raise
        except OSError as error:
            raise unreadable(inner, error) from error
    return _Walk(files, others)


def _look(folder: str, names: Sequence[str], start: int) -> tuple[bytes, list[int], bool]:
    """The stamps of these files, packed; the positions, from ``start`` on, of those that have several names; and
    whether one has gone meanwhile, whose stamp is UNKNOWN.
    """
    numbers = array("q")
    several = []
    gone = False
    for at, name in enumerate(names, start):
        try:
            status = os.lstat(f"{folder}/{name}")
        except (FileNotFoundError, NotADirectoryError):
            gone = True
            numbers.extend(UNKNOWN)
            continue
        except OSError as error:
            raise unreadable(f"{folder}/{name}", error) from error
        numbers.extend((status.st_ino & _POSITIVE, status.st_size, status.st_mtime_ns))
        if status.st_nlink > 1:
            several.append(at)
    return numbers.tobytes(), several, gone


_ASKED = (".git", ".dvcignore")
"""Names that are asked about even where there are no rules."""


def _target(entry: os.DirEntry[str]) -> os.stat_result | None:
    """What a symlink leads to; None for a directory. Raises StoreError for all that is no data."""
    if not entry.is_symlink():
        raise StoreError(
            "a directory holds something that is neither a file nor a directory",
            facts={"path": entry.path},
            hint="remove it, or name it in .dvcignore",
        )
    try:
        status = os.stat(entry.path)
    except OSError:
        raise StoreError(
            "a directory holds a broken symlink",
            facts={"path": entry.path},
            hint="remove it, or name it in .dvcignore",
        ) from None
    return None if stat.S_ISDIR(status.st_mode) else status


def _ignore_file_inside(path: str) -> StoreError:
    return StoreError(
        "a .dvcignore file lies inside a dep or an out",
        facts={"path": path},
        hint="move it into a folder above",
    )

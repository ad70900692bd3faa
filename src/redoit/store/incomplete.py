"""Directories of which only a part was put into the workspace: what lacks there was deleted by nobody."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from redoit.errors import StoreError
from redoit.files import digest_bytes, write_atomic
from redoit.model import Algo, Entry, Oid, RepoPath
from redoit.store import tree
from redoit.store.listings import listing_of
from redoit.store.look import Look
from redoit.store.objects import Objects


class Mark(NamedTuple):
    """What a directory was to become when it was written in part."""

    oid: Oid
    whole: bool
    """All of it was to be written, but that was stopped; else only some files were wanted."""


class Lack(NamedTuple):
    """What a directory of the workspace lacks of what is recorded."""

    absent: tuple[tuple[str, Oid], ...]
    """Name and oid of the files that are not there."""
    edited: bool = False
    """Something is there that is neither recorded nor left by a checkout that was stopped."""
    other: bool = False
    """It is a part of other data than those that are recorded."""


class Marks:
    """Owns a small file for each directory that was written in part."""

    def __init__(self, folder: str, staging: str) -> None:
        self._folder = folder
        self._staging = staging

    def set(self, path: RepoPath, mark: Mark) -> None:
        """Say that ``path`` is written in part from now on. Raises OSError."""
        text = f"{mark.oid}\n{int(mark.whole)}\n{path}"
        write_atomic(self._place(path), os.fsencode(text), sync=False, staging=self._staging)

    def get(self, path: RepoPath) -> Mark | None:
        """What ``path`` was to become; None if it was not written in part."""
        try:
            with open(self._place(path), "rb") as file:
                oid, whole, _ = os.fsdecode(file.read()).split("\n", 2)
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None
        return Mark(Oid(oid), whole == "1")

    def paths(self) -> list[RepoPath]:
        """All directories with a mark."""
        try:
            names = os.listdir(self._folder)
        except (FileNotFoundError, NotADirectoryError):
            return []
        found = []
        for name in names:
            with (
                contextlib.suppress(FileNotFoundError),
                open(f"{self._folder}/{name}", "rb") as file,
            ):
                found.append(RepoPath(os.fsdecode(file.read()).split("\n", 2)[-1]))
        return found

    def drop(self, path: RepoPath) -> None:
        """Say that what is at ``path`` now is all of it."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(self._place(path))

    def _place(self, path: RepoPath) -> str:
        return f"{self._folder}/{digest_bytes(os.fsencode(path))}"


def find_lack(
    path: RepoPath,
    entry: Entry,
    place: str,
    marks: Marks,
    look: Look,
    objects: Objects,
    inside: str | None = None,
) -> Lack | None:
    """What ``path``, or the part of that directory that is ``inside``, lacks of ``entry``.

    None if nothing lacks, or if what lacks was deleted. Nobody can have deleted what a mark says was not written; nor
    what is a link to an object that the cache has lost; nor, where all else is as recorded, what not even the cache has.
    """
    oid, algo = entry.oid, entry.algo
    if oid is None or look.matches(path, entry):
        return None
    if not tree.is_dir_oid(oid):
        return Lack((("", oid),)) if objects.is_lost(place) else None
    if not os.path.isdir(place):
        return None
    mark = marks.get(path)
    links: set[str] = set()
    there: dict[str, Oid | None] = {}
    try:
        listing, digests = look.listed(path, algo)
        there = dict(zip(listing.names, (each.oid(algo) for each in digests), strict=True))
    except (StoreError, FileNotFoundError):  # as of a link that leads nowhere
        links = _lost_links(place, objects)
        if not links:
            return None
    try:
        recorded = dict(listing_of(objects, oid, algo))
    except StoreError:  # what it should hold is not known
        return Lack((), other=mark is not None and mark.oid != oid) if mark or links else None
    if links:
        there = _there(path, place, recorded, links, look, algo)
    absent = tuple((name, each) for name, each in recorded.items() if name not in there)
    different = [
        (name, each) for name, each in there.items() if each is None or recorded.get(name) != each
    ]
    if (
        mark is None
        and not links
        and (different or all(objects.has(each, algo) for _, each in absent))
    ):
        return None
    other = mark is not None and mark.oid != oid
    excused = mark is not None and mark.whole and not other
    wanted = tuple(row for row in absent if _takes(inside, row[0]))
    edited = [
        name
        for name, each in different
        if _takes(inside, name) and not (excused and each is not None and objects.has(each, algo))
    ]
    stopped = any(_takes(inside, name) for name, _ in different) and not edited
    if not (wanted or other or stopped):
        return None
    return Lack(wanted, bool(edited), other)


def _lost_links(place: str, objects: Objects) -> set[str]:
    """Names of the links in a directory that lead to objects which are gone from the cache."""
    return {name for name in _names(place) if objects.is_lost(f"{place}/{name}")}


def _names(place: str) -> Iterator[str]:
    for folder, _, names in os.walk(place):
        for name in names:
            yield os.path.relpath(f"{folder}/{name}", place)


def _there(
    path: RepoPath, place: str, recorded: dict[str, Oid], links: set[str], look: Look, algo: Algo
) -> dict[str, Oid | None]:
    """Name → oid of the files that are there, in a directory that cannot be listed for its ``links``.

    None for one that is not as recorded.
    """
    found: dict[str, Oid | None] = {}
    for name in _names(place):
        oid = recorded.get(name)
        inner = RepoPath(f"{path}/{name}")
        if name not in links:
            same = oid is not None and look.matches(inner, Entry(name, oid, algo))
            found[name] = oid if same else None
    return found


def _takes(inside: str | None, name: str) -> bool:
    return inside is None or name == inside or name.startswith(f"{inside}/")


def is_all_there(place: str, names: Sequence[str]) -> bool:
    """Whether the directory has files of all these names."""
    return all(os.path.lexists(f"{place}/{name}") for name in names)

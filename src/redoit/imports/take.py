"""Data of a place that a URL names: what tells them apart, and the way into the cache."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from redoit.errors import StoreError
from redoit.model import Algo, Entry, Oid
from redoit.store import tree
from redoit.store.digests import Digests, digest_file
from redoit.store.links import failing
from redoit.store.look import LARGE
from redoit.store.moved import Meter
from redoit.store.moving import asking, default_jobs
from redoit.store.objects import Objects
from redoit.store.parallel import each_in_parallel
from redoit.store.places import Facts, Place
from redoit.store.processes import in_slices
from redoit.store.remotes import Remote, check_writable, object_name

_Row = tuple[Any, ...]
"""Of one file: its size, and its ``Digests``; plain, so that another process can tell it."""


class Taken(NamedTuple):
    """What came into the cache; ``record`` is what a ``.dvc`` file says of the place (None: of a repository)."""

    entry: Entry
    record: dict[str, Any] | None = None


def look(place: Place, objects: Objects, algo: Algo, jobs: int = 0) -> dict[str, Any]:
    """What a ``.dvc`` file says of the place. Files are read only where nothing else tells them apart.

    Raises StoreError.
    """
    files = place.files()
    if _is_marked(files):
        return _marked(place, files)

    def digest(facts: Facts) -> _Row:
        path = place.path_of(facts.name)
        if path is not None:
            return (facts.size or 0, *digest_file(path, algo))
        temporary = objects.temporary(algo)
        try:
            place.get(facts.name, temporary)
            return (facts.size or 0, *digest_file(temporary, algo))
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)

    found: dict[int, _Row] = {}
    _each(files, digest, found.__setitem__, place, jobs)
    digests = [Digests(*found[at][1:]) for at in range(len(files))]
    return _digested(place, files, digests, [found[at][0] for at in range(len(files))], algo)


def take(place: Place, objects: Objects, algo: Algo, *, jobs: int, meter: Meter) -> Taken:
    """Put the data of the place into the cache. Raises StoreError; then what came so far stays there, unnamed."""
    files = place.files()
    found: dict[int, _Row] = {}

    def keep(at: int, row: _Row) -> None:
        found[at] = row
        objects.note(_oid(Digests(*row[1:]), algo), algo, row[0])  # perhaps by another process
        meter.moved(row[0])

    known = [facts.size for facts in files]
    meter.begin("get", len(files), None if None in known else sum(size or 0 for size in known))
    try:
        _each(files, partial(_take_file, place, objects, algo), keep, place, jobs)
    finally:
        meter.ended()
    digests = [Digests(*found[at][1:]) for at in range(len(files))]
    in_order = [found[at][0] for at in range(len(files))]
    if place.is_folder():
        entry = keep_folder(
            [facts.name for facts in files], [_oid(each, algo) for each in digests], objects, algo
        )._replace(size=sum(in_order))
    else:
        entry = Entry("", _oid(digests[0], algo), algo, in_order[0])
    objects.sync()
    # What tells contents apart was asked before they were got: a change meanwhile is seen by the next update.
    if _is_marked(files):
        return Taken(entry, _marked(place, files))
    return Taken(entry, _digested(place, files, digests, in_order, algo))


def send(
    place: Place, remote: Remote, objects: Objects, algo: Algo, *, jobs: int, meter: Meter
) -> Taken:
    """Send the data of the place to a remote, a few files at a time; the cache stays as it is.

    The object of a directory goes after its files. Raises StoreError, RemoteError.
    """
    check_writable(remote)
    files = place.files()
    found: dict[int, Digests] = {}
    sizes: dict[int, int] = {}

    def pass_on(at: int) -> None:
        temporary = objects.temporary(algo)
        try:
            place.get(files[at].name, temporary)
            found[at] = digest_file(temporary, algo)
            sizes[at] = os.stat(temporary).st_size
            _put(remote, temporary, _oid(found[at], algo), algo)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
        meter.moved(sizes[at])

    meter.begin("send", len(files), None)
    try:
        each_in_parallel(pass_on, range(len(files)), jobs or place.jobs or default_jobs())
    finally:
        meter.ended()
    digests = [found[at] for at in range(len(files))]
    in_order = [sizes[at] for at in range(len(files))]
    entry = Entry("", _oid(digests[0], algo), algo, in_order[0]) if digests else Entry("", None)
    if place.is_folder():
        data = tree.encode(
            [facts.name for facts in files], [_oid(each, algo) for each in digests], algo
        )
        entry = Entry("", tree.dir_oid(data, algo), algo, sum(in_order), len(files))
        temporary = objects.temporary(algo)
        try:
            with open(temporary, "wb") as file:
                file.write(data)
            _put(remote, temporary, _oid_of(entry), algo)
        finally:
            os.unlink(temporary)
    with asking(remote):
        remote.storage.finish()
    if _is_marked(files):
        return Taken(entry, _marked(place, files))
    return Taken(entry, _digested(place, files, digests, in_order, algo))


def _put(remote: Remote, path: str, oid: Oid, algo: Algo) -> None:
    name = object_name(oid, algo)
    with asking(remote):
        if remote.storage.size(name) is None:
            remote.storage.put(path, name)


def _oid_of(entry: Entry) -> Oid:
    assert entry.oid is not None
    return entry.oid


def is_as_recorded(place: Place, record: Mapping[str, Any]) -> bool:
    """Whether the place tells, without being read, that it holds what was recorded. Raises StoreError."""
    files = place.files()
    return _is_marked(files) and same_record(_marked(place, files), record)


def same_record(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two records are of the same content."""
    return {**one, "hash": ""} == {**other, "hash": ""}


def keep_folder(names: Sequence[str], oids: Sequence[Oid], objects: Objects, algo: Algo) -> Entry:
    """Put the object of a directory into the cache; ``names`` are sorted. The entry has no size. Raises StoreError."""
    oid = objects.put_tree(tree.encode(names, oids, algo), algo)
    return Entry("", oid, algo, None, len(names))


def _take_file(place: Place, objects: Objects, algo: Algo, facts: Facts) -> _Row:
    path = place.path_of(facts.name)
    if path is not None:
        with failing(path):
            digests = objects.put_file(path, algo, facts.size)
            return (os.stat(objects.path(_oid(digests, algo), algo)).st_size, *digests)
    temporary = objects.temporary(algo)
    try:
        place.get(facts.name, temporary)
        size = os.stat(temporary).st_size
        if facts.size is not None and size != facts.size:
            raise StoreError(
                "a file that is imported did not come as a whole",
                facts={"file": facts.name, "bytes": f"{size:,} of {facts.size:,}"},
                hint="give the same command again",
            )
        return (size, *objects.take(temporary, algo))
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def _each(
    files: Sequence[Facts],
    do: Callable[[Facts], _Row],
    keep: Callable[[int, _Row], None],
    place: Place,
    jobs: int,
) -> None:
    """``keep`` what ``do`` returns for each of the files: at once those that are far, the others by processes."""
    small = [
        at
        for at, facts in enumerate(files)
        if place.path_of(facts.name) is not None and (facts.size or 0) <= LARGE
    ]
    for part, rows in in_slices(
        len(small), lambda part: [tuple(do(files[at])) for at in small[part]]
    ):
        for at, row in zip(small[part], rows, strict=True):
            keep(at, row)
    done = set(small)
    rest = [at for at in range(len(files)) if at not in done]
    each_in_parallel(lambda at: keep(at, do(files[at])), rest, jobs or place.jobs or default_jobs())


def _oid(digests: Digests, algo: Algo) -> Oid:
    oid = digests.oid(algo)
    assert oid is not None
    return oid


def _is_marked(files: Sequence[Facts]) -> bool:
    return bool(files) and all(facts.mark is not None for facts in files)


def _marked(place: Place, files: Sequence[Facts]) -> dict[str, Any]:
    if not place.is_folder():
        return _marked_file(place, files[0])
    if place.versioned:
        return {"files": [{"relpath": facts.name, **_marked_file(place, facts)} for facts in files]}
    # As DVC does: the digest of a directory whose files have marks is the md5 of a list of those.
    rows = [{place.mark: facts.mark, "relpath": facts.name} for facts in files]
    data = json.dumps(rows, sort_keys=True).encode()
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return {
        "md5": f"{digest}{tree.DIR_SUFFIX}",
        "size": sum(facts.size or 0 for facts in files),
        "nfiles": len(files),
    }


def _marked_file(place: Place, facts: Facts) -> dict[str, Any]:
    record: dict[str, Any] = {place.mark: facts.mark}
    if facts.size is not None:
        record["size"] = facts.size
    if facts.version is not None:
        record["version_id"] = facts.version
    return record


def _digested(
    place: Place,
    files: Sequence[Facts],
    digests: Sequence[Digests],
    sizes: Sequence[int],
    algo: Algo,
) -> dict[str, Any]:
    oids = [_oid(each, algo) for each in digests]
    if place.is_folder():
        oid = tree.dir_oid(tree.encode([facts.name for facts in files], oids, algo), algo)
        return {algo.value: oid, "size": sum(sizes), "nfiles": len(files)}
    record: dict[str, Any] = {algo.value: oids[0], "size": sizes[0]}
    return {**record, "isexec": True} if files[0].isexec else record

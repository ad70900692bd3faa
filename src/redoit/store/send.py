"""A file or directory of this machine sent to a remote as objects, past the cache."""

from __future__ import annotations

import os
import tempfile
from functools import partial
from typing import NamedTuple

from redoit.errors import StoreError
from redoit.model import Algo, Content, Oid, RepoPath
from redoit.store import tree
from redoit.store.digests import digest_file, unreadable
from redoit.store.moved import Meter
from redoit.store.moving import Moving, asking
from redoit.store.parallel import in_parallel
from redoit.store.remotes import Remote, check_writable, object_name
from redoit.store.scan import scan, stamp_of
from redoit.store.transfer import present

_Stamp = tuple[int, int, int]


class _File(NamedTuple):
    """A file to send: its name in the directory, where it is, its digest, and how it was before that was taken."""

    name: str
    place: str
    oid: Oid
    stamp: _Stamp

    @property
    def size(self) -> int:
        return self.stamp[1]

    def check(self) -> None:
        """Raise StoreError if the file is not what it was."""
        if _stamp(self.place) != self.stamp:
            raise StoreError(
                "it was changed while it was being sent", facts={"because": self.place}
            )


def send(source: str, remote: Remote, algo: Algo, *, jobs: int, meter: Meter) -> Content:
    """Send the file or directory ``source`` to ``remote``. Returns what it is there.

    Raises StoreError for what cannot be read, RemoteError, TransferFailed naming what did not arrive.
    """
    storage = remote.storage
    check_writable(remote)
    is_dir = os.path.isdir(source)
    files = _files(source, algo, is_dir=is_dir)
    there = present({(file.oid, algo) for file in files}, remote, jobs)
    new = {file.oid: file for file in files if (file.oid, algo) not in there}
    moving = Moving(remote, jobs, meter)

    def move(file: _File) -> None:
        name = object_name(file.oid, algo)

        def put() -> bool:
            file.check()
            storage.put(file.place, name)
            try:
                file.check()
            except StoreError:
                storage.remove(name)
                raise
            return True

        if moving.tried(file.name or source, put):
            moving.arrived(file.size)

    moving.all("send", [partial(move, file) for file in new.values()], _sum(list(new.values())))
    moving.moved.check("sent")
    size = _sum(files)
    if not is_dir:
        content = Content(files[0].oid, algo, size, isexec=os.access(source, os.X_OK))
    else:
        content = Content(_send_list(files, remote, algo), algo, size, len(files))
    with asking(remote):
        storage.finish()
    return content


def _send_list(files: list[_File], remote: Remote, algo: Algo) -> Oid:
    data = tree.encode([file.name for file in files], [file.oid for file in files], algo)
    oid = tree.dir_oid(data, algo)
    with tempfile.NamedTemporaryFile() as draft:
        draft.write(data)
        draft.flush()
        with asking(remote):
            remote.storage.put(draft.name, object_name(oid, algo))
    return oid


def _files(source: str, algo: Algo, *, is_dir: bool) -> list[_File]:
    """The files to send with their digests, in the order in which a directory's object has them."""
    names, stamps = [""], [_stamp(source)]
    if is_dir:
        listing = scan(source, RepoPath(""), None)
        names, stamps = listing.names, listing.stamps
    found: list[_File] = []

    def take(at: int) -> None:
        place = f"{source}/{names[at]}" if names[at] else source
        oid = digest_file(place, algo).oid(algo)
        assert oid is not None
        found.append(_File(names[at], place, oid, stamps[at]))

    in_parallel([partial(take, at) for at in range(len(names))])
    order = {name: at for at, name in enumerate(names)}
    return sorted(found, key=lambda file: order[file.name])


def _sum(files: list[_File]) -> int:
    return sum(file.size for file in files)


def _stamp(place: str) -> _Stamp:
    try:
        return stamp_of(os.stat(place))
    except OSError as error:
        raise unreadable(place, error) from error

"""A remote whose files have names of their own and keep their versions in the cloud, seen as one that holds objects."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from redoit.errors import RemoteError
from redoit.store.fsspec_storage import FsspecStorage
from redoit.store.storage import Stored


class Version(NamedTuple):
    """One version of a file of a remote; ``size`` in bytes, if it is recorded."""

    path: str
    version: str
    size: int | None = None


class Versions(NamedTuple):
    """What is recorded of a remote, by the names that objects have in others: files, and the objects of directories."""

    files: Mapping[str, Version]
    folders: Mapping[str, bytes]


class VersionedStorage:
    """The objects of which ``versions`` tells where they are. For reading: to write is to change what is recorded."""

    lists = False
    writable = False
    near = False

    def __init__(self, name: str, storage: FsspecStorage, versions: Versions) -> None:
        self._name = name
        self._storage = storage
        self._versions = versions
        self.attempts = storage.attempts

    def list(self, folder: str) -> list[Stored]:
        raise self._refused("cannot tell what it has")

    def size(self, name: str) -> int | None:
        folder = self._versions.folders.get(name)
        if folder is not None:
            return len(folder)
        file = self._versions.files.get(name)
        if file is None:
            return None
        if file.size is not None:
            return file.size
        return int(self._storage.info(file.path, file.version).get("size") or 0)

    def get(self, name: str, place: str) -> None:
        folder = self._versions.folders.get(name)
        if folder is not None:
            with open(place, "wb") as target:
                target.write(folder)
            return
        file = self._versions.files.get(name)
        if file is None:
            raise FileNotFoundError(name)
        self._storage.get(file.path, place, file.version)

    def put(self, place: str, name: str) -> None:
        raise self._refused(f"cannot take '{os.path.basename(place)}'")

    def remove(self, name: str) -> None:
        raise self._refused(f"cannot give up '{name}'")

    def finish(self) -> None:
        """Nothing was put."""

    def _refused(self, what: str) -> RemoteError:
        return RemoteError(
            f"the remote '{self._name}' keeps versions in the cloud, and {what}",
            hint="name another one with -r, or use DVC for this one",
        )

"""The project of another repository that something is imported from, and the places where its data may be."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from redoit.errors import RemoteError, StoreError
from redoit.imports.configuration import SourceConfig, source_config
from redoit.imports.repository import Part, Repository
from redoit.model import Entry, Oid
from redoit.redact import redacted
from redoit.store import tree
from redoit.store.listings import listing_of
from redoit.store.moved import Wanted
from redoit.store.objects import Objects
from redoit.store.remotes import Remote, Remotes
from redoit.store.storage import FolderStorage


class Other:
    """A project of another repository at a commit, as the import ``repo`` (a mapping of its ``.dvc`` file) sees it.

    ``folder`` is what a path in that mapping is relative to.
    """

    def __init__(
        self, repository: Repository, path: str, repo: Mapping[str, Any], folder: str
    ) -> None:
        self.url = redacted(repository.url)
        self.is_here = repository.commit.path is not None
        self._project = repository.project_of(posixpath.normpath(path))
        self._files = repository.files_of(self._project)
        self.root = self._files.root
        self._repo = repo
        self._folder = folder

    def name_of(self, part: Part) -> str:
        """How a part is called in messages."""
        return posixpath.join(self._project, part.out.path, part.inside or "").rstrip("/")

    @cached_property
    def configuration(self) -> SourceConfig:
        """The project's configuration, with what the import adds. Raises ConfigError."""
        return source_config(self._files, self._repo, self._folder, is_here=self.is_here)

    def stores(self, part: Part) -> Iterator[Remote]:
        """Each place where the data may be, the nearest first. Raises ConfigError, RemoteError."""
        config, elsewhere = self.configuration
        if self.is_here:
            folder = config.cache_dir(self.root)
            yield Remote("cache", folder, FolderStorage(folder))
        remotes = Remotes(config)
        if not config.remotes:
            return
        name = remotes.name_of(part.out.remote)
        if name in elsewhere:
            raise RemoteError(
                f"the remote '{name}' of '{self.url}' is a path relative to that repository",
                hint="name one that can be reached from here with --remote, or with --remote-config url=…",
            )
        yield remotes.open(name)


# --- parts in the cache ---------------------------------------------------------------------------


def has(objects: Objects, entry: Entry, inside: str | None) -> bool:
    """Whether the cache holds what is meant of ``entry``."""
    if entry.oid is None or not objects.has(entry.oid, entry.algo):
        return False
    if not tree.is_dir_oid(entry.oid):
        return True
    wanted = Wanted("", entry, inside)
    try:
        listing = listing_of(objects, entry.oid, entry.algo)
    except StoreError:
        return False
    return all(objects.has(oid, entry.algo) for name, oid in listing if wanted.takes(name))


def files_of(objects: Objects, entry: Entry, part: Part) -> dict[str, Oid]:
    """Name → oid of the files of a part that is in the cache; ``""`` for a part that is one file.

    Raises StoreError if the directory has nothing at ``part.inside``.
    """
    assert entry.oid is not None
    found: dict[str, Oid] = {}
    if tree.is_dir_oid(entry.oid):
        listing = listing_of(objects, entry.oid, entry.algo)
        if part.inside is None:
            return dict(listing)
        prefix = f"{part.inside}/"
        for name, oid in listing:
            if name == part.inside or name.startswith(prefix):
                found[name[len(prefix) :]] = oid
    elif part.inside is None:
        found[""] = entry.oid
    if not found:
        raise StoreError(
            f"'{part.inside}' is not in '{part.out.path}' of the other repository",
            hint="import the whole, and look what is there",
        )
    return found

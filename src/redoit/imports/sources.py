"""Where imported data come from: looked at, and got into the cache of this project."""

from __future__ import annotations

import contextlib
import os
import posixpath
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from redoit.errors import RedoitError, RemoteError, StoreError, TransferFailed
from redoit.imports.clone import Clones, find_repository
from redoit.imports.lfs import Pointer, fetch, pointer_of
from redoit.imports.other import Other, files_of, has
from redoit.imports.repository import Contents, Part, Repository
from redoit.imports.take import (
    Taken,
    is_as_recorded,
    keep_folder,
    look,
    same_record,
    send,
    take,
)
from redoit.model import Algo, Entry, Import, Oid, RepoPath
from redoit.project import Layout
from redoit.redact import redacted
from redoit.store.digests import Digests
from redoit.store.moved import Meter, Moved, SilentMeter, Wanted
from redoit.store.objects import Objects
from redoit.store.places import Place, is_url, open_place
from redoit.store.remotes import Remote
from redoit.store.transfer import download

_DEPTH = 8
"""So many repositories may import from one another."""


class _From(NamedTuple):
    """What an import is relative to: ``folder`` of its ``.dvc`` file, and ``folders`` for a repository's path."""

    folder: str
    folders: tuple[str, ...]
    depth: int = 0
    """How many repositories it was reached through."""


class Sources:
    """Gets imported data from where they come from; owns what of them has travelled in one command.

    ``cwd`` is the folder that the command was given in: a repository's relative path counts from there, as with DVC.
    ``algo``: by which digest the data are recorded, if not by the project's.
    """

    def __init__(
        self,
        layout: Layout,
        objects: Objects,
        meter: Meter | None = None,
        *,
        jobs: int = 0,
        cwd: str = "",
        algo: Algo | None = None,
    ) -> None:
        self._layout = layout
        self._algo = algo or layout.algo
        self._objects = objects
        self._meter = meter or SilentMeter()
        self._jobs = jobs
        self._cwd = cwd
        self._clones = Clones(layout)
        self.moved = Moved()

    def resolve(self, origin: Import, wdir: RepoPath, rev: str | None = None) -> Import:
        """``origin`` with what it stands for now: ``rev_lock`` of a repository, or what tells the content apart.

        The cache stays as it is. ``rev`` takes the place of the one recorded; of a file that a cloud keeps versions of
        it is one of these. Raises GitError, StoreError.
        """
        if origin.repo is None:
            place = self._place(origin, wdir, version=rev)
            return origin._replace(record=look(place, self._objects, self._algo, self._jobs))
        repo = dict(origin.repo)
        if rev is not None:
            repo["rev"] = rev
        url, path = find_repository(repo["url"], self._from(repo["url"], wdir).folders)
        with self._clones.commit(url, path, repo.get("rev")) as commit:
            repo["rev_lock"] = commit.rev
        return origin._replace(repo=repo)

    def has_news(self, origin: Import, wdir: RepoPath) -> bool:
        """Whether the source has another commit or content than is recorded; nothing is fetched that need not be read.

        Raises GitError, StoreError.
        """
        if origin.repo is None:
            now = self.resolve(origin, wdir).record
            return not same_record(now or {}, origin.record or {})
        url, _ = find_repository(origin.repo["url"], self._from(origin.repo["url"], wdir).folders)
        now_rev = self._clones.revision(url, origin.repo.get("rev"))
        return now_rev != origin.repo.get("rev_lock")

    def check(self, origin: Import, wdir: RepoPath) -> None:
        """Raise GitError if there is nothing at the path of a resolved import from a repository."""
        if origin.repo is not None:
            with self._repository(origin.repo, self._from(origin.repo["url"], wdir)) as repository:
                repository.contents(origin.path)

    def take(self, origin: Import, wdir: RepoPath) -> Taken:
        """Put the data of a resolved import into the cache; of a cloud that keeps versions those that are recorded.

        Raises GitError, StoreError, RemoteError, TransferFailed.
        """
        if origin.repo is not None:
            return Taken(
                self._from_repository(origin, origin.repo, self._from(origin.repo["url"], wdir))
            )
        return self._take(self._place(origin, wdir, recorded=True))

    def take_changed(
        self, origin: Import, wdir: RepoPath, version: str | None = None
    ) -> Taken | None:
        """Put the data that a URL names now into the cache; None if what was recorded of it still holds.

        ``version`` of a file that a cloud keeps versions of, by default the latest. Raises as ``take``.
        """
        place = self._place(origin, wdir, version=version)
        if is_as_recorded(place, origin.record or {}):
            return None
        taken = self._take(place)
        return None if same_record(taken.record or {}, origin.record or {}) else taken

    def send(self, origin: Import, wdir: RepoPath, remote: Remote) -> Taken:
        """Send data that a URL names to a remote; the cache stays as it is. Raises StoreError, RemoteError."""
        place = self._place(origin, wdir)
        return send(place, remote, self._objects, self._algo, jobs=self._jobs, meter=self._meter)

    def _from(self, url: str, wdir: RepoPath) -> _From:
        top, folder = self._layout.folder_for(url), self._layout.folder_for(url, wdir)
        return _From(folder, (self._cwd or top, top, folder))

    def _place(
        self, origin: Import, wdir: RepoPath, *, recorded: bool = False, version: str | None = None
    ) -> Place:
        return open_place(
            origin.path,
            self._layout.config,
            self._layout.folder_for(origin.path, wdir),
            origin.fs_config,
            recorded=origin.record if recorded else None,
            version=version,
        )

    def _take(self, place: Place) -> Taken:
        taken = take(place, self._objects, self._algo, jobs=self._jobs, meter=self._meter)
        self.moved.files += taken.entry.nfiles or 1
        self.moved.size += taken.entry.size or 0
        return taken

    # --- repositories -----------------------------------------------------------------------------

    @contextlib.contextmanager
    def _repository(self, repo: Mapping[str, str], here: _From) -> Iterator[Repository]:
        if here.depth > _DEPTH:
            raise StoreError(
                "the repositories import from one another in a circle",
                facts={"repository": redacted(repo["url"])},
                hint="import from the repository that has the data",
            )
        url, path = find_repository(repo["url"], here.folders)
        rev = repo.get("rev_lock") or repo.get("rev")
        with self._clones.commit(url, path, rev) as commit:
            repository = Repository(self._layout, commit, url)
            try:
                yield repository
            finally:
                repository.close()

    def _from_repository(self, origin: Import, repo: Mapping[str, str], here: _From) -> Entry:
        with self._repository(repo, here) as repository:
            contents = repository.contents(origin.path)
            other = Other(repository, origin.path, repo, here.folders[0])

            def get(name: str, pointer: Pointer, target: str) -> None:
                path = posixpath.join(origin.path, name) if name else origin.path
                fetch(self._layout, repository.url, path, pointer, target)

            return self._keep(other, contents, here, get)

    def _keep(
        self,
        other: Other,
        contents: Contents,
        here: _From,
        get: Callable[[str, Pointer, str], None],
    ) -> Entry:
        """Put what is imported into the cache, under digests of this project; ``get`` gets a file from Git LFS."""
        found: dict[str, Oid] = {}
        is_folder = contents.is_folder
        for part in contents.parts:
            named = self._bring(other, part, here)
            is_folder = is_folder or "" not in named
            for name, oid in named.items():
                found[posixpath.join(part.place, name) if name else part.place] = oid
        for name in contents.files:
            data = contents.read(name)
            pointer = pointer_of(data)
            if pointer is None:
                digests = self._objects.put_data(data, self._algo)
            else:
                digests = self._take_by(partial(get, name, pointer))
            found[name] = _known(digests.oid(self._algo))
            self.moved.files += 1
            self.moved.size += len(data) if pointer is None else pointer.size
        names = sorted(found)
        sizes = [os.stat(self._objects.path(found[name], self._algo)).st_size for name in names]
        if is_folder:
            oids = [found[name] for name in names]
            entry = keep_folder(names, oids, self._objects, self._algo)._replace(size=sum(sizes))
        else:
            entry = Entry("", found[""], self._algo, sizes[0])
        self._objects.sync()
        return entry

    def _take_by(self, get: Callable[[str], None]) -> Digests:
        """Put what ``get`` writes to a path into the cache. Raises as ``get``, and StoreError."""
        temporary = self._objects.temporary(self._algo)
        try:
            get(temporary)
            return self._objects.take(temporary, self._algo)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)

    def _bring(self, other: Other, part: Part, here: _From) -> dict[str, Oid]:
        """Put the files of a part into the cache: name (``""`` for a part that is one file) → oid by our digest."""
        entry = part.entry
        if entry.oid is None:  # it was imported there, but not downloaded
            entry = self._nested(other, part, here)
        elif not has(self._objects, entry, part.inside):
            self._download(other, part, here)
        named = files_of(self._objects, entry, part)
        if entry.algo is self._algo:
            return named
        return {
            name: _known(
                self._objects.put_file(self._objects.path(oid, entry.algo), self._algo).oid(
                    self._algo
                )
            )
            for name, oid in named.items()
        }

    def _download(self, other: Other, part: Part, here: _From) -> None:
        """Get a part from the other's cache, if that is on this machine, from its remote, or from where it has it.

        Raises TransferFailed, RemoteError, ConfigError.
        """
        wanted = [Wanted(other.name_of(part), part.entry, part.inside)]
        problem: RedoitError | None = None
        try:
            for remote in other.stores(part):
                moved = download(wanted, remote, self._objects, jobs=self._jobs, meter=self._meter)
                self.moved.files += moved.files
                self.moved.size += moved.size
                if has(self._objects, part.entry, part.inside):
                    return
                try:
                    moved.check(f"got from '{other.url}'")
                except TransferFailed as error:
                    problem = error
        except RemoteError as error:
            problem = error
        if part.stage.origin is not None:
            self._nested(other, part, here)
            if has(self._objects, part.entry, part.inside):
                return
        raise problem or RemoteError(
            f"the repository '{other.url}' does not say where its data are",
            facts={"data": part.out.path},
            hint="name a remote of its with --remote, or options for one with --remote-config",
        )

    def _nested(self, other: Other, part: Part, here: _From) -> Entry:
        """Get data that the other repository imports itself."""
        origin = part.stage.origin
        if origin is None:
            raise StoreError(
                f"'{part.out.path}' is not recorded in the other repository",
                facts={"stage": part.stage.address, "repository": other.url},
                hint="run its stage there, and commit the dvc.lock",
            )
        folder = posixpath.join(other.root, part.stage.wdir)
        algo = part.entry.algo if part.entry.oid is not None else self._algo
        nested = Sources(
            self._layout, self._objects, self._meter, jobs=self._jobs, cwd=self._cwd, algo=algo
        )
        nested.moved = self.moved
        if origin.repo is not None:
            where = _From(folder, (other.root, folder), here.depth + 1)
            return nested._from_repository(origin, origin.repo, where)
        if not other.is_here and not is_url(origin.path):
            raise StoreError(
                f"'{part.out.path}' was imported there from a path of another machine",
                facts={"repository": other.url, "path": origin.path},
                hint="push the data to that repository's remote",
            )
        config = other.configuration.config
        place = open_place(origin.path, config, folder, origin.fs_config, recorded=origin.record)
        return nested._take(place).entry


def _known(oid: Oid | None) -> Oid:
    assert oid is not None
    return oid

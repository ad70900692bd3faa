"""Objects sent to a remote and got from it: several at a time, each believed only when it is whole.

What is there already does not travel, so that a command that was cut off completes when it is given again. The
objects of a directory go before the object that names them.
"""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from redoit.errors import CorruptObject, MissingObject, StoreError
from redoit.model import Algo, Oid
from redoit.store import tree
from redoit.store.listings import listing_of
from redoit.store.moved import Failure, Meter, Moved, SilentMeter, Wanted
from redoit.store.moving import Altered, Moving, answer, asking, discard, jobs_for
from redoit.store.objects import Objects
from redoit.store.parallel import in_parallel
from redoit.store.remotes import Remote, check_writable, folder_name, object_name

_Key = tuple[Oid, Algo]


class _One(NamedTuple):
    """One object to move."""

    oid: Oid
    algo: Algo
    path: str
    size: int | None = None


class _Listed(NamedTuple):
    """A directory: its path, name and oid of each file, and its object if that is not in the cache, or damaged there."""

    path: str
    files: list[tuple[str, Oid]]
    came: bytes | None


Listings = dict[_Key, _Listed]


# --- getting --------------------------------------------------------------------------------------


def download(
    wanted: Iterable[Wanted],
    remote: Remote,
    objects: Objects,
    *,
    jobs: int = 0,
    meter: Meter | None = None,
) -> Moved:
    """Get what the cache lacks of these from ``remote``. What failed or is missing there is in the result.

    A directory's own object enters the cache when all of its files are there.
    """
    work = _Work(remote, objects, jobs, meter or SilentMeter())
    folders: dict[_Key, list[Wanted]] = {}
    files: dict[_Key, _One] = {}
    for each in wanted:
        path, entry, _ = each
        oid = entry.oid
        if oid is None or not tree.is_oid(oid):
            work.moved.failures.append(Failure(path, f"'{oid}' is no digest"))
        elif tree.is_dir_oid(oid):
            folders.setdefault((oid, entry.algo), []).append(each)
        elif not objects.has(oid, entry.algo):
            files[oid, entry.algo] = _One(oid, entry.algo, path, entry.size)
    listed = work.listings([same[0] for same in folders.values()])
    for key, (path, inner, _) in listed.items():
        for name, oid in inner:
            meant = any(each.takes(name) for each in folders[key])
            if meant and not objects.has(oid, key[1]):
                files.setdefault((oid, key[1]), _One(oid, key[1], f"{path}/{name}"))
    lost = work.get(list(files.values()), _size(files, folders, listed))
    for key, (path, inner, came) in listed.items():
        if came is not None and not any((oid, key[1]) in lost for _, oid in inner):
            _keep_listing(objects, came, key, work.moved, path)
    objects.sync()
    return work.moved


def _size(
    files: dict[_Key, _One], folders: dict[_Key, list[Wanted]], listed: Listings
) -> int | None:
    """Bytes of all ``files`` together; None if it is not known, as of a directory of which a part is wanted."""
    known = sum(one.size or 0 for one in files.values())
    unknown = {key for key, one in files.items() if one.size is None}
    for key, (_, inner, _) in listed.items():
        keys = {(oid, key[1]) for _, oid in inner}
        size = folders[key][0].entry.size
        if size is not None and len(keys) == len(inner) and keys <= unknown:
            known += size
            unknown -= keys
    return None if unknown else known


def _keep_listing(objects: Objects, data: bytes, key: _Key, moved: Moved, path: str) -> None:
    """Put the object of a directory into the cache, also over one that is damaged and as long."""
    try:
        objects.drop(*key)
        objects.put_tree(data, key[1])
    except StoreError as error:
        moved.failures.append(Failure(path, error.what))


class _Work(Moving):
    """Objects on their way between a remote and the cache."""

    def __init__(self, remote: Remote, objects: Objects, jobs: int, meter: Meter) -> None:
        super().__init__(remote, jobs, meter)
        self._objects = objects

    # --- from the remote --------------------------------------------------------------------------

    def listings(self, folders: Sequence[Wanted]) -> Listings:
        """The objects of these directories, from the cache or the remote."""
        found: Listings = {}

        def look(wanted: Wanted) -> None:
            path, entry, _ = wanted
            assert entry.oid is not None
            try:
                listed = self._listed(path, entry.oid, entry.algo)
            except StoreError as error:
                self.failed(path, error.what)
                return
            if listed is not None:
                with self._lock:
                    found[entry.oid, entry.algo] = listed

        in_parallel([partial(look, each) for each in folders], self.jobs)
        order = {(each.entry.oid, each.entry.algo): at for at, each in enumerate(folders)}
        return dict(sorted(found.items(), key=lambda item: order[item[0]]))

    def _listed(self, path: str, oid: Oid, algo: Algo) -> _Listed | None:
        """A directory by its object; None if that failed, which is noted. Raises CorruptObject."""
        with contextlib.suppress(StoreError):  # also what cannot be read is got anew
            return _Listed(path, listing_of(self._objects, oid, algo), None)
        data = self._came(path, oid, algo)
        if data is None:
            return None
        return _Listed(path, tree.decode(data, algo, object_name(oid, algo)), data)

    def _came(self, path: str, oid: Oid, algo: Algo) -> bytes | None:
        """The object of a directory from the remote; None if that failed, which is noted."""
        place = self._objects.temporary(algo)

        def get() -> bytes:
            self._remote.storage.get(object_name(oid, algo), place)
            with open(place, "rb") as file:
                data = file.read()
            if tree.dir_oid(data, algo) != oid:
                raise Altered(object_name(oid, algo))
            return data

        try:
            return self.tried(path, get)
        finally:
            discard(place)

    def get(self, wanted: Sequence[_One], size: int | None) -> set[_Key]:
        """Put these objects, of ``size`` bytes together, into the cache. Returns those that did not come."""
        lost: set[_Key] = set()

        def take(one: _One) -> None:
            place = self._objects.temporary(one.algo)

            def get() -> int:
                self._remote.storage.get(object_name(one.oid, one.algo), place)
                try:
                    return self._objects.adopt(place, one.oid, one.algo)
                except CorruptObject:
                    raise Altered(object_name(one.oid, one.algo)) from None

            size = None
            try:
                size = self.tried(one.path, get)
            finally:
                if size is None:
                    discard(place)
            if size is None:
                lost.add((one.oid, one.algo))
            else:
                self.arrived(size)

        self.each("get", take, wanted, size)
        return lost

    # --- to the remote ----------------------------------------------------------------------------

    def put(self, wanted: Sequence[_One]) -> set[_Key]:
        """Send these objects of the cache. Returns those that did not arrive."""
        lost: set[_Key] = set()

        def send(one: _One) -> None:
            place = self._objects.path(one.oid, one.algo)

            def put() -> int:
                self._remote.storage.put(place, object_name(one.oid, one.algo))
                return self._objects.find(one.oid, one.algo).size

            size = self.tried(one.path, put)
            if size is None:
                lost.add((one.oid, one.algo))
            else:
                self.arrived(size)

        size = sum(self._objects.find(one.oid, one.algo).size for one in wanted)
        self.each("send", send, wanted, size)
        return lost


# --- sending --------------------------------------------------------------------------------------


def upload(
    wanted: Iterable[Wanted],
    remote: Remote,
    objects: Objects,
    *,
    jobs: int = 0,
    meter: Meter | None = None,
) -> Moved:
    """Send what ``remote`` lacks of these. What failed, or is neither there nor in the cache, is in the result.

    Raises RemoteError if the remote takes nothing, or cannot be asked what it has.
    """
    check_writable(remote)
    work = _Work(remote, objects, jobs, meter or SilentMeter())
    files: dict[_Key, _One] = {}
    folders: dict[_Key, tuple[_One, list[Oid]]] = {}
    lost: set[_Key] = set()
    for path, entry, _ in wanted:
        oid, algo = entry.oid, entry.algo
        if oid is None or not tree.is_oid(oid):
            work.moved.failures.append(Failure(path, f"'{oid}' is no digest"))
        elif tree.is_dir_oid(oid):
            if not _expand(_One(oid, algo, path), objects, files, folders, work.moved):
                lost.add((oid, algo))
        else:
            files[oid, algo] = _One(oid, algo, path, entry.size)
    there = present({*files, *folders}, remote, work.jobs)
    ready: list[_One] = []
    for key, one in files.items():
        if key not in there:
            if objects.has(*key):
                ready.append(one)
            else:
                lost.add(key)
                work.moved.missing.append(one.path)
    lost |= work.put(ready)
    whole: list[_One] = []
    for key, (one, inner) in folders.items():
        if any((oid, key[1]) in lost for oid in inner):
            lost.add(key)
        elif key not in there and not objects.has(*key):
            lost.add(key)
            work.moved.missing.append(one.path)
        elif key not in there:
            whole.append(one)
    work.moved.lost = lost | work.put(whole)
    with asking(remote):
        remote.storage.finish()
    return work.moved


def _expand(
    folder: _One,
    objects: Objects,
    files: dict[_Key, _One],
    folders: dict[_Key, tuple[_One, list[Oid]]],
    moved: Moved,
) -> bool:
    """Note a directory and, where the cache has its object, its files. Whether that object is sound."""
    oid, algo, path, _ = folder
    inner: list[tuple[str, Oid]] = []
    try:
        inner = listing_of(objects, oid, algo)
    except MissingObject:  # the remote may have it
        pass
    except StoreError as error:
        moved.failures.append(Failure(path, error.what))
        return False
    for name, each in inner:
        files.setdefault((each, algo), _One(each, algo, f"{path}/{name}"))
    folders[oid, algo] = (folder, [each for _, each in inner])
    return True


def list_directories(
    wanted: Iterable[Wanted], remote: Remote, objects: Objects
) -> dict[_Key, list[Oid]]:
    """The files in these directories, by the objects of the cache or of ``remote``; those without a good one are left out."""
    listed = _Work(remote, objects, 0, SilentMeter()).listings(list(wanted))
    return {key: [oid for _, oid in each.files] for key, each in listed.items()}


# --- asking ---------------------------------------------------------------------------------------


def present(keys: Iterable[_Key], remote: Remote, jobs: int = 0) -> set[_Key]:
    """Those of these objects that ``remote`` has. Raises RemoteError if it cannot be asked.

    Objects whose names begin alike are asked for by one listing: 256 questions at most, however many objects.
    """
    groups: dict[tuple[str, Algo], list[Oid]] = defaultdict(list)
    for oid, algo in keys:
        groups[oid[:2], algo].append(oid)
    found: set[_Key] = set()
    lock = threading.Lock()
    storage = remote.storage

    def one(oid: Oid, algo: Algo) -> None:
        if answer(storage, partial(storage.size, object_name(oid, algo))) is not None:
            with lock:
                found.add((oid, algo))

    def group(prefix: str, algo: Algo, oids: Sequence[Oid]) -> None:
        listed = answer(storage, partial(storage.list, folder_name(prefix, algo)))
        names = {stored.name for stored in listed}
        with lock:
            found.update((oid, algo) for oid in oids if object_name(oid, algo) in names)

    questions: list[Callable[[], None]] = []
    for (prefix, algo), oids in groups.items():
        if storage.lists and len(oids) > 1:
            questions.append(partial(group, prefix, algo, oids))
        else:
            questions += [partial(one, oid, algo) for oid in oids]
    with asking(remote):
        in_parallel(questions, jobs_for(jobs, remote))
    return found

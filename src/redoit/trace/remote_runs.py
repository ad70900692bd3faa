"""The run cache in a remote: its entries come and go as they are, each checked before it is believed.

An entry that was refused or failed is left out and named at the end, as with all transfers.
"""

from __future__ import annotations

import os
from functools import partial

from redoit.store.moved import Meter, Moved, SilentMeter
from redoit.store.moving import Moving, answer, asking, discard
from redoit.store.objects import Objects
from redoit.store.remotes import Remote
from redoit.trace.runcache import RunCache, is_entry_name


def push_runs(runs: RunCache, remote: Remote, jobs: int, meter: Meter | None = None) -> Moved:
    """Send the entries of the run cache; their outs go as data, for an entry does not tell which are to stay.

    What failed is in the result. Raises RemoteError if the remote cannot be asked what it has.
    """
    storage = remote.storage
    with asking(remote):
        there = {stored.name for stored in answer(storage, partial(storage.list, runs.name))}
    new = {name: path for name, path in runs.entries().items() if name not in there}
    moving = Moving(remote, jobs, meter or SilentMeter())

    def send(name: str, path: str) -> None:
        def put() -> int:
            storage.put(path, name)
            return os.stat(path).st_size

        size = moving.tried(name, put)
        if size is not None:
            moving.arrived(size)

    size = sum(os.path.getsize(path) for path in new.values())
    moving.all("send", [partial(send, name, path) for name, path in new.items()], size)
    with asking(remote):
        storage.finish()
    return moving.moved


def fetch_runs(
    runs: RunCache,
    remote: Remote,
    objects: Objects,
    jobs: int,
    warnings: list[str],
    meter: Meter | None = None,
) -> Moved:
    """Get the entries of the run cache that are not here. What failed is in the result.

    Raises RemoteError if the remote cannot be asked what it has.
    """
    storage = remote.storage
    with asking(remote):
        listed = answer(storage, partial(storage.list, runs.name))
    here = runs.entries()
    new = {s.name: s.size for s in listed if is_entry_name(s.name) and s.name not in here}
    moving = Moving(remote, jobs, meter or SilentMeter())
    refused: list[str] = []

    def take(name: str) -> None:
        place = objects.temporary(runs.algo)

        def get() -> bool:
            storage.get(name, place)
            return runs.adopt(place, name)

        try:
            good = moving.tried(name, get)
            if good:
                moving.arrived(new[name])
            elif good is not None:
                refused.append(name)
        finally:
            discard(place)

    moving.all("get", [partial(take, name) for name in new], sum(new.values()))
    if refused:
        warnings.append(
            f"{len(refused)} entries of the run cache are not what their names say: left out"
        )
    return moving.moved

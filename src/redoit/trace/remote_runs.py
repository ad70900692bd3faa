"""The run cache in a remote: its entries come and go as they are, each checked before it is believed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from functools import partial

from redoit.store.moved import Moved
from redoit.store.objects import Objects
from redoit.store.parallel import in_parallel
from redoit.store.remotes import Remote
from redoit.store.transfer import asking, default_jobs
from redoit.trace.runcache import RunCache, is_entry_name


def push_runs(runs: RunCache, remote: Remote, jobs: int) -> Moved:
    """Send the entries of the run cache; their outs go as data, for an entry does not tell which are to stay."""
    moved = Moved()
    with asking(remote):
        there = {stored.name for stored in remote.storage.list(runs.name)}
        tasks = []
        for name, path in runs.entries().items():
            if name not in there:
                tasks.append(partial(remote.storage.put, path, name))
                moved.files += 1
                moved.size += os.path.getsize(path)
        in_parallel(tasks, jobs or remote.jobs or default_jobs())
        remote.storage.finish()
    return moved


def fetch_runs(
    runs: RunCache, remote: Remote, objects: Objects, jobs: int, warnings: list[str]
) -> Moved:
    """Get the entries of the run cache that are not here. Raises RemoteError."""
    with asking(remote):
        there = [s.name for s in remote.storage.list(runs.name) if is_entry_name(s.name)]
    here = runs.entries()
    moved = Moved()
    refused: list[str] = []

    def get(name: str) -> None:
        place = objects.temporary(runs.algo)
        try:
            remote.storage.get(name, place)
            size = os.path.getsize(place)
            if runs.adopt(place, name):
                moved.files += 1
                moved.size += size
            else:
                refused.append(name)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(place)

    tasks: list[Callable[[], None]] = [partial(get, name) for name in there if name not in here]
    with asking(remote):
        in_parallel(tasks, jobs or remote.jobs or default_jobs())
    if refused:
        warnings.append(
            f"{len(refused)} entries of the run cache are not what their names say: left out"
        )
    return moved

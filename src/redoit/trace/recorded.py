"""What a whole project records of its stages, read from its work tree or from a tree of Git."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from redoit.model import Address, Trace, address_of
from redoit.spec import Files, Index
from redoit.trace.lockfile import read_text
from redoit.trace.record import decode
from redoit.trace.traces import lock_path


def recorded_traces(
    files: Files, index: Index, locks: dict[str, Any]
) -> Iterator[tuple[Address, Trace]]:
    """Each stage with its trace: those of ``.dvc`` files, then those of every ``dvc.lock``.

    ``locks`` (path → what one reading taught the next) is brought up to date. Raises TraceError.
    """
    yield from index.recorded.items()
    for file in index.files:
        path = lock_path(file)
        try:
            text = files.read(path)
        except FileNotFoundError:
            continue
        lock = read_text(text, path, locks.get(path))
        locks[path] = lock.state()
        for name, record in lock.records.items():
            yield address_of(file, name), decode(record)

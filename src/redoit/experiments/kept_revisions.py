"""What commits say, kept between runs: a commit never changes, so it is read once."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from redoit.experiments.revision import Content, OutContent, Problem, Revision, Values
from redoit.project import Layout

if TYPE_CHECKING:
    import sqlite3

_FORMAT = 3
"""Raise it when reading a revision, or the form of a row, changes."""
_ONE_BY_ONE = 500
"""Revisions that are asked for by name; for more, the whole table is read."""
_TABLE = """
    CREATE TABLE IF NOT EXISTS revisions
    (reading TEXT, rev TEXT, row TEXT, PRIMARY KEY (reading, rev)) WITHOUT ROWID
"""

_T = TypeVar("_T")


class KeptRevisions:
    """Owns the SQLite file of revisions that were read before.

    Everything in it can be read again: a file that cannot be used is done without, a corrupt one thrown away.
    ``prefix`` is the project's folder in its repository.
    """

    def __init__(self, layout: Layout, prefix: str) -> None:
        config = layout.config
        self._path = os.path.join(layout.tmp, "revisions.db")
        self._reading = f"{_FORMAT}/{config.parsing_bool}/{config.parsing_list}/{prefix}"

    def get(self, revs: Iterable[str]) -> dict[str, Revision]:
        """The revisions of ``revs`` that are kept."""
        wanted = set(revs)
        if not wanted or not os.path.exists(self._path):
            return {}
        query = "SELECT rev, row FROM revisions WHERE reading = ?"
        values = [self._reading]
        if len(wanted) <= _ONE_BY_ONE:
            query += f" AND rev IN ({','.join('?' * len(wanted))})"
            values += wanted
        found: dict[str, Revision] = {}
        for rev, row in self._use(lambda db: db.execute(query, values).fetchall()) or ():
            if rev in wanted:
                with contextlib.suppress(ValueError, TypeError):  # a foreign row is as good as none
                    found[rev] = _read(rev, json.loads(row))
        return found

    def put(self, revisions: Iterable[Revision]) -> None:
        """Keep those of ``revisions`` that are final, and forget what another version has read."""
        rows = [
            (self._reading, each.rev, json.dumps(_row(each), separators=(",", ":")))
            for each in revisions
            if each.is_final
        ]

        def write(db: sqlite3.Connection) -> None:
            with db:
                db.execute(_TABLE)
                db.execute("DELETE FROM revisions WHERE reading != ?", (self._reading,))
                db.executemany("INSERT OR REPLACE INTO revisions VALUES (?, ?, ?)", rows)

        if rows:
            with contextlib.suppress(OSError):
                os.makedirs(os.path.dirname(self._path), exist_ok=True)
            self._use(write)

    def _use(self, work: Callable[[sqlite3.Connection], _T]) -> _T | None:
        """What ``work`` returns, or None if the file cannot be used."""
        import sqlite3

        try:
            with contextlib.closing(sqlite3.connect(self._path, timeout=2.0)) as db:
                db.execute("PRAGMA synchronous = OFF")
                return work(db)
        except sqlite3.OperationalError:  # busy, full, read-only, without the table: do without
            return None
        except sqlite3.DatabaseError:
            with contextlib.suppress(OSError):
                os.unlink(self._path)
            return None


def _row(revision: Revision) -> list[Any]:
    return [
        revision.time,
        revision.parent,
        revision.params,
        revision.tracked,
        revision.used,
        revision.metrics,
        revision.deps,
        revision.outs,
        revision.problem,
    ]


def _read(rev: str, row: list[Any]) -> Revision:
    time, parent, params, tracked, used, metrics, deps, outs, problem = row
    return Revision(
        rev,
        time,
        parent,
        {path: _values(values) for path, values in params.items()},
        {path: tuple(keys) for path, keys in tracked.items()},
        used,
        {path: _values(values) for path, values in metrics.items()},
        {path: Content(*content) for path, content in deps.items()},
        {path: OutContent(*content) for path, content in outs.items()},
        Problem(*problem) if problem else None,
    )


def _values(row: list[Any]) -> Values:
    data, problem = row
    return Values(data, Problem(*problem) if problem else None)

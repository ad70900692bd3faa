"""The database of the stat cache: its tables, and what is done when it does not work.

Everything in it can be found out again, so nothing about it is fatal: a database that is corrupt
or of another version is thrown away, one that cannot be read or written is done without.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from redoit.files import locked

if TYPE_CHECKING:
    import sqlite3

_VERSION = 2
_TABLES = """
    CREATE TABLE files (path TEXT PRIMARY KEY, ino INT, size INT, mtime INT,
                        fp TEXT, md5 TEXT, d2u TEXT) WITHOUT ROWID;
    CREATE TABLE dirs (path TEXT PRIMARY KEY, sig TEXT, size INT, nfiles INT, newest INT,
                       fp TEXT, md5 TEXT, d2u TEXT) WITHOUT ROWID;
    CREATE TABLE trees (path TEXT PRIMARY KEY, names BLOB, stamps BLOB,
                        fps TEXT, md5s TEXT, d2us TEXT);
    CREATE TABLE content (fp TEXT PRIMARY KEY, md5 TEXT, d2u TEXT) WITHOUT ROWID;
    CREATE INDEX content_md5 ON content (md5);
    CREATE INDEX content_d2u ON content (d2u);
    CREATE TABLE wholes (oid TEXT UNIQUE, times BLOB, sizes BLOB);
    CREATE TABLE session (boot TEXT, written INT);
"""
# After the machine went down hard, files written this long before the last write may be torn.
_DOUBTFUL_NS = 120 * 1_000_000_000

_T = TypeVar("_T")


class StatDatabase:
    """Owns the connection, which is made when it is needed. Its user sees to it that one thread at a time asks."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._usable = True

    def ask(
        self, use: Callable[[sqlite3.Connection], _T], otherwise: _T, *, create: bool = False
    ) -> _T:
        """``use`` the database; ``otherwise`` if there is none or it does not work."""
        if not self._usable or (
            self._connection is None and not create and not os.path.exists(self._path)
        ):
            return otherwise
        import sqlite3

        for _ in range(2):
            try:
                if self._connection is None:
                    self._connection = _connect(self._path)
                return use(self._connection)
            except sqlite3.OperationalError:  # busy, full, read-only: do without
                self._usable = False
                return otherwise
            except (sqlite3.Error, _Foreign, OSError):
                self._discard()
        self._usable = False
        return otherwise

    def _discard(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                os.unlink(self._path + suffix)

    def close(self) -> None:
        """Let go of the database. Asking again opens it again."""
        if self._connection is not None:
            with contextlib.suppress(Exception):
                self._connection.close()
            self._connection = None


class _Foreign(Exception):
    """A database of another version."""


def _connect(path: str) -> sqlite3.Connection:
    import sqlite3

    os.makedirs(os.path.dirname(path), exist_ok=True)
    db = sqlite3.connect(path, timeout=30.0, isolation_level=None, check_same_thread=False)
    try:
        if not _is_ours(db):
            # One after the other: switching to WAL does not wait for another process.
            with locked(f"{path}.lock"):
                if not _is_ours(db):
                    db.execute("PRAGMA journal_mode = WAL")
                    db.executescript(
                        f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {_VERSION}; COMMIT"
                    )
        db.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        db.close()
        raise
    return db


def _is_ours(db: sqlite3.Connection) -> bool:
    """Whether the database has our tables; False if it has none. Raises _Foreign for others."""
    # In this order: another process may make them between the two questions.
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version == _VERSION:
        return True
    if version or tables:
        raise _Foreign
    return False


def note_session(db: sqlite3.Connection) -> None:
    """Remember when it was last written, and since which start of the machine."""
    db.execute("DELETE FROM session")
    db.execute("INSERT INTO session VALUES (?,?)", (_boot(), time.time_ns()))


def drop_doubtful(db: sqlite3.Connection) -> None:
    """Forget what was written in the last minutes before the machine started anew.

    After a power cut a file may have its new stamp without its new content.
    """
    row = db.execute("SELECT boot, written FROM session").fetchone()
    if row is None or row[0] == _boot():
        return
    doubtful = (int(row[1]) - _DOUBTFUL_NS,)
    db.execute("BEGIN IMMEDIATE")
    db.execute("DELETE FROM files WHERE mtime >= ?", doubtful)
    db.execute("DELETE FROM dirs WHERE newest >= ?", doubtful)
    db.execute("DELETE FROM trees")
    db.execute("DELETE FROM wholes")
    db.execute("UPDATE session SET boot = ?", (_boot(),))
    db.execute("COMMIT")


def _boot() -> str:
    """Names the time since the machine started."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:  # not Linux: one can only hope
        return ""

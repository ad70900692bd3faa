"""The stat cache: what was found out about paths before, kept in SQLite between runs.

Everything in it can be found out again.

    files    path → stamp, digests               loaded whole, at the first question
    dirs     path → signature, oids, size        loaded whole, at the first question
    trees    path → names, stamps and digests of the files in a directory; read one by one
    content  fingerprint → md5, for files so large that md5 is worth avoiding; read one by one
    wholes   oid of a large directory → when the folders of the cache changed, as it held all of it; read one by one
"""

from __future__ import annotations

import contextlib
import os
import threading
from array import array
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from redoit.model import Algo, Fingerprint, Oid, RepoPath
from redoit.project import Layout
from redoit.store.digests import Digests
from redoit.store.scan import Stamp, joined, packed, split, unpacked
from redoit.store.statdb import StatDatabase, drop_doubtful, note_session

if TYPE_CHECKING:
    import sqlite3

_PUT_CONTENT = """
    INSERT INTO content VALUES (?,?,?) ON CONFLICT (fp) DO UPDATE
    SET md5 = coalesce(excluded.md5, md5), d2u = coalesce(excluded.d2u, d2u)
"""
_KEEP_WHOLES = """
    DELETE FROM wholes WHERE rowid <= (SELECT max(rowid) FROM wholes) - 500
"""
"""Of those that were asked about last, so many are kept; each takes 4 KiB."""
_COLUMN = {Algo.MD5: "md5", Algo.MD5_DOS2UNIX: "d2u"}

_FOLDERS = 256
"""Of a cache."""


class FileRow(NamedTuple):
    """A file as it was: while it has that stamp, it has these digests."""

    stamp: Stamp
    digests: Digests


class DirRow(NamedTuple):
    """A directory as it was: while it has that signature, it has these oids (with ``.dir``)."""

    signature: str
    size: int
    nfiles: int
    newest: int
    oids: Digests


class TreeRow(NamedTuple):
    """The files of a directory as they were; ``stamps`` of files not to be trusted are UNKNOWN."""

    names: list[str]
    stamps: list[Stamp]
    digests: list[Digests]


class WholeRow(NamedTuple):
    """A directory that the cache held whole: of each of its 256 folders the change time in ns, and the bytes of all
    files of the directory that lie in it.
    """

    times: list[int]
    sizes: list[int]


class StatCache:
    """Owns the database and the rows that this run found out; safe to use from any thread."""

    def __init__(self, layout: Layout) -> None:
        self._database = StatDatabase(os.path.join(layout.tmp, "stat.db"))
        self._lock = threading.RLock()
        self._loaded = False
        self._files: dict[str, FileRow] = {}
        self._dirs: dict[str, DirRow] = {}
        self._new_files: dict[str, FileRow | None] = {}
        self._new_dirs: dict[str, tuple[DirRow | None, TreeRow]] = {}
        self._gone_dirs: set[str] = set()
        self._new_content: dict[Fingerprint, Digests] = {}
        self._new_oids: dict[Oid, Fingerprint] = {}
        self._new_wholes: dict[str, WholeRow | None] = {}

    # --- reading ----------------------------------------------------------------------------------

    def file(self, path: RepoPath) -> FileRow | None:
        """What is known of the file at ``path``; its stamp must be compared."""
        if not self._loaded:
            self._load()
        return self._files.get(path)

    def dir(self, path: RepoPath) -> DirRow | None:
        """What is known of the directory at ``path``; its signature must be compared."""
        if not self._loaded:
            self._load()
        return self._dirs.get(path)

    def tree(self, path: RepoPath) -> TreeRow | None:
        """What is known of the files in the directory at ``path``; each stamp must be compared."""
        with self._lock:
            if path in self._new_dirs:
                return self._new_dirs[path][1]
            sql = "SELECT names, stamps, fps, md5s, d2us FROM trees WHERE path = ?"
            row = self._database.ask(lambda db: db.execute(sql, (path,)).fetchone(), None)
        if row is None:
            return None
        with contextlib.suppress(ValueError, TypeError):
            names, stamps = split(row[0]), unpacked(row[1])
            columns = [_cut(text, len(names)) for text in row[2:]]
            return TreeRow(names, stamps, [Digests(*each) for each in zip(*columns, strict=True)])
        return None

    def known(self, fingerprint: Fingerprint) -> Digests | None:
        """The other digests of large content with this fingerprint."""
        with self._lock:
            new = self._new_content.get(fingerprint)
            if new is not None:
                return new
            sql = "SELECT fp, md5, d2u FROM content WHERE fp = ?"
            row = self._database.ask(lambda db: db.execute(sql, (fingerprint,)).fetchone(), None)
        return None if row is None else Digests(*row)

    def fingerprint_of(self, oid: Oid, algo: Algo) -> Fingerprint | None:
        """The fingerprint of large content with this oid, if it was ever seen."""
        if algo is Algo.XXH128:
            return Fingerprint(oid)
        with self._lock:
            if oid in self._new_oids:
                return self._new_oids[oid]
            sql = f"SELECT fp FROM content WHERE {_COLUMN[algo]} = ?"
            row = self._database.ask(lambda db: db.execute(sql, (oid,)).fetchone(), None)
        return None if row is None else Fingerprint(row[0])

    def whole(self, oid: Oid, algo: Algo) -> WholeRow | None:
        """How the cache was when it held all of this directory."""
        key = f"{algo.value}:{oid}"
        with self._lock:
            if key in self._new_wholes:
                return self._new_wholes[key]
            if not self._loaded:
                self._load()
            sql = "SELECT times, sizes FROM wholes WHERE oid = ?"
            row = self._database.ask(lambda db: db.execute(sql, (key,)).fetchone(), None)
        if row is not None:
            with contextlib.suppress(ValueError, TypeError):
                times, sizes = (array("q", column).tolist() for column in row)
                if len(times) == len(sizes) == _FOLDERS:
                    return WholeRow(times, sizes)
        return None

    # --- learning ---------------------------------------------------------------------------------

    def put_file(self, path: RepoPath, row: FileRow) -> None:
        """Remember a file whose stamp can be trusted."""
        with self._lock:
            self._files[path] = row
            self._new_files[path] = row

    def put_dir(self, path: RepoPath, row: DirRow | None, tree: TreeRow) -> None:
        """Remember a directory; ``row`` is None when some of its stamps cannot be trusted."""
        with self._lock:
            if row is None:
                self._dirs.pop(path, None)
            else:
                self._dirs[path] = row
            self._new_dirs[path] = (row, tree)
            self._gone_dirs.discard(path)

    def learn(self, digests: Digests) -> None:
        """Remember that these digests are of the same large content."""
        fingerprint = digests.fingerprint
        if fingerprint is None or (digests.md5 is None and digests.dos2unix is None):
            return
        with self._lock:
            old = self._new_content.get(fingerprint)
            self._new_content[fingerprint] = digests if old is None else digests.merged(old)
            for oid in (digests.md5, digests.dos2unix):
                if oid is not None:
                    self._new_oids[oid] = fingerprint

    def put_whole(self, oid: Oid, algo: Algo, row: WholeRow | None) -> None:
        """Remember that the cache holds all of a directory; or with None that it does not."""
        with self._lock:
            self._new_wholes[f"{algo.value}:{oid}"] = row

    def forget(self, path: RepoPath) -> None:
        """Know nothing about ``path`` any more: its content must be read again."""
        with self._lock:
            if not self._loaded:
                self._load()
            if self._files.pop(path, None) is not None or path in self._new_files:
                self._new_files[path] = None
            self._dirs.pop(path, None)
            self._new_dirs.pop(path, None)
            self._gone_dirs.add(path)

    # --- the database -----------------------------------------------------------------------------

    def write(self) -> None:
        """Put what was learnt into the database, in one transaction. Never fails."""
        with self._lock:
            if not any(self._news()):
                return
            if not self._loaded:  # an older database must be recognised first
                self._load()
            self._database.ask(self._write, None, create=True)
            for news in self._news():
                news.clear()

    def _news(self) -> tuple[dict[Any, Any] | set[str], ...]:
        """All that the database does not have yet."""
        return (
            self._new_files,
            self._new_dirs,
            self._gone_dirs,
            self._new_content,
            self._new_wholes,
        )

    def _write(self, db: sqlite3.Connection) -> None:
        put = [(p, *r.stamp, *r.digests) for p, r in self._new_files.items() if r is not None]
        gone = [(path,) for path, row in self._new_files.items() if row is None]
        dirs = [
            (path, row.signature, row.size, row.nfiles, row.newest, *row.oids)
            for path, (row, _) in self._new_dirs.items()
            if row is not None
        ]
        lost = [(path,) for path, (row, _) in self._new_dirs.items() if row is None]
        lost += [(path,) for path in self._gone_dirs]
        trees = [(path, *_columns(tree)) for path, (_, tree) in self._new_dirs.items()]
        content = [tuple(digests) for digests in self._new_content.values()]
        broken = [(key,) for key, row in self._new_wholes.items() if row is None]
        wholes = [
            (key, *(array("q", column).tobytes() for column in row))
            for key, row in self._new_wholes.items()
            if row is not None
        ]
        with db:
            db.execute("BEGIN IMMEDIATE")
            db.executemany("DELETE FROM files WHERE path = ?", _storable(gone))
            db.executemany("DELETE FROM dirs WHERE path = ?", _storable(lost))
            db.executemany("DELETE FROM trees WHERE path = ?", _storable(lost))
            db.executemany("REPLACE INTO files VALUES (?,?,?,?,?,?,?)", _storable(put))
            db.executemany("REPLACE INTO dirs VALUES (?,?,?,?,?,?,?,?)", _storable(dirs))
            db.executemany("REPLACE INTO trees VALUES (?,?,?,?,?,?)", _storable(trees))
            db.executemany(_PUT_CONTENT, content)
            db.executemany("DELETE FROM wholes WHERE oid = ?", broken)
            db.executemany("REPLACE INTO wholes VALUES (?,?,?)", wholes)
            if wholes:
                db.execute(_KEEP_WHOLES)
            note_session(db)

    def close(self) -> None:
        """Write and let go of the database. Asking again opens it again."""
        with self._lock:
            self.write()
            self._database.close()

    def _load(self) -> None:
        with self._lock:
            if self._loaded:
                return
            rows = self._database.ask(_read_all, None)
            if rows is not None:
                files, dirs = rows
                self._files = files | self._files
                self._dirs = dirs | self._dirs
            self._loaded = True


def _read_all(db: sqlite3.Connection) -> tuple[dict[str, FileRow], dict[str, DirRow]]:
    drop_doubtful(db)
    files = {
        row[0]: FileRow(row[1:4], Digests(row[4], row[5], row[6]))
        for row in db.execute("SELECT path, ino, size, mtime, fp, md5, d2u FROM files")
    }
    dirs = {
        row[0]: DirRow(row[1], row[2], row[3], row[4], Digests(row[5], row[6], row[7]))
        for row in db.execute("SELECT path, sig, size, nfiles, newest, fp, md5, d2u FROM dirs")
    }
    return files, dirs


def _storable(rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Without paths that are not UTF-8, which SQLite cannot hold."""
    return (row for row in rows if row[0].isascii() or _is_utf8(row[0]))


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


_NONE = "-" * 32


def _columns(tree: TreeRow) -> tuple[Any, ...]:
    texts = (
        "".join([digest[column] or _NONE for digest in tree.digests])
        if any(digest[column] for digest in tree.digests)
        else None
        for column in range(3)
    )
    return (joined(tree.names), packed(tree.stamps), *texts)


def _cut(text: str | None, count: int) -> list[str | None]:
    """Digests that stand one after the other, 32 characters each."""
    if text is None:
        return [None] * count
    if len(text) != 32 * count:
        raise ValueError("the columns of a tree have different lengths")
    digests: list[str | None] = [text[start : start + 32] for start in range(0, len(text), 32)]
    return digests if _NONE not in text else [None if d == _NONE else d for d in digests]

"""The queue's database: SQLite in ``.dvc/tmp/redoit/queue.db``, for any number of processes at a time.

tasks      one row a task; worker and attempt are the lease of the one who runs it
workers    one row a worker process; it lives as long as it holds the lock of its file
durations  stage → seconds its last run took, for estimates
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from redoit.errors import QueueError
from redoit.model import Request
from redoit.project import Layout
from redoit.queue.task import Order, State, Stop, Task

if TYPE_CHECKING:
    import sqlite3

VERSION = 1
_TABLES = """
    CREATE TABLE tasks (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, baseline TEXT NOT NULL,
        start TEXT NOT NULL, ref TEXT NOT NULL, ordered TEXT NOT NULL, state TEXT NOT NULL,
        created REAL NOT NULL, attempt INT NOT NULL DEFAULT 0, worker TEXT, started REAL, ended REAL,
        stage TEXT, stage_since REAL, waiting INT NOT NULL DEFAULT 0, done INT NOT NULL DEFAULT 0,
        planned INT NOT NULL DEFAULT 0, rev TEXT, error TEXT, alone INT NOT NULL DEFAULT 0, stop TEXT);
    CREATE INDEX tasks_state ON tasks (state, id);
    CREATE TABLE workers (
        id TEXT PRIMARY KEY, pid INT NOT NULL, beat REAL NOT NULL, alone INT NOT NULL,
        guard INT NOT NULL DEFAULT 0, stopping INT NOT NULL DEFAULT 0) WITHOUT ROWID;
    CREATE TABLE durations (stage TEXT PRIMARY KEY, seconds REAL NOT NULL) WITHOUT ROWID;
"""
_COLUMNS = (
    "id, name, baseline, start, ref, ordered, state, created, attempt, worker, started, ended, "
    "stage, stage_since, waiting, done, planned, rev, error, alone"
)
_BUSY = 30.0
"""Seconds to wait for another process that writes."""


class Database:
    """One connection to the queue of a project, for one thread at a time. To be closed.

    Raises QueueError for a database that cannot be used, from any method.
    """

    def __init__(self, layout: Layout) -> None:
        self._path = os.path.join(layout.tmp, "queue.db")
        self._connection = _opened(self._path)

    def close(self) -> None:
        self._connection.close()

    @contextlib.contextmanager
    def change(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """A transaction that no other process writes in; undone if the block raises.

        One that is not ``durable`` may be forgotten if the machine itself goes down.
        """
        import sqlite3

        try:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                if self._connection.in_transaction:  # after some errors SQLite has undone it itself
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise _unusable(self._path, error) from error

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """The rows of a query."""
        import sqlite3

        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise _unusable(self._path, error) from error

    # --- tasks ----------------------------------------------------------------------------------------

    def tasks(self, *states: State, names: Iterable[str] = ()) -> list[Task]:
        """All tasks, or those in these states and with these names, the oldest first."""
        wanted = list(names)
        where = [f"state IN ({_marks(states)})"] if states else []
        where += [f"name IN ({_marks(wanted)})"] if wanted else []
        clause = f"WHERE {' AND '.join(where)}" if where else ""
        values = [*(state.value for state in states), *wanted]
        rows = self.rows(f"SELECT {_COLUMNS} FROM tasks {clause} ORDER BY id", values)
        return _tasks(rows)

    def task(self, task_id: int) -> Task | None:
        """The task with this id."""
        rows = self.rows(f"SELECT {_COLUMNS} FROM tasks WHERE id = ?", (task_id,))
        return _tasks(rows)[0] if rows else None

    def add(self, orders: Sequence[Order], *, worker: str | None = None) -> list[int]:
        """Put orders at the end of the queue; with ``worker``, they run at once there. Returns their ids."""
        now = time.time()
        ids = []
        with self.change() as connection:
            for order in orders:
                state = State.QUEUED if worker is None else State.RUNNING
                cursor = connection.execute(
                    "INSERT INTO tasks (name, baseline, start, ref, ordered, state, created, worker, "
                    "started, attempt, alone) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                    (
                        *(order.name, order.baseline, order.start, order.ref, _packed(order)),
                        *(state.value, now, worker, None if worker is None else now),
                        *(int(worker is not None), int(worker is not None)),
                    ),
                )
                assert cursor.lastrowid is not None
                ids.append(cursor.lastrowid)
        return ids

    def names_taken(self, baseline: str) -> set[str]:
        """Names that experiments on a baseline will get: of tasks that wait or run."""
        rows = self.rows(
            "SELECT name FROM tasks WHERE baseline = ? AND state IN (?, ?)",
            (baseline, State.QUEUED.value, State.RUNNING.value),
        )
        return {row[0] for row in rows}

    def progress(self, task: Task, **values: Any) -> None:
        """Note how far a task has come; nothing happens if its lease is gone."""
        names = ", ".join(f"{name} = ?" for name in values)
        with self.change(durable=False) as connection:
            connection.execute(
                f"UPDATE tasks SET {names} WHERE id = ? AND worker IS ? AND attempt = ?",
                (*values.values(), task.id, task.worker, task.attempt),
            )

    def holds(self, connection: sqlite3.Connection, task: Task) -> bool:
        """Whether the lease under which ``task`` was taken is still the one that counts."""
        query = "SELECT 1 FROM tasks WHERE id = ? AND worker IS ? AND attempt = ? AND state = ?"
        values = (task.id, task.worker, task.attempt, State.RUNNING.value)
        return connection.execute(query, values).fetchone() is not None

    def stop_of(self, task_id: int) -> Stop | None:
        """Whether and how a task that runs is to be ended."""
        rows = self.rows("SELECT stop FROM tasks WHERE id = ?", (task_id,))
        return Stop(rows[0][0]) if rows and rows[0][0] else None

    # --- durations ------------------------------------------------------------------------------------

    def durations(self) -> dict[str, float]:
        """Stage → seconds of its last run."""
        return dict(self.rows("SELECT stage, seconds FROM durations"))

    def learn(self, durations: Iterable[tuple[str, float]]) -> None:
        """Remember how long stages took."""
        with self.change(durable=False) as connection:
            connection.executemany("INSERT OR REPLACE INTO durations VALUES (?, ?)", durations)

    def version(self) -> int:
        """A number that changes when another process has changed something."""
        return int(self.rows("PRAGMA data_version")[0][0])


def has_queue(layout: Layout) -> bool:
    """Whether the project ever had a queue: without one, there is nothing to look up."""
    return os.path.exists(os.path.join(layout.tmp, "queue.db"))


def _opened(path: str) -> sqlite3.Connection:
    import sqlite3

    os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        _create(path)
        connection = sqlite3.connect(
            path, timeout=_BUSY, isolation_level=None, check_same_thread=False
        )
        if not _is_current(connection):
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            if not _is_current(connection):  # another process may have made it meanwhile
                for statement in _TABLES.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
    except (sqlite3.Error, OSError) as error:
        raise _unusable(path, error) from error
    return connection


def _create(path: str) -> None:
    """Make the file, with the permissions that the umask leaves: SQLite itself lets nobody else write it.

    Only if there is none: to close a file drops all locks that the process has on it, SQLite's too.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))


def _is_current(connection: sqlite3.Connection) -> bool:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, VERSION):
        raise QueueError(
            "the queue was made by another version of Redoit",
            facts={"its version": version, "known": VERSION},
            hint="finish it with that version, or delete .dvc/tmp/redoit/queue.db to give it up",
        )
    return bool(version)


def _unusable(path: str, error: Exception) -> QueueError:
    return QueueError(
        "the queue's database cannot be used",
        facts={"file": path, "because": error},
        hint="make it readable and writable; delete it to give up all that is queued",
    )


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def _packed(order: Order) -> str:
    return json.dumps(
        {
            "request": {k: v for k, v in order.request._asdict().items() if v != _DEFAULTS[k]},
            "message": order.message,
            "replace": order.replace,
            "overrides": order.overrides,
            "copied": order.copied,
            "copies": order.copies,
        }
    )


_DEFAULTS = Request()._asdict()


def _tasks(rows: Sequence[Any]) -> list[Task]:
    # One text is parsed in half of the time that its parts take.
    orders = json.loads(f"[{','.join(row[5] for row in rows)}]")
    return [_task(row, more) for row, more in zip(rows, orders, strict=True)]


def _task(row: Any, more: Any) -> Task:
    task_id, name, baseline, start, ref, _, state, created, attempt, worker = row[:10]
    started, ended, stage, stage_since, waiting, done, planned, rev, error, alone = row[10:]
    request = dict(more["request"])
    if "targets" in request:
        request["targets"] = tuple(request["targets"])
    order = Order(
        name,
        baseline,
        start,
        ref,
        Request(**request),
        more["message"],
        more["replace"],
        tuple((file, tuple(texts)) for file, texts in more["overrides"]),
        tuple(more["copied"]),
        more["copies"],
    )
    return Task(
        task_id,
        order,
        State(state),
        created,
        attempt,
        worker,
        started,
        ended,
        stage,
        stage_since,
        bool(waiting),
        done,
        planned,
        rev,
        error,
        bool(alone),
    )

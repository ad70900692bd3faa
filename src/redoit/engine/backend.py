"""doit's database is ``dvc.lock`` and its journal.

doit loads every backend plug-in on each of its commands, in any project: this module imports nothing slow.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Protocol

from redoit.errors import TraceError
from redoit.files import write_atomic
from redoit.model import Entry, RepoPath, Trace

TRACE = "trace"
"""Key under which a task's values carry the trace of the stage that just ran."""


class Records(Protocol):
    """The traces, by task name: what the backend needs of a session."""

    def entries(self, task: str) -> Mapping[RepoPath, Entry] | None:
        """Path of dep → its entry in the stage's last trace; None if the stage never ran."""

    def record(self, task: str, trace: Trace) -> None:
        """A stage has just ended well."""

    def forget(self, task: str) -> None:
        """Drop the stage's trace."""

    def forget_all(self) -> None:
        """Drop every trace."""

    def close(self) -> None:
        """The run is over: write what was recorded."""


class TraceBackend:
    """Answers doit's questions from the traces that ``bind`` gives it; owns the marks of ``doit ignore``."""

    desc = "dvc.lock and a journal, for the tasks of redoit.dodo"

    def __init__(self, name: str, codec: object = None, module_name: str | None = None) -> None:
        self.name = name
        self._records: Records | None = None
        # doit asks once for each dep of a task, one task after the other.
        self._task = ""
        self._entries: Mapping[RepoPath, Entry] = {}
        self._ignored: dict[str, str] | None = None
        self._changed = False

    def bind(self, records: Records) -> None:
        """Say whose traces these are; must come before the first stage is checked."""
        self._records = records

    def get(self, task_id: str, dependency: str) -> Any:
        """The entry of a dep in the task's trace, or None."""
        if task_id != self._task:
            self._entries = (self._records.entries(task_id) if self._records else None) or {}
            self._task = task_id
        entry = self._entries.get(dependency)  # type: ignore[call-overload]
        if entry is None and dependency == "ignore:":
            # Of doit's own notes ('checker:', 'deps:', 'result:', '_values_:') the only one that is kept:
            # what a trace says about command and deps is compared by the tasks themselves.
            return self._marks().get(task_id)
        return entry

    def set(self, task_id: str, dependency: str, value: Any) -> None:
        """doit saves a success: the trace comes with the task's values. The rest needs no saving."""
        if dependency == "_values_:":
            trace = value.get(TRACE) if value else None
            self._task = ""
            if trace is not None:
                self._bound().record(task_id, trace)
        elif dependency == "ignore:":
            self._marks()[task_id] = value
            self._changed = True

    def in_(self, task_id: str) -> bool:
        """Whether the stage has a trace."""
        return self._records is not None and self._records.entries(task_id) is not None

    def remove(self, task_id: str) -> None:
        """``doit forget TASK``."""
        self._task = ""
        self._bound().forget(task_id)
        if self._marks().pop(task_id, None):
            self._changed = True

    def remove_all(self) -> None:
        """``doit forget --all``."""
        self._task = ""
        self._bound().forget_all()
        self._marks().clear()
        self._changed = True

    def dump(self) -> None:
        """doit closes its database."""
        if self._changed:
            write_atomic(self._marks_path, json.dumps(self._marks()).encode())
        if self._records is not None:
            self._records.close()

    def _bound(self) -> Records:
        if self._records is None:
            raise TraceError(
                "doit's backend 'redoit' has no project",
                hint="it works for the tasks of redoit.dodo only: copy dodo_template.py as dodo.py",
            )
        return self._records

    @property
    def _marks_path(self) -> str:
        return self.name + "-ignored.json"

    def _marks(self) -> dict[str, str]:
        if self._ignored is None:
            try:
                with open(self._marks_path, "rb") as file:
                    self._ignored = dict(json.loads(file.read()))
            except (OSError, ValueError, TypeError):
                self._ignored = {}
        return self._ignored


def database_name(tmp: str) -> str:
    """What doit's ``dep_file`` is for the project whose local state is in ``tmp``."""
    return os.path.join(tmp, "doit")

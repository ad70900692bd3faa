"""A session's traces under the names of doit's tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from redoit.engine.session import Session
from redoit.engine.tasks import stage_address
from redoit.model import Address, Entry, RepoPath, Trace
from redoit.profile import Phase, Phases, Unprofiled


class SessionRecords:
    """What the backend asks of a session."""

    def __init__(
        self, session: Session, order: Sequence[Address], profile: Phases | None = None
    ) -> None:
        self._session = session
        self._order = order
        self._profile = profile or Unprofiled()

    def entries(self, task: str) -> Mapping[RepoPath, Entry] | None:
        stage = self._session.graph.stages.get(stage_address(task))
        return self._session.dep_entries(stage) if stage else None

    def record(self, task: str, trace: Trace) -> None:
        with self._profile.phase(Phase.JOURNAL):
            self._session.record(self._session.graph.stages[stage_address(task)], trace)

    def forget(self, task: str) -> None:
        self._session.traces.forget(stage_address(task))

    def forget_all(self) -> None:
        for address, stage in self._session.graph.stages.items():
            if not stage.is_data:
                self._session.traces.forget(address)

    def close(self) -> None:
        with self._profile.phase(Phase.RECORD):
            self._session.close(self._order)

"""Where the time of a run goes, for those who ask."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from enum import Enum
from typing import NamedTuple, Protocol


class Phase(Enum):
    """What a run may be busy with, in the order in which it comes up; the value says it to users."""

    START = "Python starts and loads the program (CPU time)"
    GIT = "Git is asked: HEAD, names, untracked files"
    PARAMS = "-S and Hydra: params are changed"
    LOAD = "dvc.yaml, dvc.lock and what was kept of them are read"
    PLAN = "stages are chosen, and become tasks"
    LOOK = "files are looked at, and those that changed are read"
    CHECK = "of each stage it is asked whether it is up to date"
    WAIT = "nothing to do but wait for stages"
    PREPARE = "reasons, run cache, old outputs: before a command"
    RESTORE = "outputs come back from the cache"
    COMMAND = "the commands themselves"
    COMMIT = "outputs go into the cache"
    JOURNAL = "a stage's end is noted in the journal"
    RECORD = "the cache is made durable, dvc.lock is written"
    EXPERIMENT = "the experiment is committed"
    OTHER = "anything else"


class Phases(Protocol):
    """Told what a run is busy with."""

    def phase(self, phase: Phase) -> AbstractContextManager[None]:
        """The code inside is of this phase. Phases may nest; then the time is the inner one's."""


class Unprofiled:
    """Phases that nobody asked for: nothing is measured."""

    _nothing = contextlib.nullcontext()

    def phase(self, phase: Phase) -> AbstractContextManager[None]:
        return self._nothing


class Spent(NamedTuple):
    """What one phase took."""

    phase: Phase
    seconds: float
    """In the main thread: these add up to the run's time."""
    in_workers: float
    """In threads that carry out stages side by side: their sum may be more than the run's time."""
    times: int


class _Frame:
    """A phase that is going on, and since when its time was not yet given to it."""

    __slots__ = ("phase", "since")

    def __init__(self, phase: Phase, since: float) -> None:
        self.phase = phase
        self.since = since


class Profile:
    """Owns the time spent in each phase since it was made; that thread is the main one. Thread-safe."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.perf_counter,
        start: Callable[[], float] = time.process_time,
    ) -> None:
        self._clock = clock
        self._start = start()
        self._began = clock()
        self._main = threading.get_ident()
        self._lock = threading.Lock()
        self._spent: dict[Phase, list[float]] = {}
        """Phase → seconds in the main thread, in others, and how often it was entered."""
        self._open = threading.local()

    @contextlib.contextmanager
    def phase(self, phase: Phase) -> Iterator[None]:
        stack: list[_Frame] = self._open.__dict__.setdefault("stack", [])
        if stack:
            self._lap(stack)
        stack.append(_Frame(phase, self._clock()))
        try:
            yield
        finally:
            self._lap(stack)
            stack.pop()
            with self._lock:
                self._spent[phase][2] += 1

    def _lap(self, stack: list[_Frame]) -> None:
        """Give the time since the last lap to the innermost phase, and none of it to the outer ones."""
        now = self._clock()
        innermost = stack[-1]
        with self._lock:
            row = self._spent.setdefault(innermost.phase, [0.0, 0.0, 0])
            row[threading.get_ident() != self._main] += now - innermost.since
        for frame in stack:
            frame.since = now

    def spent(self) -> list[Spent]:
        """What every phase took until now, in their order; OTHER is what no phase covers."""
        total = self._clock() - self._began
        with self._lock:
            rows = {phase: tuple(row) for phase, row in self._spent.items()}
        rows[Phase.START] = (self._start, 0.0, 1)
        rest = total - sum(row[0] for phase, row in rows.items() if phase is not Phase.START)
        rows[Phase.OTHER] = (max(0.0, rest), 0.0, 1)
        return [
            Spent(phase, rows[phase][0], rows[phase][1], int(rows[phase][2]))
            for phase in Phase
            if phase in rows
        ]

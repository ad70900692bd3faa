"""The words of the queue as values."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from redoit.model import Request


class State(str, Enum):
    """Where a task stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


ENDED = frozenset((State.SUCCESS, State.FAILED))


class Order(NamedTuple):
    """An experiment as it was ordered: what it starts from, frozen at that time, and what is to be done.

    ``request.cwd`` is relative to the project. ``overrides``: file → texts, for telling.
    """

    name: str
    baseline: str
    start: str
    """The commit with the files it starts from."""
    ref: str
    """The ref that keeps ``start``."""
    request: Request = Request()
    message: str | None = None
    replace: bool = False
    """An experiment of this name on this baseline is replaced."""
    overrides: tuple[tuple[str, tuple[str, ...]], ...] = ()
    copied: tuple[str, ...] = ()
    """Paths, relative to the top of the work tree, that are copied and not recorded."""
    copies: str | None = None
    """The folder (in ``queue/``) that holds them as they were."""


class Task(NamedTuple):
    """An Order in the queue, and what has become of it. Times are seconds since 1970."""

    id: int
    order: Order
    state: State
    created: float
    attempt: int = 0
    """How many workers have begun it."""
    worker: str | None = None
    started: float | None = None
    ended: float | None = None
    stage: str | None = None
    """The stage that runs, the last one to start if there are several."""
    stage_since: float | None = None
    waiting: bool = False
    """The stage waits for another experiment that is running the same one."""
    done: int = 0
    planned: int = 0
    """Stages that are through, of so many."""
    rev: str | None = None
    """The experiment's commit."""
    error: str | None = None
    alone: bool = False
    """It was not queued, but run at once (``--temp``): no worker may take it."""

    @property
    def name(self) -> str:
        return self.order.name


class Stop(str, Enum):
    """How a task that runs is to be ended."""

    GENTLY = "gently"
    """Its commands get SIGTERM, and some seconds to end themselves."""
    AT_ONCE = "at once"
    """Its commands get SIGKILL."""

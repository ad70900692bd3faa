"""Stages become doit tasks."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any

from redoit.engine.backend import TRACE
from redoit.engine.decide import standing_reasons
from redoit.engine.doit import BaseAction, Task, TaskControl, TaskFailed
from redoit.engine.session import Session
from redoit.errors import Interrupted, RedoitError
from redoit.model import Address, Outcome, Reason, Stage, StageResult, Trace, Why
from redoit.selection import Plan

Carry = Callable[[Stage, Sequence[Reason]], tuple[Outcome, Trace | None]]
"""Carries a stage out; the reasons are those it was started for."""


FAN_IN = 16
"""From so many sources on it pays to have a gate for stages that share them all."""

GATE = "%all-"
"""How the names of gates begin; no stage's task has such a name, see ``task_name``."""


def task_name(address: str) -> str:
    """doit refuses ``=`` in a task's name and takes ``*`` for a wildcard; both stand in matrix names."""
    return address.replace("%", "%25").replace("=", "%3D").replace("*", "%2A")


def stage_address(name: str) -> Address:
    """The inverse of ``task_name``."""
    return Address(name.replace("%2A", "*").replace("%3D", "=").replace("%25", "%"))


class Standing:
    """Whether all but the files that a stage reads is as in its trace.

    doit evaluates it as one of the task's ``uptodate`` values. It is no function, as doit inspects the
    signature of functions each time.
    """

    __slots__ = ("_forced", "_session", "_stage")

    def __init__(self, stage: Stage, session: Session, forced: Mapping[Address, str]) -> None:
        self._stage = stage
        self._session = session
        self._forced = forced

    def reasons(self) -> list[Reason]:
        """All of them, for telling."""
        stage = self._stage
        forced = self._forced.get(stage.address)
        first = [Reason(Why.FORCED, forced)] if forced is not None else []
        return [*first, *standing_reasons(stage, self._session.trace(stage), self._session)]

    def __bool__(self) -> bool:
        stage = self._stage
        if stage.address in self._forced:
            return False
        for _ in standing_reasons(stage, self._session.trace(stage), self._session):
            return False
        return True

    def __repr__(self) -> str:
        return "; ".join(f"{r.kind.value}: {r.subject}" for r in self.reasons()) or "as recorded"


class StageAction(BaseAction):  # type: ignore[misc]
    """The one action of a stage's task; afterwards ``stage_result`` says how it ended."""

    def __init__(
        self,
        stage: Stage,
        carry: Carry,
        why: Callable[[Stage], list[Reason]],
        *,
        ignore_errors: bool = False,
        blocking: bool = True,
    ) -> None:
        self.task: Any = None
        self.out = self.err = None
        self.result: Any = None
        self.values: dict[str, Any] = {}
        self.stage_result: StageResult | None = None
        self._stage = stage
        self._carry = carry
        self._why = why
        self._ignore_errors = ignore_errors
        self._blocking = blocking

    def execute(self, out: object = None, err: object = None) -> TaskFailed | None:
        """Never raises: in a thread of doit's an exception would lose its type."""
        began = time.monotonic()
        reasons: tuple[Reason, ...] = ()
        trace: Trace | None = None
        error: Exception | None = None
        try:
            reasons = tuple(self._why(self._stage))
            outcome, trace = self._carry(self._stage, reasons)
        except Interrupted as stopped:
            outcome, error = Outcome.INTERRUPTED, stopped
        except Exception as failed:  # noqa: BLE001 - reported by whoever reads the result
            outcome, error = Outcome.FAILED, failed
        ignored = error is not None and self._ignore_errors and outcome is Outcome.FAILED
        seconds = time.monotonic() - began
        self.stage_result = StageResult(
            self._stage.address, outcome, reasons, seconds, error, ignored
        )
        self.values = {TRACE: trace} if trace is not None else {}
        if error is None or ignored or not self._blocking:
            # doit takes it for a success, and goes on with what depends on it.
            return None
        text = error.render() if isinstance(error, RedoitError) else repr(error)
        return TaskFailed(text)

    def __str__(self) -> str:
        return f"Stage: {self._stage.cmd}"


class PlannedControl(TaskControl):  # type: ignore[misc]
    """doit's control of tasks that are all selected, and whose ``task_dep`` is complete.

    doit's search for more dependencies by file names is quadratic in the deps of a task, and its parsing of
    the selection in the number of tasks.
    """

    def __init__(self, task_list: list[Task]) -> None:
        super().__init__(task_list)
        self.selected_tasks = [task.name for task in task_list]

    @staticmethod
    def set_implicit_deps(targets: dict[str, str], task_list: Iterable[Task]) -> None: ...


def plan_tasks(plan: Plan, make: Callable[[Stage, list[str]], Task]) -> list[Task]:
    """A task for each stage of ``plan``; ``make`` gets the stage and the names of the tasks it comes after.

    Stages that come after the same many stages come after one *gate* instead, a task that does nothing but
    come after those: doit's work for 800 stages that each read 800 others is then 1,600 edges, not 640,000.
    """
    count = Counter(sources for sources in plan.upstream.values() if len(sources) >= FAN_IN)
    gates: dict[tuple[Address, ...], str] = {}
    tasks: list[Task] = []
    for stage in plan.stages:
        sources = plan.upstream[stage.address]
        if count[sources] < 2:
            tasks.append(make(stage, [task_name(source) for source in sources]))
            continue
        gate = gates.get(sources)
        if gate is None:
            gate = gates[sources] = f"{GATE}{len(gates)}"
            before = [task_name(source) for source in sources]
            tasks.append(Task(gate, None, task_dep=before, uptodate=[True]))
        tasks.append(make(stage, [gate]))
    return tasks


def stage_task(
    stage: Stage,
    file_dep: Set[str],
    task_dep: Sequence[str],
    standing: Standing,
    action: StageAction,
) -> Task:
    """The doit task of ``stage``: true file_dep, targets and task_dep."""
    task = Task(
        task_name(stage.address),
        [action],
        targets=[out.path for out in stage.outs],
        task_dep=task_dep,
        # A tuple, so that doit takes the value as it is.
        uptodate=[(standing,)],
        doc=stage.desc,
    )
    # doit would make a set of its own for each task; stages that read the same files share one.
    task.file_dep = file_dep
    task.options = {}
    return task

"""One run of a plan by doit."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from types import FrameType
from typing import Any

from redoit.engine.backend import TraceBackend, database_name
from redoit.engine.checker import FingerprintChecker, WithoutData
from redoit.engine.doit import BaseFail, Dependency, MThreadRunner, Runner, Task, UnmetDependency
from redoit.engine.executor import LOOK_UP, Executor, LocalProcesses, Sink
from redoit.engine.listener import Listener
from redoit.engine.meeting import Meeting
from redoit.engine.perform import Means, carry_out
from redoit.engine.records import SessionRecords
from redoit.engine.session import Session
from redoit.engine.settled import rest_of, settled_stages
from redoit.engine.supply import Supply
from redoit.engine.tasks import (
    GATE,
    PlannedControl,
    StageAction,
    Standing,
    plan_tasks,
    stage_address,
    stage_task,
)
from redoit.errors import Interrupted, RedoitError
from redoit.model import (
    Address,
    Outcome,
    Reason,
    Request,
    RunResult,
    Stage,
    StageResult,
    Trace,
    Why,
)
from redoit.profile import Phase, Phases, Unprofiled
from redoit.selection import Plan
from redoit.shared import Once
from redoit.store.moved import Meter


def run_plan(
    plan: Plan,
    session: Session,
    request: Request,
    listener: Listener,
    *,
    environ: Mapping[str, str] | None = None,
    executor: Executor | None = None,
    meeting: Meeting | None = None,
    profile: Phases | None = None,
    meter: Meter | None = None,
) -> RunResult:
    """Bring the stages of ``plan`` up to date, ``request.jobs`` at a time.

    ``meeting`` is where other runs are met that want the same stages; by default those of the same workspace.
    ``meter`` is told of data that are got from remotes. A stage's failure is in the result, not raised. Traces are
    durable when this returns.
    """
    if request.allow_missing:
        session = session.lenient()
    return _Run(
        plan,
        session,
        request,
        listener,
        environ or os.environ,
        executor or LocalProcesses(),
        meeting or Meeting(session.layout.meeting),
        profile or Unprofiled(),
        Supply(session, meter) if request.pull else None,
    ).go()


class _Run:
    """Owns the state of one run: what is forced, how each stage ended, whether it was interrupted."""

    def __init__(
        self,
        plan: Plan,
        session: Session,
        request: Request,
        listener: Listener,
        environ: Mapping[str, str],
        executor: Executor,
        meeting: Meeting,
        profile: Phases,
        supply: Supply | None = None,
    ) -> None:
        self._plan = plan
        self._supply = supply
        self._session = session
        self._request = request
        self._listener = listener
        self._executor = executor
        self._profile = profile
        # A question can only be asked while nothing else is going on.
        self._jobs = (
            1 if request.interactive or request.dry else max(1, min(request.jobs, len(plan.stages)))
        )
        self._stages: dict[Address, Stage] = {stage.address: stage for stage in plan.stages}
        self._forced: dict[Address, str] = (
            dict.fromkeys(self._stages, "--force") if request.force else {}
        )
        self._paths_of = Once(lambda deps: frozenset(dep.path for dep in deps))
        self._results: dict[Address, StageResult] = {}
        self._settled: frozenset[Address] = frozenset()
        self._position = {stage.address: at for at, stage in enumerate(plan.stages)}
        self._told = 0
        """Of so many stages, from the first of the plan on, it was told if they are settled."""
        self._interrupted = threading.Event()
        self._runner: Any = None
        self._means = Means(
            session=session,
            executor=executor,
            environ=environ,
            show_command=listener.command,
            sink=self._sink,
            interrupted=self._interrupted,
            meeting=meeting,
            waiting=listener.waiting,
            dry=request.dry,
            commit=not request.no_commit,
            use_run_cache=not request.no_run_cache,
            profile=profile,
            supply=supply,
        )
        self._downstream = _reverse(plan.upstream) if request.force_downstream else {}

    def go(self) -> RunResult:
        began = time.monotonic()
        session, listener = self._session, self._listener
        profile = self._profile
        listener.planned(self._plan.stages, self._jobs)
        with profile.phase(Phase.LOOK):
            session.prefetch(self._plan.stages)
            session.note_completed()
        with profile.phase(Phase.CHECK):
            self._settled = settled_stages(self._plan, session, self._forced)
        with profile.phase(Phase.PLAN):
            control = PlannedControl(plan_tasks(rest_of(self._plan, self._settled), self._task))
        backend = TraceBackend(database_name(session.layout.tmp))
        order = [stage.address for stage in self._plan.stages]
        backend.bind(SessionRecords(session, order, profile))
        dependency = Dependency(
            lambda *_, **__: backend, backend.name, checker_cls=FingerprintChecker
        )
        dependency.checker.bind(WithoutData(session) if session.allow_missing else session.look)
        # doit forgets a task that fails; a trace stays true: it is of the last good run.
        dependency.remove_success = lambda task: None
        # `doit ignore` marks stages for doit's own command line.
        dependency.status_is_ignore = lambda task: None
        keep_going = self._request.keep_going
        if self._jobs == 1:
            self._runner = Runner(dependency, self, continue_=keep_going)
        else:
            self._runner = MThreadRunner(
                dependency, self, continue_=keep_going, num_process=self._jobs
            )
            self._runner.Queue = (
                _Queue if isinstance(profile, Unprofiled) else partial(_TimedQueue, profile)
            )
        try:
            with self._signals(), profile.phase(Phase.CHECK):
                self._runner.run_all(control.task_dispatcher())
                if not self._runner._stop_running:
                    self._tell_settled(len(self._plan.stages))
        finally:
            listener.ended()
        for warning in (
            *session.run_cache.warnings,
            *(self._supply.warnings if self._supply else ()),
        ):
            listener.warned(warning)
        for stage in self._plan.stages:
            if stage.address not in self._results:
                self._results[stage.address] = StageResult(stage.address, Outcome.NOT_REACHED)
        results = tuple(self._results[a] for a in order)
        return RunResult(results, time.monotonic() - began, self._interrupted.is_set())

    def _task(self, stage: Stage, task_dep: list[str]) -> Task:
        standing = Standing(stage, self._session, self._forced)
        action = StageAction(
            stage,
            self._carry,
            self._why,
            # A dry run tells what would fail, and goes on telling.
            ignore_errors=self._request.ignore_errors
            or (self._request.dry and not self._request.interactive),
            blocking=self._plan.blocking or not self._request.keep_going,
        )
        file_dep = frozenset() if stage.frozen else self._paths_of(stage.deps)
        return stage_task(stage, file_dep, task_dep, standing, action)

    # --- in worker threads ------------------------------------------------------------------------

    def _why(self, stage: Stage) -> list[Reason]:
        forced = self._forced.get(stage.address)
        first = [Reason(Why.FORCED, forced)] if forced is not None else []
        return first + self._session.reasons(stage)

    def _carry(self, stage: Stage, reasons: Sequence[Reason]) -> tuple[Outcome, Trace | None]:
        if self._interrupted.is_set():
            raise Interrupted(f"stage '{stage.address}' was interrupted before it began")
        self._listener.started(stage, reasons)
        if self._request.interactive and not self._listener.confirm(stage):
            raise RedoitError(
                f"stage '{stage.address}' was refused",
                hint="stages that depend on it cannot run either",
            )
        with self._profile.phase(Phase.PREPARE):
            return carry_out(stage, self._means, forced=stage.address in self._forced)

    def _sink(self, stage: Stage) -> Sink | None:
        if self._jobs == 1:
            sys.stdout.flush()
            return None
        return lambda line: self._listener.output(stage, line)

    # --- doit's reporter, in the main thread ------------------------------------------------------

    def add_success(self, task: Task) -> None:
        result = _result_of(task)
        self._finish(result)
        if self._request.dry and result.outcome is Outcome.RAN:
            self._session.to_be_made.add(result.address)
        only_got = self._supply is not None and result.address in self._supply.served
        if self._downstream and result.outcome is not Outcome.FAILED and not only_got:
            self._force_downstream(result.address)

    def add_failure(self, task: Task, fail: BaseFail) -> None:
        if task.name.startswith(GATE):
            return
        address = stage_address(task.name)
        if isinstance(fail, UnmetDependency):
            self._finish(StageResult(address, Outcome.BLOCKED))
        else:
            self._finish(_result_of(task, fail))

    def skip_uptodate(self, task: Task) -> None:
        if not task.name.startswith(GATE):
            self._finish(StageResult(stage_address(task.name), Outcome.UP_TO_DATE))

    def runtime_error(self, msg: str) -> None:
        raise RuntimeError(f"doit: {msg}")

    def get_status(self, task: Task) -> None:
        if not task.name.startswith(GATE):
            self._tell_settled(self._position[stage_address(task.name)])

    def initialize(self, tasks: object, selected: object) -> None: ...
    def execute_task(self, task: Task) -> None: ...
    def teardown_task(self, task: Task) -> None: ...
    def complete_run(self) -> None: ...

    def _finish(self, result: StageResult) -> None:
        self._results[result.address] = result
        self._listener.finished(self._stages[result.address], result)
        if self._interrupted.is_set():
            self._runner._stop_running = True

    def _tell_settled(self, end: int) -> None:
        """Each settled stage is told of in its turn, as if doit had come to it."""
        while self._told < end:
            address = self._plan.stages[self._told].address
            self._told += 1
            if address in self._settled:
                self._finish(StageResult(address, Outcome.UP_TO_DATE))

    def _force_downstream(self, address: Address) -> None:
        for dependent in self._downstream.get(address, ()):
            self._forced.setdefault(dependent, f"--force-downstream, after {address}")

    # --- signals ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """While the run goes on, Ctrl-C, SIGTERM and SIGHUP end the commands and then the run."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        caught = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
        before = {sig: signal.getsignal(sig) for sig in caught}
        for sig in caught:
            # A caller that ignores a signal, as nohup does, wants it ignored.
            if before[sig] is not signal.SIG_IGN:
                signal.signal(sig, self._stop)
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)

    def _stop(self, sig: int, frame: FrameType | None) -> None:
        again = self._interrupted.is_set()
        self._interrupted.set()
        self._runner._stop_running = True
        self._executor.stop(signal.SIGKILL if again else signal.SIGTERM)


class _Queue(queue.Queue[Any]):
    """A queue between doit's threads in which they look up while they wait."""

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        while block and timeout is None:
            with contextlib.suppress(queue.Empty):
                return super().get(timeout=LOOK_UP)
        return super().get(block, timeout)


class _TimedQueue(_Queue):
    """The same, which tells how long they wait for each other."""

    def __init__(self, profile: Phases) -> None:
        super().__init__()
        self._profile = profile

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        with self._profile.phase(Phase.WAIT):
            return super().get(block, timeout)


def _result_of(task: Task, fail: BaseFail | None = None) -> StageResult:
    result: StageResult | None = task.actions[0].stage_result
    if result is None:
        # doit refused the task before its action: nothing of ours should let this happen.
        raise RuntimeError(f"doit: {fail.get_msg() if fail else task.name}")
    return result


def _reverse(upstream: Mapping[Address, Sequence[Address]]) -> dict[Address, list[Address]]:
    downstream: dict[Address, list[Address]] = {}
    for address, sources in upstream.items():
        for source in sources:
            downstream.setdefault(source, []).append(address)
    return downstream

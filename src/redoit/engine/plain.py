"""A project's stages for doit's own command line: doit loads, selects, runs and reports."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from doit.globals import Globals

from redoit.engine.backend import TraceBackend, database_name
from redoit.engine.checker import FingerprintChecker
from redoit.engine.doit import BaseAction, TaskFailed
from redoit.engine.executor import LocalProcesses, Sink
from redoit.engine.meeting import Meeting
from redoit.engine.perform import Means, carry_out
from redoit.engine.records import SessionRecords
from redoit.engine.session import Session, load_session
from redoit.engine.tasks import StageAction, Standing, task_name
from redoit.errors import RedoitError, TraceError
from redoit.model import Address, Outcome, Reason, Request, Stage, Trace
from redoit.project import Layout
from redoit.selection import select


class PlainTasks:
    """The tasks of one project, and the session they share; lives as long as one doit command."""

    def __init__(self, layout: Layout) -> None:
        self._session: Session = load_session(layout)
        self._executor = LocalProcesses()
        self._lines = threading.Lock()
        plan = select(self._session.graph, self._session.index.groups, Request(), layout.root)
        everything = select(
            self._session.graph,
            self._session.index.groups,
            Request(all_pipelines=True),
            layout.root,
        )
        self._default = [stage.address for stage in plan.stages]
        self._stages = everything.stages
        self._means = Means(
            session=self._session,
            executor=self._executor,
            environ=os.environ,
            show_command=self._show_command,
            sink=self._sink,
            interrupted=threading.Event(),
            meeting=Meeting(self._session.layout.meeting),
            waiting=lambda stage: None,
        )

    @property
    def session(self) -> Session:
        return self._session

    @property
    def config(self) -> dict[str, Any]:
        """``DOIT_CONFIG``: our backend and checker, threads, and the stages of ``dvc.yaml`` by default."""
        return {
            "backend": "redoit",
            "dep_file": database_name(self._session.layout.tmp),
            "check_file_uptodate": FingerprintChecker,
            "default_tasks": [task_name(address) for address in self._default],
            "par_type": "thread",
            "verbosity": 2,
        }

    def tasks(self) -> Iterator[dict[str, Any]]:
        """A task for each stage and ``.dvc`` file, and one for each foreach or matrix group."""
        self._bind()
        self._session.prefetch(self._stages)
        for stage in self._stages:
            yield self._task(stage)
        for group, members in self._session.index.groups.items():
            yield {
                "basename": task_name(group),
                "actions": None,
                "task_dep": [task_name(member) for member in members],
                "doc": f"all {len(members)} stages of {group}",
            }

    def _task(self, stage: Stage) -> dict[str, Any]:
        upstream = self._session.graph.upstream[stage.address]
        return {
            "basename": task_name(stage.address),
            "actions": [StageAction(stage, self._carry, self._session.reasons)],
            "file_dep": [] if stage.frozen else [dep.path for dep in stage.deps],
            "targets": [out.path for out in stage.outs],
            "task_dep": [] if stage.frozen else [task_name(address) for address in upstream],
            "uptodate": [(Standing(stage, self._session, {}),)],
            # Data is not made by the pipeline: `doit clean` leaves it.
            "clean": [] if stage.is_data else [(self._clean, [stage])],
            "doc": stage.desc or (stage.cmd if isinstance(stage.cmd, str) else None),
        }

    def experiment(self, save: Callable[[Session], str]) -> dict[str, Any]:
        """A task that runs ``save`` after the default stages; ``save`` returns what to print."""
        return {
            "basename": "experiment",
            "actions": [_ExperimentAction(self._session, self._default, save)],
            "task_dep": [task_name(address) for address in self._default],
            "uptodate": [False],
            "doc": "record the present state as an experiment in Git",
        }

    # --- called by doit ---------------------------------------------------------------------------

    def _bind(self) -> None:
        dependency = Globals.dep_manager
        if not isinstance(dependency.backend, TraceBackend):
            raise TraceError(
                "the tasks of redoit.dodo keep their state in dvc.lock, not in a database of doit's",
                hint="leave out --backend, and let DOIT_CONFIG be what redoit.dodo gives",
            )
        dependency.backend.bind(_ClosingRecords(self._session, self._default, self._executor))
        dependency.checker.bind(self._session.look)
        # doit forgets a task that fails; a trace stays true: it is of the last good run.
        dependency.remove_success = lambda task: None

    def _carry(self, stage: Stage, reasons: Sequence[Reason]) -> tuple[Outcome, Trace | None]:
        return carry_out(stage, self._means, forced=False)

    def _clean(self, stage: Stage) -> None:
        for out in stage.outs:
            if not out.persist:
                self._session.store.remove(out.path)

    def _show_command(self, stage: Stage, command: str) -> None:
        with self._lines:
            print(f"> {command}", flush=True)

    def _sink(self, stage: Stage) -> Sink | None:
        if threading.current_thread() is threading.main_thread():
            sys.stdout.flush()
            return None
        prefix = f"{stage.address} | ".encode()

        def show(line: bytes) -> None:
            with self._lines:
                sys.stdout.buffer.write(prefix + line)
                sys.stdout.buffer.flush()

        return show


class _ClosingRecords(SessionRecords):
    """When doit closes its database, no command is left running."""

    def __init__(
        self, session: Session, order: Sequence[Address], executor: LocalProcesses
    ) -> None:
        super().__init__(session, order)
        self._executor = executor

    def close(self) -> None:
        self._executor.stop(signal.SIGTERM)
        super().close()


class _ExperimentAction(BaseAction):  # type: ignore[misc]
    """Writes the lock files and then records the experiment."""

    def __init__(
        self, session: Session, order: Sequence[Address], save: Callable[[Session], str]
    ) -> None:
        self.task: Any = None
        self.out = self.err = self.result = None
        self.values: Mapping[str, Any] = {}
        self._session = session
        self._order = order
        self._save = save

    def execute(self, out: object = None, err: object = None) -> TaskFailed | None:
        try:
            self._session.write(self._order)
            print(self._save(self._session), flush=True)
        except RedoitError as error:
            return TaskFailed(error.render())
        return None

    def __str__(self) -> str:
        return "Record an experiment"

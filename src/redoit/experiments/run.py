"""One experiment in one workspace: params changed, stages run, the result recorded."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from redoit.engine.listener import Listener
from redoit.engine.run import run_plan
from redoit.engine.session import Session, load_session
from redoit.errors import ExperimentError
from redoit.experiments.refs import Experiment
from redoit.experiments.save import find_same, free_name, save_experiment
from redoit.experiments.set_params import Edited, edited, plan_changes, recover, unnoticed
from redoit.files import locked
from redoit.git import Git
from redoit.model import CHANGING, Request, RunResult
from redoit.project import Layout
from redoit.selection import select


class Wish(NamedTuple):
    """What an experiment is asked to be, beside what its run is asked to do."""

    name: str | None = None
    """None: two random words."""
    message: str | None = None
    set_params: tuple[str, ...] = ()
    """Overrides in Hydra's grammar, ``[FILE:]KEY=VALUE``."""
    hydra: bool = True
    """Whether ``hydra.enabled`` of the configuration counts."""


class ExperimentResult(NamedTuple):
    """A run and its record. ``experiment`` is None when nothing was recorded: a stage failed, or a dry run."""

    run: RunResult
    experiment: Experiment | None

    @property
    def name(self) -> str | None:
        return self.experiment.name if self.experiment else None


def run_experiment(
    layout: Layout, git: Git, request: Request, wish: Wish, listener: Listener
) -> ExperimentResult:
    """Run in the user's workspace, then record it on ``HEAD``.

    The params files are changed first, and are as before if the run cannot start or is dry. Raises GitError
    without a commit to start from, BadExperimentName, ExperimentExists unless ``request.force``, UsageError and
    ParamsProblem for an override; all of them before anything runs.
    """
    baseline = git.head()
    name = free_name(git, baseline, wish.name, force=request.force)
    with exclusive(layout, listener):
        changes = plan_changes(layout, wish.set_params, request.cwd, hydra=wish.hydra)
        with edited(layout, changes) as edit:
            result, session = run_stages(
                layout, request, listener, experiment_environ(name, baseline), edit
            )
        if result.exit_code or request.dry:
            return ExperimentResult(result, None)
        if wish.name is None and not result.changed:
            same = find_same(layout, git, session.index, baseline)
            if same is not None:
                return ExperimentResult(result, same)
        if git.head() != baseline:
            raise ExperimentError(
                "HEAD has moved while the stages ran; no experiment was recorded",
                facts={"was": baseline, "is": git.head()},
                hint="the results are in the workspace and in dvc.lock: run again to record them",
            )
        experiment = save_experiment(
            layout,
            git,
            session.index,
            session.traces,
            name=name,
            message=wish.message,
            force=request.force,
            baseline=baseline,
            include=git.untracked([change.path for change in changes]) if changes else (),
            ran=[s.address for s in result.stages if s.outcome in CHANGING],
        )
        return ExperimentResult(result, experiment)


def experiment_environ(name: str, baseline: str) -> dict[str, str]:
    """What the commands of an experiment's stages are told of it."""
    return {"DVC_EXP_NAME": name, "DVC_EXP_BASELINE_REV": baseline}


def run_stages(
    layout: Layout,
    request: Request,
    listener: Listener,
    environ: Mapping[str, str],
    edit: Edited | None = None,
) -> tuple[RunResult, Session]:
    """Bring the requested stages up to date; the workspace must be held. The session is closed then.

    A stage's failure is in the result, not raised. ``edit`` is kept as soon as the run can start.
    """
    session = load_session(layout)
    with contextlib.closing(session.state):
        plan = select(session.graph, session.index.groups, request, layout.root)
        if edit is not None and edit.changes:
            for change in unnoticed(layout, session.index, edit.changes):
                listener.warned(
                    f"no stage depends on a param of {change.file}: the change alone runs nothing"
                )
            if not request.dry:
                edit.keep()
        result = run_plan(plan, session, request, listener, environ={**os.environ, **environ})
    return result, session


@contextlib.contextmanager
def exclusive(layout: Layout, listener: Listener) -> Iterator[None]:
    """Hold the workspace: one run at a time in it; the lock vanishes with its process."""
    path = os.path.join(layout.tmp, "lock")
    with contextlib.ExitStack() as stack:
        if not stack.enter_context(locked(path, wait=False)):
            listener.warned("another run is going on in this workspace: waiting for it to end")
            stack.enter_context(locked(path))
        recover(layout)
        yield

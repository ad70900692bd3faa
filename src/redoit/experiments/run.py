"""One experiment in one workspace: params changed, stages run, the result recorded."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from redoit.engine.listener import Listener
from redoit.engine.meeting import Meeting
from redoit.engine.orphans import MARK, end_commands, mark_of
from redoit.engine.prepare import check_deps, check_out_data
from redoit.engine.run import run_plan
from redoit.engine.session import Session, load_session
from redoit.errors import ExperimentError, Locked
from redoit.experiments.refs import Experiment
from redoit.experiments.save import commit_experiment, find_same, free_name, save_experiment
from redoit.experiments.set_params import Edited, edited, plan_changes, recover, unnoticed
from redoit.files import locked, write_atomic
from redoit.git import Git
from redoit.git_stage import stage_files
from redoit.model import CHANGING, Address, Request, RunResult, Wish
from redoit.profile import Phase, Phases, Unprofiled
from redoit.project import Layout
from redoit.selection import select
from redoit.store.moved import Meter
from redoit.trace.traces import lock_path

if TYPE_CHECKING:
    from redoit.experiments.outside import Outside


class OutsideResult(NamedTuple):
    """A run outside of the user's workspace. Neither commit has a ref yet."""

    run: RunResult
    rev: str | None
    """The experiment; None if a stage failed."""
    progress: str | None
    """If one failed: the start with the traces and outs of the stages that had finished."""


class ExperimentResult(NamedTuple):
    """A run and its record. ``experiment`` is None when nothing was recorded: a stage failed, or a dry run."""

    run: RunResult
    experiment: Experiment | None
    unfinished: str | None = None
    """The name that it would have got: a run with that name goes on with it."""

    @property
    def name(self) -> str | None:
        return self.experiment.name if self.experiment else None


def run_experiment(
    layout: Layout,
    git: Git,
    request: Request,
    wish: Wish,
    listener: Listener,
    profile: Phases | None = None,
    meter: Meter | None = None,
) -> ExperimentResult:
    """Run in the user's workspace, then record it on ``HEAD``.

    The params files are changed first, and are as before if the run cannot start or is dry. Raises GitError
    without a commit to start from, BadExperimentName, ExperimentExists unless ``request.force``, UsageError and
    ParamsProblem for an override; all of them before anything runs.
    """
    profile = profile or Unprofiled()
    with profile.phase(Phase.GIT):
        baseline = git.head()
        name = free_name(git, baseline, wish.name, force=request.force)
    with exclusive(layout, listener) as mark:
        with profile.phase(Phase.PARAMS):
            changes = plan_changes(layout, wish.set_params, request.cwd, hydra=wish.hydra)
        with edited(layout, changes) as edit:
            environ = {**mark, **experiment_environ(name, baseline)}
            result, session = run_stages(
                layout, request, listener, environ, edit, profile=profile, meter=meter
            )
        if request.dry:
            return ExperimentResult(result, None)
        if result.exit_code:
            write_atomic(_unfinished_path(layout), f"{baseline} {name}".encode(), sync=False)
            return ExperimentResult(result, None, name)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_unfinished_path(layout))
        if wish.name is None and not result.changed:
            with profile.phase(Phase.GIT):
                same = find_same(layout, git, session.index, baseline)
            if same is not None:
                return ExperimentResult(result, same)
        if git.head() != baseline:
            raise ExperimentError(
                "HEAD has moved while the stages ran; no experiment was recorded",
                facts={"was": baseline, "is": git.head()},
                hint="the results are in the workspace and in dvc.lock: run again to record them",
            )
        with profile.phase(Phase.EXPERIMENT):
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


def unfinished(layout: Layout, git: Git) -> str | None:
    """The name of the experiment on ``HEAD`` whose run in the workspace failed or was interrupted; None: there is none."""
    try:
        with open(_unfinished_path(layout), "rb") as file:
            baseline, _, name = file.read().decode().partition(" ")
    except FileNotFoundError:
        return None
    return name if baseline == git.head() else None


def _unfinished_path(layout: Layout) -> str:
    return os.path.join(layout.tmp, "unfinished")


def run_outside(
    outside: Outside,
    request: Request,
    wish: Wish,
    listener: Listener,
    *,
    start: str,
    baseline: str,
    copied: Collection[str] = (),
) -> OutsideResult:
    """Run in a workspace that was set up with the commit ``start``, and commit what comes of it.

    ``copied`` are paths, relative to the top, that are there but do not enter. Raises MissingDep before anything
    runs if a dep will be missing, and as ``run_experiment``.
    """
    layout, git = outside.layout, outside.git
    environ = experiment_environ(wish.name or "", baseline)
    with exclusive(layout, listener) as mark:
        environ.update(mark)
        result, session = run_stages(layout, request, listener, environ, outside=outside)
        finished = [s.address for s in result.stages if s.outcome in CHANGING]
        if result.exit_code:
            progress = _progress(layout, git, session, start, baseline, finished)
            return OutsideResult(result, None, progress)
        rev = commit_experiment(
            layout,
            git,
            session.index,
            session.traces,
            message=wish.message,
            baseline=baseline,
            ran=finished,
            exclude=copied,
        )
        return OutsideResult(result, rev, None)


def _progress(
    layout: Layout,
    git: Git,
    session: Session,
    start: str,
    baseline: str,
    finished: Collection[Address],
) -> str:
    """The commit ``start`` with what finished stages left, and nothing of what the failed one did."""
    stages = [session.graph.stages[address] for address in finished]
    paths = [lock_path(file) for file in session.index.files]
    paths += [stage.file for stage in stages if stage.is_data]
    paths += [out.path for stage in stages for out in stage.outs if not out.cache]
    there = [path for path in paths if os.path.isfile(layout.abspath(path))]
    with git.private_index(layout.tmp) as private:
        git.run("read-tree", start, index=private)
        git.add(there, private)
        return git.commit_tree(git.write_tree(private), baseline, "where an experiment stopped")


def experiment_environ(name: str, baseline: str) -> dict[str, str]:
    """What the commands of an experiment's stages are told of it."""
    return {"DVC_EXP_NAME": name, "DVC_EXP_BASELINE_REV": baseline}


def run_stages(
    layout: Layout,
    request: Request,
    listener: Listener,
    environ: Mapping[str, str],
    edit: Edited | None = None,
    outside: Outside | None = None,
    *,
    profile: Phases | None = None,
    meter: Meter | None = None,
) -> tuple[RunResult, Session]:
    """Bring the requested stages up to date; the workspace must be held. The session is closed then.

    A stage's failure is in the result, not raised. ``edit`` is kept as soon as the run can start. In a workspace
    ``outside`` data come from the cache first; MissingDep is raised for what will not be there.
    """
    profile = profile or Unprofiled()
    with profile.phase(Phase.LOAD):
        session = load_session(layout)
    with contextlib.closing(session.state):
        with profile.phase(Phase.PLAN):
            plan = select(session.graph, session.index.groups, request, layout.root)
        if outside is not None:
            check_out_data(session, plan)
            if not (request.pull or request.allow_missing):
                check_deps(session, plan)
        if edit is not None and edit.changes:
            for change in unnoticed(layout, session.index, edit.changes):
                listener.warned(
                    f"no stage depends on a param of {change.file}: the change alone runs nothing"
                )
            if not request.dry:
                edit.keep()
        result = run_plan(
            plan,
            session,
            request,
            listener,
            environ={**os.environ, **environ},
            meeting=Meeting((outside.home if outside else layout).meeting),
            meter=meter,
            profile=profile,
        )
    if layout.config.autostage and outside is None and not request.dry:
        changed = [each.address for each in result.stages if each.outcome in CHANGING]
        stages = [session.graph.stages[address] for address in changed]
        files = [stage.file if stage.is_data else lock_path(stage.file) for stage in stages]
        stage_files(layout, files, [out.path for stage in stages for out in stage.outs])
    return result, session


def _check_stranger(path: str) -> None:
    """Raise Locked if the run that holds the lock has started us."""
    ours = os.environ.get(MARK)
    with open(path, "rb") as file:
        if ours and os.fsdecode(file.read()) == ours:
            raise Locked(
                "this is a command of a stage: the run that it is part of holds the workspace",
                hint="take it out of the stage, or give it a project of its own",
            )


@contextlib.contextmanager
def exclusive(layout: Layout, listener: Listener) -> Iterator[dict[str, str]]:
    """Hold the workspace: one run at a time in it; the lock vanishes with its process.

    Yields the variables by which the commands of this run are known. If the run before was killed, what it left
    running is ended, and what it could not start is undone. Raises Locked if a command of the run that holds it asks:
    each would wait for the other.
    """
    path = os.path.join(layout.tmp, "lock")
    with contextlib.ExitStack() as stack:
        if not stack.enter_context(locked(path, wait=False)):
            _check_stranger(path)
            listener.warned("another run is going on in this workspace: waiting for it to end")
            stack.enter_context(locked(path))
        with open(path, "r+b") as file:
            left = os.fsdecode(file.read())
            if left:
                end_commands(left)
            mark = mark_of(layout.root)
            file.seek(0)
            file.truncate()
            file.write(os.fsencode(mark))
            file.flush()
            try:
                recover(layout)
                yield {MARK: mark}
            finally:
                file.truncate(0)

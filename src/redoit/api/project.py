"""A project and its verbs, each one call into a lower room."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from redoit.engine.listener import Listener, Silent
from redoit.git import Git
from redoit.git_refs import names_of_commits
from redoit.late import late
from redoit.model import Address, Algo, OutKind, RepoPath, Request, RunResult, Stage, Wish
from redoit.profile import Phases
from redoit.project import Layout, find_layout

if TYPE_CHECKING:
    from redoit.api.data import Data
    from redoit.api.queue import Queue
    from redoit.api.remotes import Remotes
    from redoit.data.share import Shared, ShareRequest, pull_experiments, push_experiments
    from redoit.engine.cache import Migrated, migrate_cache, verify_cache
    from redoit.engine.status import StageStatus, plan_of, stages_of, status_of
    from redoit.experiments.apply import Applied, apply_experiment
    from redoit.experiments.clean import clean
    from redoit.experiments.compare import Comparison, compare
    from redoit.experiments.overview import Asked, Baseline, Revisions, collect
    from redoit.experiments.plot_definitions import PlotsAsked
    from redoit.experiments.plots import Plots, compare_plots, show_plots
    from redoit.experiments.refs import Experiment, Selection, find_experiment, select_experiments
    from redoit.experiments.remove import branch_experiment, remove_experiments, rename_experiment
    from redoit.experiments.run import (
        ExperimentResult,
        exclusive,
        run_experiment,
        run_stages,
        unfinished,
    )
    from redoit.experiments.save_workspace import Saved, save_workspace
    from redoit.experiments.values import Shown, Wanted, compare_values, show_values
    from redoit.initialise import initialise
    from redoit.queue.orders import Ordered, order
    from redoit.queue.outside import pending, run_now
    from redoit.queue.running import Ending
    from redoit.queue.task import Task
    from redoit.queue.worker import work
    from redoit.selection import Plan
    from redoit.spec import load_index, read_data
    from redoit.store import BadObject
    from redoit.store.moved import Meter, SilentMeter
else:
    Data = late("redoit.api.data", "Data")
    Queue = late("redoit.api.queue", "Queue")
    Remotes = late("redoit.api.remotes", "Remotes")
    pull_experiments = late("redoit.data.share", "pull_experiments")
    push_experiments = late("redoit.data.share", "push_experiments")
    migrate_cache = late("redoit.engine.cache", "migrate_cache")
    verify_cache = late("redoit.engine.cache", "verify_cache")
    plan_of = late("redoit.engine.status", "plan_of")
    stages_of = late("redoit.engine.status", "stages_of")
    status_of = late("redoit.engine.status", "status_of")
    apply_experiment = late("redoit.experiments.apply", "apply_experiment")
    clean = late("redoit.experiments.clean", "clean")
    compare = late("redoit.experiments.compare", "compare")
    Asked = late("redoit.experiments.overview", "Asked")
    Revisions = late("redoit.experiments.overview", "Revisions")
    collect = late("redoit.experiments.overview", "collect")
    PlotsAsked = late("redoit.experiments.plot_definitions", "PlotsAsked")
    compare_plots = late("redoit.experiments.plots", "compare_plots")
    show_plots = late("redoit.experiments.plots", "show_plots")
    SilentMeter = late("redoit.store.moved", "SilentMeter")
    Selection = late("redoit.experiments.refs", "Selection")
    find_experiment = late("redoit.experiments.refs", "find_experiment")
    select_experiments = late("redoit.experiments.refs", "select_experiments")
    branch_experiment = late("redoit.experiments.remove", "branch_experiment")
    remove_experiments = late("redoit.experiments.remove", "remove_experiments")
    rename_experiment = late("redoit.experiments.remove", "rename_experiment")
    exclusive = late("redoit.experiments.run", "exclusive")
    run_experiment = late("redoit.experiments.run", "run_experiment")
    run_stages = late("redoit.experiments.run", "run_stages")
    unfinished = late("redoit.experiments.run", "unfinished")
    save_workspace = late("redoit.experiments.save_workspace", "save_workspace")
    compare_values = late("redoit.experiments.values", "compare_values")
    show_values = late("redoit.experiments.values", "show_values")
    initialise = late("redoit.initialise", "initialise")
    order = late("redoit.queue.orders", "order")
    pending = late("redoit.queue.outside", "pending")
    run_now = late("redoit.queue.outside", "run_now")
    work = late("redoit.queue.worker", "work")
    load_index = late("redoit.spec", "load_index")
    read_data = late("redoit.spec", "read_data")


class Project:
    """A project on disk. ``Project("path")`` finds the one that ``path`` lies in.

    Raises NotAProject when there is none. A Project keeps nothing open between calls.
    """

    def __init__(self, path: str | os.PathLike[str] = ".") -> None:
        self._layout = find_layout(os.fspath(path))

    @classmethod
    def init(
        cls,
        path: str | os.PathLike[str] = ".",
        *,
        hash: str = "xxh128",  # noqa: A002 - the name of the option
        subdir: bool = False,
        no_scm: bool = False,
        force: bool = False,
    ) -> Project:
        """Make a project at ``path``: what ``dvc init`` makes, and ``.dvc/redoit.toml`` unless ``hash="md5"``.

        Raises ProjectError if there is one already (unless ``force``), or if Git is missing (unless ``no_scm``).
        """
        initialise(os.fspath(path), algo=Algo(hash), subdir=subdir, no_scm=no_scm, force=force)
        return cls(path)

    @property
    def root(self) -> str:
        """Absolute path of the project's top folder."""
        return self._layout.root

    @property
    def layout(self) -> Layout:
        """Where the project's things are, and its configuration."""
        return self._layout

    @property
    def queue(self) -> Queue:
        """The experiments that wait, run or have ended outside of the workspace, and their workers."""
        return Queue(self._layout)

    @property
    def remotes(self) -> Remotes:
        """Where the project's data are kept besides its cache, and the verbs for that."""
        return Remotes(self.root)

    @property
    def data(self) -> Data:
        """The project's data in workspace, cache and remotes, and the verbs for them."""
        return Data(self._layout, lambda: self._exclusive(None))

    # --- running ----------------------------------------------------------------------------------

    def repro(
        self,
        request: Request | None = None,
        listener: Listener | None = None,
        *,
        profile: Phases | None = None,
        meter: Meter | None = None,
    ) -> RunResult:
        """Bring the requested stages up to date. A stage's failure is in the result, not raised.

        ``profile`` (a ``redoit.profile.Profile``) is told what the run is busy with, ``meter`` of data
        that ``request.pull`` gets.
        """
        with self._exclusive(listener) as mark:
            request = request or Request()
            return run_stages(
                self._layout, request, listener or Silent(), mark, profile=profile, meter=meter
            )[0]

    def run(
        self,
        request: Request | None = None,
        listener: Listener | None = None,
        *,
        name: str | None = None,
        message: str | None = None,
        set_params: Sequence[str] = (),
        hydra: bool = True,
        profile: Phases | None = None,
        meter: Meter | None = None,
    ) -> ExperimentResult:
        """As ``repro``, then record the workspace as an experiment on ``HEAD``.

        ``name`` must be free on this baseline unless ``request.force``. ``set_params`` are overrides in Hydra's
        grammar, ``[FILE:]KEY=VALUE``: the params files are changed first, and are as before if the run cannot
        start or is dry. ``hydra`` False leaves out the composition that ``hydra.enabled`` asks for. Raises
        GitError without a commit to start from, BadExperimentName, ExperimentExists, UsageError and
        ParamsProblem for an override; all of them before anything runs.
        """
        wish = Wish(name, message, tuple(set_params), hydra)
        return run_experiment(
            self._layout,
            Git(self.root),
            request or Request(),
            wish,
            listener or Silent(),
            profile,
            meter,
        )

    def unfinished(self) -> str | None:
        """The name of the experiment whose last run in the workspace failed or was interrupted, if HEAD is where it was."""
        return unfinished(self._layout, Git(self.root))

    def order(
        self, request: Request, wish: Wish, *, copy: Sequence[str] = (), rev: str | None = None
    ) -> Ordered:
        """Queue an experiment, or one for each combination of a sweep, frozen as all is now; runs nothing.

        It starts from the workspace, or from what the experiment ``rev`` recorded. ``copy``: ignored or untracked
        paths that it needs. Raises UsageError, ParamsProblem, BadExperimentName, ExperimentExists,
        ExperimentNotFound, ExperimentError, GitError; then nothing is queued.
        """
        return order(self._layout, request, wish, copy=copy, rev=rev)

    def run_outside(
        self,
        request: Request,
        wish: Wish,
        listener: Listener | None = None,
        *,
        copy: Sequence[str] = (),
        rev: str | None = None,
    ) -> tuple[Task, Ending]:
        """Run an experiment outside of the workspace; returns its task and what became of it.

        With ``rev``: go on with that task if it has failed, under its name; else start from what that experiment
        recorded, as a new one on the same baseline. Raises as ``order``, and Interrupted.
        """
        return run_now(self._layout, request, wish, listener or Silent(), copy=copy, rev=rev)

    def work(
        self,
        make_listener: Callable[[], Listener],
        show: Callable[[Task, Ending], None],
        began: Callable[[], None],
    ) -> None:
        """Be a worker, until the queue is empty: see ``redoit.queue.worker``."""
        work(self._layout, make_listener, show, began)

    def _exclusive(self, listener: Listener | None) -> AbstractContextManager[dict[str, str]]:
        return exclusive(self._layout, listener or Silent())

    # --- experiments ------------------------------------------------------------------------------

    def save(
        self,
        targets: Sequence[str] = (),
        *,
        name: str | None = None,
        message: str | None = None,
        force: bool = False,
        include_untracked: Sequence[str] = (),
        recursive: bool = False,
        cwd: str = "",
        listener: Listener | None = None,
    ) -> Saved:
        """Record the workspace as it is as an experiment on ``HEAD``, without running anything.

        What all stages, or only ``targets``, read and wrote goes into ``dvc.lock`` and the cache as if they had
        just run. ``include_untracked``: further paths; these and targets are relative to the directory ``cwd``.
        Raises BadExperimentName, ExperimentExists unless ``force``, MissingOut, MissingDep, GitError.
        """
        return save_workspace(
            self._layout,
            Git(self.root),
            Request(targets=tuple(targets), cwd=cwd, recursive=recursive, force=force),
            name=name,
            message=message,
            include_untracked=include_untracked,
            listener=listener or Silent(),
        )

    def experiments(
        self, selection: Selection | None = None, remote: str | None = None
    ) -> list[Experiment]:
        """The experiments on ``HEAD``, or those of ``selection``; here or at the Git remote ``remote``.

        Raises GitError.
        """
        return select_experiments(Git(self.root), selection or Selection(("HEAD",)), remote)

    def names_of_commits(self) -> Mapping[str, str]:
        """Commit → the branch that is checked out, or else a tag, or else a branch that points to it."""
        return names_of_commits(Git(self.root))

    def rename_experiment(
        self, name: str, new: str, *, force: bool = False, remote: str | None = None
    ) -> Experiment:
        """Call the experiment ``name`` (or ref, or sha) ``new``. Raises ExperimentNotFound,
        AmbiguousExperiment, BadExperimentName, ExperimentExists unless ``force``, GitError.
        """
        return rename_experiment(Git(self.root), name, new, force=force, remote=remote)

    def remove_experiments(
        self,
        names: Sequence[str] = (),
        selection: Selection | None = None,
        *,
        keep: bool = False,
        remote: str | None = None,
    ) -> list[Experiment]:
        """Remove these experiments, or with ``keep`` all others: all or none. Returns what was removed.

        Raises ExperimentNotFound, AmbiguousExperiment, GitError.
        """
        return remove_experiments(Git(self.root), names, selection, keep=keep, remote=remote)

    def branch(self, name: str, branch: str | None = None) -> tuple[Experiment, str]:
        """Make a Git branch (by default ``NAME-branch``) of an experiment; nothing is checked out.

        Raises ExperimentNotFound, AmbiguousExperiment, GitError if the branch exists.
        """
        return branch_experiment(Git(self.root), name, branch)

    def apply(self, name: str, *, force: bool = False) -> Applied:
        """Make the workspace what an experiment recorded: its files, params and outs; nothing else is touched.

        Raises WouldOverwrite, naming the edits in the way that are recorded nowhere, unless ``force``: then they
        are kept in a folder. Raises MissingObject naming data that the cache lacks, ExperimentNotFound,
        AmbiguousExperiment, GitError; whichever is raised, nothing has been changed.
        """
        git = Git(self.root)
        experiment = find_experiment(git, name)
        with self._exclusive(None):
            return apply_experiment(self._layout, git, experiment, force=force)

    def push_experiments(self, request: ShareRequest, meter: Meter | None = None) -> Shared:
        """Send experiments to a Git remote, and before that their data to a data remote.

        Those of which data could not be sent are in the result, with what failed. Raises ExperimentNotFound,
        AmbiguousExperiment, RemoteError, TransferFailed, GitError; then no experiment was sent.
        """
        return push_experiments(self._layout, request, meter or SilentMeter())

    def pull_experiments(self, request: ShareRequest, meter: Meter | None = None) -> Shared:
        """Get experiments from a Git remote, and their data into the cache. What failed of the data is in the result.

        Raises ExperimentNotFound, AmbiguousExperiment, RemoteError, GitError.
        """
        return pull_experiments(self._layout, request, meter or SilentMeter())

    def clean(self) -> list[str]:
        """Remove the files that killed commands left in ``.dvc/tmp``; returns their names."""
        with self._exclusive(None):
            return [*clean(self._layout), *self.queue.clean()]

    # --- looking ----------------------------------------------------------------------------------

    def status(self, targets: Sequence[str] = (), cwd: str = "") -> list[StageStatus]:
        """How every stage stands, or only ``targets`` (relative to the directory ``cwd``)."""
        return status_of(self._layout, targets, cwd)

    def why(self, target: str, cwd: str = "") -> list[StageStatus]:
        """Every reason why the stages that ``target`` names would run now."""
        return self.status([target], cwd)

    def stages(self) -> Mapping[Address, Stage]:
        """All stages and ``.dvc`` files, resolved."""
        return stages_of(self._layout)

    def dag(self, targets: Sequence[str] = (), cwd: str = "") -> Plan:
        """The whole graph, or only ``targets`` and what they depend on, in the order in which it would run."""
        return plan_of(self._layout, targets, cwd)

    def metrics(self) -> dict[RepoPath, Any]:
        """Metrics files of the workspace with their parsed content; those that are not there are left out.

        Raises SyntaxProblem for one that cannot be read.
        """
        index = load_index(self._layout)
        paths: dict[RepoPath, None] = {}
        for stage in index.stages.values():
            paths.update((out.path, None) for out in stage.outs if out.kind is OutKind.METRIC)
        for top in index.files.values():
            paths.update(dict.fromkeys(top.metrics))
        found = {}
        for path in paths:
            if os.path.isfile(self._layout.abspath(path)):
                found[path] = read_data(self._layout, path)
        return found

    def metrics_of(self, rev: str) -> dict[RepoPath, Any]:
        """As ``metrics``, of a commit; also those that only the cache has."""
        revisions = Revisions(self._layout, Git(self.root))
        with contextlib.closing(revisions):
            found = revisions.get(rev).metrics
        return {RepoPath(path): values.data for path, values in found.items() if not values.problem}

    # --- comparing --------------------------------------------------------------------------------

    def overview(
        self,
        asked: Asked | None = None,
        *,
        hide_workspace: bool = False,
        hide_queued: bool = False,
        hide_failed: bool = False,
        sha_only: bool = False,
        fresh: bool = False,
    ) -> list[Baseline]:
        """The workspace, then each baseline (HEAD, or those ``asked`` for) with what was tried on it, or is to be.

        Empty without a commit. ``sha_only`` leaves out the names of baselines; ``fresh`` reads all commits anew.
        What cannot be read of a commit is its ``problem``. Raises GitError for a revision that there is not.
        """
        return collect(
            self._layout,
            Git(self.root),
            asked or Asked(),
            hide_workspace=hide_workspace,
            sha_only=sha_only,
            fresh=fresh,
            pending=pending(self._layout, queued=not hide_queued, failed=not hide_failed),
        )

    def compare(
        self,
        old: str | None = None,
        new: str | None = None,
        *,
        unchanged: bool = False,
        param_deps: bool = False,
    ) -> Comparison:
        """What changed in metrics and params from ``old`` (HEAD) to ``new`` (the workspace).

        Both may be experiments, anything Git knows as a commit, or "workspace". ``unchanged`` includes values
        that are equal; ``param_deps`` leaves out params that no stage depends on. Raises GitError.
        """
        return compare(
            self._layout,
            Git(self.root),
            old,
            new,
            unchanged=unchanged,
            param_deps=param_deps,
        )

    def values(self, wanted: Wanted, asked: Asked | None = None) -> list[Shown]:
        """Params or metrics: of the workspace, and of the commits that are ``asked`` for.

        Raises GitError, and TargetNotFound for a target that none of them has.
        """
        return show_values(self._layout, wanted, asked or Asked())

    def compare_values(
        self,
        wanted: Wanted,
        old: str | None = None,
        new: str | None = None,
        *,
        unchanged: bool = False,
    ) -> Comparison:
        """As ``compare``, of params or metrics alone, or of any files that ``wanted`` names."""
        return compare_values(self._layout, wanted, old, new, unchanged=unchanged)

    def plots(self, asked: PlotsAsked | None = None) -> Plots:
        """The plots of the workspace with their data. What cannot be read is in their ``problems``.

        Raises TargetNotFound for a target that is neither a plot nor a file.
        """
        return show_plots(self._layout, asked or PlotsAsked())

    def compare_plots(self, revs: Sequence[str] = (), asked: PlotsAsked | None = None) -> Plots:
        """The plots of several revisions, one over the other: commits, experiments, "workspace".

        One alone is compared with the workspace; none means the workspace, and ``HEAD`` if they differ. Raises
        GitError, and TargetNotFound for a target that none of them has.
        """
        return compare_plots(self._layout, revs, asked or PlotsAsked())

    # --- the cache --------------------------------------------------------------------------------

    def verify_cache(self) -> Iterator[BadObject]:
        """Read every object of the cache; yields those whose content is not what their name says."""
        return verify_cache(self._layout)

    def migrate_cache(self, to: str) -> Migrated:
        """Name all content by ``to`` ("md5" or "xxh128"): objects, then ``dvc.lock`` and ``.dvc`` files, then the
        project's setting. Runs nothing; the old objects stay. Raises StoreError, TraceError.
        """
        with self._exclusive(None):
            migrated = migrate_cache(self._layout, Algo(to))
        self._layout = Layout(self.root)
        return migrated

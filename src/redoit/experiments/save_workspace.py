"""``exp save``: the workspace as it is, recorded as an experiment; nothing runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from redoit.engine.commit import commit_workspace
from redoit.engine.listener import Listener
from redoit.engine.session import open_session
from redoit.experiments.refs import Experiment
from redoit.experiments.run import exclusive
from redoit.experiments.save import free_name, save_experiment
from redoit.experiments.snapshot import check_merged, find_paths, left_out
from redoit.git import Git
from redoit.graph import post_order
from redoit.model import RepoPath, Request
from redoit.project import Layout
from redoit.selection import find_targets


class Saved(NamedTuple):
    """A workspace that was recorded. ``left_out``: its files that neither Git nor the experiment knows."""

    experiment: Experiment
    left_out: tuple[RepoPath, ...]


def save_workspace(
    layout: Layout,
    git: Git,
    request: Request,
    *,
    name: str | None,
    message: str | None,
    include_untracked: Sequence[str],
    listener: Listener,
) -> Saved:
    """Record the workspace on ``HEAD``; of ``request``, its targets and where they are, ``recursive`` and ``force`` count.

    What all stages, or only the targets, read and wrote goes into ``dvc.lock`` and the cache as if they had just
    run. Raises BadExperimentName, ExperimentExists unless ``force``, MissingOut, MissingDep, GitError.
    """
    baseline = git.head()
    check_merged(git)
    name_or_new = free_name(git, baseline, name, force=request.force)
    include = find_paths(layout, include_untracked, request.cwd)
    with exclusive(layout, listener), open_session(layout) as session:
        graph = session.graph
        addresses = (
            find_targets(graph, session.index.groups, request, layout.root)
            if request.targets
            else post_order(graph.stages, graph.upstream)
        )
        commit_workspace(session, addresses)
        experiment = save_experiment(
            layout,
            git,
            session.index,
            session.traces,
            name=name_or_new if name is not None else None,
            message=message,
            force=request.force,
            baseline=baseline,
            include=include,
        )
    return Saved(experiment, tuple(left_out(git, experiment.rev)))

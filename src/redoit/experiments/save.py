"""Recording an experiment: a commit on a baseline, reachable by one ref of DVC's layout."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from redoit.errors import ExperimentExists
from redoit.experiments.names import check_name, new_name
from redoit.experiments.refs import Experiment, ref_of, refs_of
from redoit.experiments.snapshot import snapshot
from redoit.git import Git
from redoit.model import Address, Trace
from redoit.project import Layout
from redoit.spec import Index
from redoit.trace import Traces, hash_experiment


def free_name(git: Git, baseline: str, name: str | None, *, force: bool) -> str:
    """``name`` if it can be used on ``baseline``, or a new one for None. To be asked before anything runs.

    Raises BadExperimentName, or ExperimentExists unless ``force``.
    """
    if name is not None:
        check_name(name)
    prefix = refs_of(baseline)
    taken = {ref.name.removeprefix(prefix) for ref in git.refs(prefix)}
    if name is None:
        return new_name(taken)
    if name in taken and not force:
        raise _exists(name, baseline)
    return name


def save_experiment(
    layout: Layout,
    git: Git,
    index: Index,
    traces: Traces,
    *,
    name: str | None,
    message: str | None,
    force: bool,
    baseline: str,
    ran: Iterable[Address] | None = None,
    include: Sequence[str] = (),
) -> Experiment:
    """Commit the workspace's tracked state as an experiment on ``baseline``, and the paths ``include``.

    ``name`` None makes one up. ``ran`` are the stages that this run ran, for the hash in the message; None
    means all. The user's index, work tree, stash and HEAD stay as they are. Any number of processes may do
    this at once. Raises BadExperimentName, ExperimentExists unless ``force``, ExperimentError, GitError.
    """
    if name is not None:
        check_name(name)
    rev = commit_experiment(
        layout, git, index, traces, message=message, baseline=baseline, ran=ran, include=include
    )
    return name_experiment(git, rev, baseline, name, force=force)


def commit_experiment(
    layout: Layout,
    git: Git,
    index: Index,
    traces: Traces,
    *,
    message: str | None,
    baseline: str,
    ran: Iterable[Address] | None = None,
    include: Sequence[str] = (),
    exclude: Collection[str] = (),
) -> str:
    """The commit of ``save_experiment``, without a ref. ``exclude`` as in ``snapshot``."""
    tree = snapshot(layout, git, index, include, exclude)
    if not message:
        message = f"dvc: commit experiment {hash_experiment(_ran(index, traces, ran))}"
    return git.commit_tree(tree, baseline, message)


def name_experiment(
    git: Git, rev: str, baseline: str, name: str | None, *, force: bool = False
) -> Experiment:
    """Make the commit ``rev`` an experiment on ``baseline``. Raises ExperimentExists unless ``force``."""
    while True:
        chosen = name if name is not None else new_name()
        ref = ref_of(baseline, chosen)
        if git.create_ref(ref, rev, replace=force and name is not None):
            return Experiment(chosen, rev, ref, baseline, True)
        if name is not None:
            raise _exists(name, baseline)


def find_same(layout: Layout, git: Git, index: Index, baseline: str) -> Experiment | None:
    """The newest experiment on ``baseline`` that recorded just what the workspace holds now, or None."""
    prefix = refs_of(baseline)
    known = git.refs(prefix)
    if not known:
        return None
    tree = snapshot(layout, git, index)
    for ref in known:
        if ref.tree == tree:
            return Experiment(ref.name.removeprefix(prefix), ref.rev, ref.name, baseline, False)
    return None


def _ran(
    index: Index, traces: Traces, ran: Iterable[Address] | None
) -> Iterable[tuple[str, Trace]]:
    for address in index.stages if ran is None else ran:
        stage = index.stages[address]
        trace = None if stage.is_data else traces.get(address)
        if trace is not None:
            yield stage.name, trace


def _exists(name: str, baseline: str) -> ExperimentExists:
    return ExperimentExists(
        f"the experiment '{name}' exists already",
        facts={"baseline": baseline[:10]},
        hint="choose another name with -n, or replace it with -f",
    )

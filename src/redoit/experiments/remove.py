"""Experiments removed, renamed, and made branches: changes of refs alone, each all or nothing."""

from __future__ import annotations

from collections.abc import Sequence

from redoit.errors import ExperimentExists, GitError
from redoit.experiments.names import check_name
from redoit.experiments.refs import (
    Experiment,
    Selection,
    all_experiments,
    find_experiment,
    find_experiments,
    ref_of,
    select_experiments,
)
from redoit.git import Git
from redoit.git_refs import (
    RefChange,
    change_refs,
    change_remote_refs,
    fetch_commit,
    is_branch_name,
    resolve,
)


def remove_experiments(
    git: Git,
    names: Sequence[str] = (),
    selection: Selection | None = None,
    *,
    keep: bool = False,
    remote: str | None = None,
) -> list[Experiment]:
    """Remove the experiments called ``names`` and those of ``selection``; with ``keep``, all others.

    Here, or at the Git remote ``remote``. Returns what was removed: all of it or, if an error is raised
    (ExperimentNotFound, AmbiguousExperiment, GitError), nothing.
    """
    chosen = {each.ref: each for each in find_experiments(git, names, remote)}
    if selection is not None:
        chosen.update((each.ref, each) for each in select_experiments(git, selection, remote))
    gone = list(chosen.values())
    if keep:
        gone = [each for each in all_experiments(git, remote) if each.ref not in chosen]
    _change(git, [RefChange(each.ref, each.rev, None) for each in gone], remote)
    return gone


def rename_experiment(
    git: Git, name: str, new: str, *, force: bool = False, remote: str | None = None
) -> Experiment:
    """Give an experiment the name ``new`` on the same baseline; ``force`` replaces one that has it.

    Raises ExperimentNotFound, AmbiguousExperiment, BadExperimentName, ExperimentExists, GitError.
    """
    check_name(new)
    old = find_experiment(git, name, remote)
    if old.name == new:
        return old
    ref = ref_of(old.baseline, new)
    there = next((each.rev for each in all_experiments(git, remote) if each.ref == ref), None)
    if there is not None and not force:
        raise ExperimentExists(
            f"the experiment '{new}' exists already",
            facts={"baseline": old.baseline[:10]},
            hint="choose another name, or replace it with -f",
        )
    if remote is not None and resolve(git, old.rev) is None:
        fetch_commit(git, remote, old.ref)
    changes = [RefChange(ref, there, old.rev), RefChange(old.ref, old.rev, None)]
    _change(git, changes, remote)
    return Experiment(new, old.rev, ref, old.baseline)


def branch_experiment(git: Git, name: str, branch: str | None = None) -> tuple[Experiment, str]:
    """Make a branch of an experiment, by default ``NAME-branch``; nothing is checked out. Returns both.

    Raises ExperimentNotFound, AmbiguousExperiment, GitError if the branch exists or cannot be called so.
    """
    experiment = find_experiment(git, name)
    branch = branch or f"{experiment.name}-branch"
    if not is_branch_name(git, branch):
        raise GitError(
            f"'{branch}' cannot be the name of a branch",
            hint="`git check-ref-format --help` tells what Git allows",
        )
    if not git.create_ref(f"refs/heads/{branch}", experiment.rev):
        raise GitError(
            f"the branch '{branch}' exists already",
            hint=f"name another one: exp branch {experiment.name} BRANCH",
        )
    return experiment, branch


def _change(git: Git, changes: Sequence[RefChange], remote: str | None) -> None:
    if remote is None:
        change_refs(git, changes)
    else:
        change_remote_refs(git, remote, changes)

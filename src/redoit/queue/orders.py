"""What a command line asks for, frozen: orders of experiments that run outside of the workspace."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from redoit.errors import ExperimentExists, ExperimentNotFound
from redoit.experiments.freeze import Variant, freeze, start_refs
from redoit.experiments.names import check_name, new_name
from redoit.experiments.refs import find_experiment, refs_of
from redoit.experiments.set_params import Change, changes_of, read_here, unnoticed
from redoit.experiments.snapshot import snapshot
from redoit.git import Git
from redoit.late import late
from redoit.model import RepoPath, Request, Wish
from redoit.project import Layout
from redoit.queue.database import Database
from redoit.queue.task import Order
from redoit.spec import load_index

if TYPE_CHECKING:
    from redoit.experiments.copies import copy_paths, find_copies
    from redoit.experiments.overrides import combinations, read_overrides
    from redoit.store.links import remove
else:
    copy_paths = late("redoit.experiments.copies", "copy_paths")
    find_copies = late("redoit.experiments.copies", "find_copies")
    remove = late("redoit.store.links", "remove")
    combinations = late("redoit.experiments.overrides", "combinations")
    read_overrides = late("redoit.experiments.overrides", "read_overrides")


class Origin(NamedTuple):
    """The state that orders start from: a tree of Git on a baseline, and how params files are read from it."""

    baseline: str
    tree: str
    read: Callable[[RepoPath, str], bytes | None]
    warn: Callable[[Sequence[Change]], Sequence[str]]
    """The names of changed files that no stage takes notice of."""


def workspace_origin(layout: Layout, git: Git) -> Origin:
    """The user's workspace as it is now: HEAD, with all that is edited and not ignored. Raises SpecError, GitError."""
    baseline = git.head()
    index = load_index(layout)
    return Origin(
        baseline,
        snapshot(layout, git, index),
        read_here(layout),
        lambda changes: [change.file for change in unnoticed(layout, index, changes)],
    )


def experiment_origin(git: Git, name: str) -> Origin:
    """The state that the experiment ``name`` recorded. Raises ExperimentNotFound, AmbiguousExperiment."""
    experiment = find_experiment(git, name)

    def read(path: RepoPath, _: str) -> bytes | None:
        spec = f"{experiment.rev}:{git.prefix()}{path}"
        found = git.run("ls-tree", experiment.rev, "--", path)
        return git.run("cat-file", "blob", spec) if found else None

    tree = git.run("rev-parse", f"{experiment.rev}^{{tree}}").decode().strip()
    return Origin(experiment.baseline, tree, read, lambda changes: ())


class Ordered(NamedTuple):
    """Orders made of one command, and the params files whose change no stage takes notice of."""

    orders: list[Order]
    unnoticed: Sequence[str]


def order(
    layout: Layout,
    request: Request,
    wish: Wish,
    *,
    copy: Sequence[str] = (),
    rev: str | None = None,
) -> Ordered:
    """Queue an experiment for each combination of the values in ``wish.set_params``, frozen as all is now.

    It starts from the workspace, or from what the experiment ``rev`` recorded. ``copy``: ignored or untracked
    paths that it needs. Raises UsageError, ParamsProblem, BadExperimentName, ExperimentExists,
    ExperimentNotFound, ExperimentError, GitError; then nothing is queued.
    """
    git = Git(layout.root)
    with contextlib.closing(Database(layout)) as queue:
        origin = experiment_origin(git, rev) if rev else workspace_origin(layout, git)
        ordered = make_orders(layout, git, queue, origin, request, wish, copy=copy)
        queue.add(ordered.orders)
    return ordered


def make_orders(
    layout: Layout,
    git: Git,
    queue: Database,
    origin: Origin,
    request: Request,
    wish: Wish,
    *,
    copy: Sequence[str] = (),
    sweep: bool = True,
) -> Ordered:
    """An order for each combination of the values that the overrides stand for; without ``sweep``, just one.

    A given name gets a number if there are several. What is to be copied is kept as it is now. Nothing of the
    workspace changes; if an error is raised, nothing is left. Raises UsageError, ParamsProblem, BadExperimentName,
    ExperimentExists, ExperimentError, GitError.
    """
    texts = wish.set_params
    rows = combinations(texts) if sweep else [read_overrides(texts)]
    names = _names(git, queue, origin.baseline, wish.name, len(rows), force=request.force)
    changes = [changes_of(layout, row, request.cwd, origin.read, hydra=wish.hydra) for row in rows]
    copied = find_copies(layout, git, copy, request.cwd) if copy else []
    token = os.urandom(6).hex()
    variants = [
        Variant(f"{start_refs(layout)}{token}-{number}", made)
        for number, made in enumerate(changes, 1)
    ]
    folder = f"copies/{token}" if copied else None
    if folder is not None:
        target = os.path.join(layout.tmp, folder)
        try:
            copy_paths(git.toplevel, copied, target)
        except BaseException:
            remove(target)
            raise
    starts = freeze(layout, git, origin.tree, origin.baseline, variants)
    here = layout.relative(os.path.realpath(request.cwd)) if request.cwd else ""
    orders = [
        Order(
            *(name, origin.baseline, start, variant.ref, request._replace(cwd=here)),
            message=wish.message,
            replace=request.force,
            overrides=tuple((part.file, part.texts) for part in row),
            copied=tuple(copied),
            copies=folder,
        )
        for name, start, variant, row in zip(names, starts, variants, rows, strict=True)
    ]
    return Ordered(orders, origin.warn(changes[0]) if texts else ())


def _names(
    git: Git, queue: Database, baseline: str, name: str | None, number: int, *, force: bool
) -> list[str]:
    prefix = refs_of(baseline)
    recorded = {ref.name.removeprefix(prefix) for ref in git.refs(prefix)}
    waiting = queue.names_taken(baseline)
    if name is None:
        taken = recorded | waiting
        return list(_new_names(taken, number))
    check_name(name)
    names = [name] if number == 1 else [f"{name}-{i}" for i in range(1, number + 1)]
    for each in names:
        if each in waiting or (each in recorded and not force):
            raise ExperimentExists(
                f"the experiment '{each}' "
                + ("is in the queue already" if each in waiting else "exists already"),
                facts={"baseline": baseline[:10]},
                hint="choose another name with -n"
                + (
                    ", or remove it with `exp queue remove`"
                    if each in waiting
                    else ", or replace it with -f"
                ),
            )
    return names


def _new_names(taken: set[str], number: int) -> Iterator[str]:
    for _ in range(number):
        name = new_name(taken)
        taken.add(name)
        yield name


def is_experiment(git: Git, name: str) -> bool:
    """Whether ``name`` means an experiment that was recorded."""
    try:
        find_experiment(git, name)
    except ExperimentNotFound:
        return False
    return True

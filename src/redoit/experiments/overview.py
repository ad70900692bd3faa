"""Which revisions a look at the experiments shows: the workspace, baselines, and what was tried on them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from redoit.errors import ExperimentNotFound, GitError
from redoit.experiments.kept_revisions import KeptRevisions
from redoit.experiments.refs import Experiment, all_experiments, find_experiment
from redoit.experiments.revision import Revision, RevisionReader
from redoit.git import Git
from redoit.git_objects import GitObjects
from redoit.git_refs import first_parents, names_of_commits
from redoit.project import Layout


class Asked(NamedTuple):
    """Which baselines are meant; each field is an option of ``exp show``. None at all: HEAD."""

    revs: tuple[str, ...] = ()
    num: int = 1
    """How many commits along the first parents, for ``revs`` and branches; negative: all."""
    all_branches: bool = False
    all_tags: bool = False
    all_commits: bool = False


class Execution(NamedTuple):
    """How an experiment comes about outside of the workspace: ``state`` is queued, running, success or failed."""

    state: str
    task: str
    """What it is known by in the queue."""
    root: str | None = None
    """The folder in which it runs."""
    log: str | None = None
    pid: int | None = None
    error: str | None = None


class Pending(NamedTuple):
    """An experiment of the queue: the commit ``rev`` is what it came to, or, before its end, what it starts from."""

    name: str
    baseline: str
    rev: str
    execution: Execution


class Tried(NamedTuple):
    """An experiment and its commits, the last one first. There is more than one only in old DVC checkpoints."""

    name: str
    revisions: tuple[Revision, ...]
    execution: Execution | None = None


class Baseline(NamedTuple):
    """A commit, or the workspace, with the experiments on it, the newest first."""

    revision: Revision
    name: str | None = None
    """The branch that is checked out, a tag or a branch, if one points to it."""
    experiments: tuple[Tried, ...] = ()


class Revisions:
    """Reads commits, each once: from what was kept of them, or from Git.

    ``fresh`` believes nothing that was kept. To be closed; then what was new is kept for the next time.
    """

    def __init__(self, layout: Layout, git: Git, *, fresh: bool = False) -> None:
        self.objects = GitObjects(git)
        self.reader = RevisionReader(layout, git, self.objects)
        self._kept = KeptRevisions(layout, git.prefix())
        self._fresh = fresh
        self._known: dict[str, Revision] = {}
        self._new: list[Revision] = []

    def close(self) -> None:
        self.objects.close()
        self._kept.put(self._new)

    def workspace(self) -> Revision:
        """What the workspace says now."""
        return self.reader.workspace()

    def load(self, revs: Iterable[str]) -> None:
        """Get what was kept of ``revs``, all at once."""
        if not self._fresh:
            self._known.update(self._kept.get(rev for rev in revs if rev not in self._known))

    def get(self, rev: str) -> Revision:
        """What the commit ``rev`` says. Raises GitError if there is none."""
        if rev not in self._known:
            self._known[rev] = self.reader.commit(rev)
            self._new.append(self._known[rev])
        return self._known[rev]


def resolve_revision(git: Git, objects: GitObjects, name: str) -> str:
    """The commit that ``name`` means: anything Git knows, or an experiment.

    Raises GitError, with what may have been meant; AmbiguousExperiment.
    """
    if name == "HEAD":
        return git.head()
    commit = objects.find(name)
    if commit is not None:
        return commit.rev
    try:
        return find_experiment(git, name).rev
    except ExperimentNotFound as error:
        raise GitError(
            f"'{name}' is neither a commit nor an experiment", hint=error.hint
        ) from error


def collect(
    layout: Layout,
    git: Git,
    asked: Asked,
    *,
    hide_workspace: bool = False,
    sha_only: bool = False,
    fresh: bool = False,
    pending: Sequence[Pending] = (),
) -> list[Baseline]:
    """The workspace, then each baseline that is asked for with its experiments; empty without a commit.

    ``pending`` are those of the queue, shown behind the others, the last one first. ``sha_only`` leaves out the names of baselines. Raises GitError for a revision that there is not.
    """
    revisions = Revisions(layout, git, fresh=fresh)
    with contextlib.closing(revisions):
        if revisions.objects.find("HEAD") is None:
            return []
        revs = _baselines(git, revisions.objects, asked)
        names = {} if sha_only else names_of_commits(git)
        tried: dict[str, list[Experiment]] = {rev: [] for rev in revs}
        for each in all_experiments(git):
            if each.baseline in tried:
                tried[each.baseline].append(each)
        executions = {each.rev: each.execution for each in pending}
        recorded = {each.rev for group in tried.values() for each in group}
        waiting = [each for each in reversed(pending) if each.rev not in recorded]
        revisions.load([*revs, *recorded, *(each.rev for each in waiting)])
        shown = [] if hide_workspace else [Baseline(revisions.workspace())]
        for rev in revs:
            experiments = [_tried(revisions, each, executions) for each in tried[rev]]
            experiments.sort(key=_age, reverse=True)
            experiments += [
                Tried(each.name, (revisions.get(each.rev),), each.execution)
                for each in waiting
                if each.baseline == rev
            ]
            shown.append(Baseline(revisions.get(rev), names.get(rev), tuple(experiments)))
        return shown


def _age(tried: Tried) -> tuple[int, str]:
    return tried.revisions[0].time or 0, tried.revisions[0].rev


def _tried(
    revisions: Revisions, experiment: Experiment, executions: Mapping[str, Execution]
) -> Tried:
    """The experiment with all its commits down to its baseline; its tip alone if that does not lie below."""
    tip = revisions.get(experiment.rev)
    chain = [tip]
    parents = {tip.rev}
    at = tip.parent
    while at != experiment.baseline:
        if at is None or at in parents:
            return Tried(experiment.name, (tip,), executions.get(tip.rev))
        parents.add(at)
        chain.append(revisions.get(at))
        at = chain[-1].parent
    return Tried(experiment.name, tuple(chain), executions.get(tip.rev))


def _baselines(git: Git, objects: GitObjects, asked: Asked) -> list[str]:
    """The commits that are asked for, each once, in the order of the options."""
    starts = list(asked.revs)
    if not (starts or asked.all_branches or asked.all_tags or asked.all_commits):
        starts = ["HEAD"]
    found: dict[str, None] = {}
    if asked.num:
        for name in starts:
            found.update(dict.fromkeys(_line(git, resolve_revision(git, objects, name), asked.num)))
    if asked.all_commits:
        listed = git.run("rev-list", "--date-order", "HEAD", "--branches", "--remotes", "--tags")
        found.update(dict.fromkeys(listed.decode().split()))
        return list(found)
    if asked.all_branches and asked.num:
        for rev in _tips(git, "refs/heads/"):
            found.update(dict.fromkeys(_line(git, rev, asked.num)))
    if asked.all_tags:
        found.update(dict.fromkeys(_tips(git, "refs/tags/")))
    return list(found)


def _line(git: Git, rev: str, number: int) -> list[str]:
    return [rev] if number == 1 else first_parents(git, rev, number)


def _tips(git: Git, prefix: str) -> Iterator[str]:
    """The commits that the refs below ``prefix`` lead to, in the order of their names."""
    form = "--format=%(objectname) %(objecttype) %(*objectname) %(*objecttype)"
    for line in git.run("for-each-ref", form, prefix).decode().splitlines():
        words = line.split()
        for rev, kind in zip(words[::2], words[1::2], strict=True):
            if kind == "commit":
                yield rev

"""Params and metrics of the workspace and of commits, side by side."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from redoit.errors import TargetNotFound
from redoit.experiments.compare import Comparison, changes
from redoit.experiments.overview import Asked, Revisions, resolve_revision
from redoit.experiments.revision import WORKSPACE, Problem, Revision, RevisionReader, Values
from redoit.git import Git
from redoit.project import Layout
from redoit.spec.source import near


class Kind(str, Enum):
    """Which files are looked at."""

    METRICS = "metrics"
    PARAMS = "params"


class Wanted(NamedTuple):
    """What is asked of each revision: ``targets`` (absolute paths) may be files that nothing tracks."""

    kind: Kind
    targets: tuple[str, ...] = ()
    deps_only: bool = False
    """Only params that stages depend on."""


class Shown(NamedTuple):
    """The values of one revision: path → values. ``problem``: it could not be read at all."""

    name: str
    """Branches and tags, or the sha; ``workspace``; empty for the workspace alone."""
    files: Mapping[str, Values]
    problem: Problem | None = None


def show_values(layout: Layout, wanted: Wanted, asked: Asked) -> list[Shown]:
    """The values of the workspace, then those of the commits that are asked for.

    With commits the workspace is left out if it is as the branch that is checked out. Raises GitError, and
    TargetNotFound for a target that is nowhere.
    """
    if not (asked.revs or asked.all_branches or asked.all_tags or asked.all_commits):
        # Works without Git.
        shown = [_shown("", _read(layout, RevisionReader(layout), WORKSPACE, wanted), wanted)]
    else:
        shown = _with_commits(layout, Git(layout.root), wanted, asked)
    _check_targets(layout, wanted, [each.files for each in shown])
    return shown


def _with_commits(layout: Layout, git: Git, wanted: Wanted, asked: Asked) -> list[Shown]:
    revisions = Revisions(layout, git)
    with contextlib.closing(revisions):
        names: dict[str, list[str]] = {}
        for name, rev in _named(git, revisions, asked):
            names.setdefault(rev, []).append(name)
        if not wanted.targets:
            revisions.load(names)
        shown = [
            _shown(
                ",".join(dict.fromkeys(names[rev])), _look(layout, revisions, rev, wanted), wanted
            )
            for rev in names
        ]
        workspace = _shown(WORKSPACE, _look(layout, revisions, WORKSPACE, wanted), wanted)
    branch = os.fsdecode(git.run("branch", "--show-current")).strip()
    if any(each.name == branch and each[1:] == workspace[1:] for each in shown):
        return shown
    return [workspace, *shown]


def _named(git: Git, revisions: Revisions, asked: Asked) -> Iterator[tuple[str, str]]:
    """(name, commit) of all that is asked for."""
    for name in asked.revs:
        yield name, resolve_revision(git, revisions.objects, name)
    if asked.all_commits:
        listed = git.run("rev-list", "--date-order", "HEAD", "--branches", "--remotes", "--tags")
        yield from ((rev, rev) for rev in listed.decode().split())
        return
    if asked.all_branches:
        yield from _refs(git, "refs/heads/")
    if asked.all_tags:
        yield from _refs(git, "refs/tags/")


def _refs(git: Git, prefix: str) -> Iterator[tuple[str, str]]:
    form = "--format=%(refname:strip=2)%00%(objectname) %(objecttype) %(*objectname) %(*objecttype)"
    for line in os.fsdecode(git.run("for-each-ref", form, prefix)).splitlines():
        name, _, rest = line.partition("\0")
        words = rest.split()
        for rev, kind in zip(words[::2], words[1::2], strict=True):
            if kind == "commit":
                yield name, rev


def compare_values(
    layout: Layout, wanted: Wanted, old: str | None, new: str | None, *, unchanged: bool = False
) -> Comparison:
    """What differs from ``old`` (HEAD) to ``new`` (the workspace): commits, experiments, "workspace".

    Raises GitError for what is neither, TargetNotFound for a target that both lack.
    """
    git = Git(layout.root)
    revisions = Revisions(layout, git)
    with contextlib.closing(revisions):
        before, after = (
            _look(
                layout,
                revisions,
                name if name == WORKSPACE else resolve_revision(git, revisions.objects, name),
                wanted,
            )
            for name in (old or "HEAD", new or WORKSPACE)
        )
    one, other = _files(before, wanted), _files(after, wanted)
    _check_targets(layout, wanted, [one, other])
    found = changes(one, other, unchanged=unchanged)
    if wanted.kind is Kind.METRICS:
        return Comparison(before, after, found, ())
    return Comparison(before, after, (), found)


def _look(layout: Layout, revisions: Revisions, rev: str, wanted: Wanted) -> Revision:
    if wanted.targets:
        return _read(layout, revisions.reader, rev, wanted)
    return revisions.workspace() if rev == WORKSPACE else revisions.get(rev)


def _read(layout: Layout, reader: RevisionReader, rev: str, wanted: Wanted) -> Revision:
    if not wanted.targets:
        return reader.workspace() if rev == WORKSPACE else reader.commit(rev)
    paths = [layout.relative(target) for target in wanted.targets]
    if wanted.kind is Kind.METRICS:
        return Revision(rev, metrics=reader.files(rev, paths, metrics=True))
    return Revision(rev, params=reader.files(rev, paths, metrics=False))


def _files(revision: Revision, wanted: Wanted) -> Mapping[str, Values]:
    if wanted.kind is Kind.METRICS:
        return revision.metrics
    if wanted.deps_only and not wanted.targets:
        return revision.param_deps
    return revision.params


def _shown(name: str, revision: Revision, wanted: Wanted) -> Shown:
    return Shown(name, _files(revision, wanted), revision.problem)


def _check_targets(layout: Layout, wanted: Wanted, found: Sequence[Mapping[str, Values]]) -> None:
    """Raise TargetNotFound for a target that is in none of the revisions."""
    for target in wanted.targets:
        path = layout.relative(target)
        values = [files[path] for files in found if path in files]
        missing = [v.problem is not None and v.problem.kind == "FileNotFoundError" for v in values]
        if values and all(missing):
            tracked = _files(RevisionReader(layout).workspace(), wanted._replace(targets=()))
            raise TargetNotFound(
                f"there is no file '{path}'",
                hint=near(path, tracked)
                or f"without a target, all {wanted.kind.value} files are shown",
            )

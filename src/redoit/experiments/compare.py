"""What differs between two revisions: their metrics and params."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from redoit.experiments.overview import Revisions, resolve_revision
from redoit.experiments.plain import flatten
from redoit.experiments.revision import WORKSPACE, Revision, Values
from redoit.git import Git
from redoit.project import Layout


class Change(NamedTuple):
    """A value of a metrics or params file before and after; None: not there, or null."""

    path: str
    key: str
    """Dotted; empty for a file that is one value."""
    old: Any
    new: Any

    @property
    def difference(self) -> float | None:
        """new - old of two numbers, else None."""
        if isinstance(self.old, (int, float)) and isinstance(self.new, (int, float)):
            return self.new - self.old
        return None


class Comparison(NamedTuple):
    """Two revisions, and what differs in their metrics and params, in the order of the files."""

    old: Revision
    new: Revision
    metrics: tuple[Change, ...]
    params: tuple[Change, ...]


def compare(
    layout: Layout,
    git: Git,
    old: str | None,
    new: str | None,
    *,
    unchanged: bool = False,
    param_deps: bool = False,
) -> Comparison:
    """Compare ``old`` (HEAD for None) with ``new`` (the workspace for None); with ``unchanged``, all values.

    They are commits, experiments or "workspace". Raises GitError for what is neither.
    """
    revisions = Revisions(layout, git)
    with contextlib.closing(revisions):
        before = _revision(revisions, git, old or "HEAD")
        after = _revision(revisions, git, new or WORKSPACE)
    params = [each.param_deps if param_deps else each.params for each in (before, after)]
    return Comparison(
        before,
        after,
        changes(before.metrics, after.metrics, unchanged=unchanged),
        changes(params[0], params[1], unchanged=unchanged),
    )


def _revision(revisions: Revisions, git: Git, name: str) -> Revision:
    if name == WORKSPACE:
        return revisions.workspace()
    rev = resolve_revision(git, revisions.objects, name)
    revisions.load([rev])
    return revisions.get(rev)


def changes(
    old: Mapping[str, Values], new: Mapping[str, Values], *, unchanged: bool = False
) -> tuple[Change, ...]:
    """The values that differ between two sets of files; with ``unchanged`` all. Keys are sorted in each file."""
    found = []
    for path in dict.fromkeys((*old, *new)):
        before, after = _flat(old.get(path)), _flat(new.get(path))
        for key in sorted({**before, **after}):
            change = Change(path, key, before.get(key), after.get(key))
            if unchanged or not _same(change.old, change.new):
                found.append(change)
    return tuple(found)


def _flat(values: Values | None) -> dict[str, Any]:
    """Dotted key → value; lists as text, as DVC compares and shows them."""
    if values is None or values.problem is not None or values.data in (None, {}):
        return {}
    return {
        key: str(value) if isinstance(value, list) else value
        for key, value in flatten(values.data).items()
    }


def _same(old: Any, new: Any) -> bool:
    return bool(old == new) or (old != old and new != new)  # NaN is like NaN

"""What remotes had when they were last asked or sent to."""

from __future__ import annotations

from collections.abc import Iterable

from redoit.model import Algo, Oid
from redoit.project import Layout

Key = tuple[Oid, Algo]
_KIND = "remote"


def remembered(layout: Layout, token: str) -> set[Key]:
    """The objects that a remote (``Remotes.token``) is known to have had; none if it was never asked."""
    kept = layout.kept.get(_KIND, token)
    rows = kept if isinstance(kept, list) else []
    try:
        return {(Oid(oid), Algo(algo)) for oid, algo in rows}
    except (TypeError, ValueError):  # a foreign state is as good as none
        return set()


def remember(layout: Layout, token: str, asked: Iterable[Key], there: Iterable[Key]) -> None:
    """Of the objects that were ``asked`` for, ``there`` were in the remote."""
    before = remembered(layout, token)
    now = before.difference(asked).union(there)
    if now != before:
        layout.kept.keep(_KIND, token, sorted([oid, algo.value] for oid, algo in now), newest=16)


def forget(layout: Layout, token: str) -> None:
    """Something was removed from the remote."""
    remember(layout, token, remembered(layout, token), ())

"""Where data may be written: inside of the project, and through no symbolic link out of it."""

from __future__ import annotations

import os
from collections.abc import Iterable

from redoit.errors import StoreError
from redoit.model import RepoPath
from redoit.project import Layout
from redoit.spec.paths import is_outside


def check_inside(layout: Layout, paths: Iterable[RepoPath]) -> None:
    """Raise StoreError for a path outside of the project, and for one that a symbolic link would lead out of it."""
    root = layout.root
    seen: set[str] = set()
    for path in paths:
        check_path(path)
        folder = os.path.dirname(layout.abspath(path))
        if folder in seen:
            continue
        seen.add(folder)
        real = os.path.realpath(folder)
        if real != root and not real.startswith(f"{root}{os.sep}"):
            raise StoreError(
                "a symbolic link leads out of the project, so nothing is written there",
                facts={"path": path, "leads to": real},
                hint="remove the link, or name the real path in the out",
            )


def check_path(path: RepoPath) -> None:
    """Raise StoreError for a path outside of the project."""
    if is_outside(path):
        raise StoreError(
            "an out that the cache keeps lies outside of the project, so nothing is written there",
            facts={"path": path},
            hint="a project that you got from others could write anywhere: put the data into it",
        )

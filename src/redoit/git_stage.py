"""Files put into Git's index for the user: ``core.autostage``."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable

from redoit.git import Git
from redoit.project import Layout


def stage_files(layout: Layout, files: Iterable[str], beside: Iterable[str] = ()) -> None:
    """``git add`` these files, new, changed or removed, and the ``.gitignore`` files in the folders of ``beside``.

    Does nothing unless ``core.autostage`` is set and there is a repository. Raises GitError.
    """
    git = Git(layout.root)
    if not layout.config.autostage or layout.config.no_scm or not git.is_repository():
        return
    ignores = [posixpath.join(posixpath.dirname(path), ".gitignore") for path in beside]
    wanted = dict.fromkeys([*files, *ignores])
    there = [path for path in wanted if os.path.isfile(layout.abspath(path))]
    gone = [path for path in wanted if path not in there]
    chosen = [*there, *(git.tracked(gone) if gone else ())]
    if chosen:
        git.run("--literal-pathspecs", "add", "-A", "--", *chosen)

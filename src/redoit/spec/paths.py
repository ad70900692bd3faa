"""Paths as they are written in files → RepoPaths."""

from __future__ import annotations

import os.path
import posixpath
import re

from redoit.model import RepoPath

_PLAIN = r"(?!\.\.?(?:/|$))[^/]+(?:/(?!\.\.?(?:/|$))[^/]+)*"
"""Text of a relative path that is normalised already."""


def inside(folder: RepoPath, text: str) -> RepoPath:
    """``text`` as seen from ``folder``; one that leads out of the project stays as ``../x`` or absolute."""
    if re.fullmatch(_PLAIN, text):
        return RepoPath(f"{folder}/{text}" if folder else text)
    path = posixpath.normpath(posixpath.join(folder, text))
    return RepoPath("" if path == "." else path)


def is_outside(path: str) -> bool:
    """Whether a RepoPath is one outside of the project."""
    return path.startswith(("/", "../")) or path == ".."


def holds_project(root: str, path: RepoPath) -> bool:
    """Whether the project itself lies at or below a RepoPath."""
    return not path or f"{root}/".startswith(f"{path.rstrip('/')}/")


def locate_path(root: str, folder: RepoPath, text: str) -> tuple[RepoPath, str]:
    """(path, text for ``dvc.lock``) of a dep or out written as ``text`` in a stage that runs in ``folder``.

    A path outside of the project is absolute. An absolute one inside of it is recorded relative to
    ``folder``; any other is recorded as it is written.
    """
    if re.fullmatch(_PLAIN, text) and not folder.startswith(("/", "..")):
        return RepoPath(f"{folder}/{text}" if folder else text), text
    absolute = os.path.normpath(os.path.join(root, folder, text))
    if absolute == root:
        path = RepoPath("")
    elif absolute.startswith(root + "/"):
        path = RepoPath(absolute[len(root) + 1 :])
    else:
        return RepoPath(absolute), text
    if os.path.isabs(text):
        text = os.path.relpath(absolute, os.path.join(root, folder))
    return path, text

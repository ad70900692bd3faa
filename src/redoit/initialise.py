"""Making a project: ``.dvc/`` as DVC makes it, and Redoit's own settings beside its configuration."""

from __future__ import annotations

import contextlib
import os

from redoit.errors import ProjectError, UsageError
from redoit.files import write_atomic
from redoit.git import Git
from redoit.model import Algo
from redoit.project import Layout

_IGNORED_BY_GIT = "/config.local\n/tmp\n/cache\n"
_NO_SCM = "[core]\n    no_scm = True\n"
_DVCIGNORE = """\
# Patterns of files that are no data: neither looked at nor tracked.
# The syntax is that of .gitignore.
"""
_SETTINGS = """\
# Settings of Redoit. DVC does not read this file.
hash = "xxh128"
"""


def initialise(path: str, *, algo: Algo, subdir: bool, no_scm: bool, force: bool) -> Layout:
    """Make a project in the directory ``path`` and return it.

    With Git, the new files are put into its index; nothing is committed. ``subdir`` allows a
    sub-directory of a Git repository, ``no_scm`` goes without Git, ``force`` replaces the
    settings of a project that is there (not its cache).
    Raises ProjectError or GitError when it cannot be made, UsageError for options that exclude
    each other.
    """
    if no_scm and subdir:
        raise UsageError(
            "--no-scm and --subdir cannot be given together",
            hint="--subdir is for a sub-directory of a Git repository",
        )
    root = os.path.realpath(path)
    layout = Layout(root)
    git = None if no_scm else _repository(root, subdir=subdir)
    if os.path.lexists(layout.dvc_dir):
        _make_way(layout, force=force)
    files = _files(algo, no_scm=no_scm)
    try:
        for name, text in files.items():
            write_atomic(os.path.join(root, name), text.encode())
        # DVC makes one of its own when it finds none.
        ignore = os.path.join(root, ".dvcignore")
        if not os.path.exists(ignore):
            write_atomic(ignore, _DVCIGNORE.encode())
    except OSError as error:
        raise ProjectError(
            "the project's files cannot be written",
            facts={"in": root, "because": error.strerror or str(error)},
        ) from error
    if git is not None:
        git.run("add", "--", *files, ".dvcignore")
    return layout


def _files(algo: Algo, *, no_scm: bool) -> dict[str, str]:
    """Path relative to the root → content."""
    files = {".dvc/config": _NO_SCM if no_scm else ""}
    if not no_scm:
        files[".dvc/.gitignore"] = _IGNORED_BY_GIT
    if algo is Algo.XXH128:
        files[".dvc/redoit.toml"] = _SETTINGS
    return files


def _repository(root: str, *, subdir: bool) -> Git:
    """The Git repository that the project belongs to. Raises ProjectError if it may not be there."""
    git = Git(root)
    if not git.is_repository():
        raise ProjectError(
            "there is no Git repository here",
            facts={"folder": root},
            hint="run `git init` first, or `exp init --no-scm` to go without Git",
        )
    top = os.path.realpath(git.toplevel)
    if top != root and not subdir:
        raise ProjectError(
            "this is a sub-directory of a Git repository",
            facts={"folder": root, "repository": top},
            hint=f"run `exp init` in {top}, or `exp init --subdir` to make the project here",
        )
    if git.ignored([".dvc"]):
        raise ProjectError(
            "Git ignores .dvc here, but it has to be tracked",
            facts={"folder": root},
            hint="add the line '!.dvc' to .gitignore",
        )
    return git


def _make_way(layout: Layout, *, force: bool) -> None:
    """Remove the settings of the project that is there; its cache and its local state stay."""
    if not os.path.isdir(layout.dvc_dir):
        raise ProjectError(
            "there is something called .dvc here that is no folder",
            facts={"folder": layout.root},
            hint="move it away",
        )
    if not force:
        raise ProjectError(
            "there is a project here already",
            facts={"folder": layout.root},
            hint="`exp init -f` replaces its settings",
        )
    for name in ("config", "config.local", "redoit.toml", ".gitignore"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(layout.dvc_dir, name))

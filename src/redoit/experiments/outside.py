"""A workspace of its own for an experiment: a linked work tree of the user's repository in another folder.

Files come from Git, data by links from the cache that the project has; nothing else is copied.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from redoit.config.elsewhere import local_config
from redoit.engine.orphans import end_commands
from redoit.errors import ConfigError, ExperimentError, GitError
from redoit.files import write_atomic
from redoit.git import Git
from redoit.git_trees import SUBMODULE
from redoit.late import late
from redoit.project import Layout

if TYPE_CHECKING:
    from redoit.experiments.copies import copy_paths
    from redoit.store.links import remove as delete
else:
    copy_paths = late("redoit.experiments.copies", "copy_paths")
    delete = late("redoit.store.links", "remove")

_PRIVATE = ("config", "redoit.toml", ".gitignore")
"""Files of ``.dvc`` that the project may not have put under Git yet."""


@dataclass(frozen=True)
class Outside:
    """The workspace in ``folder`` (absolute), whose project is like that of ``home`` in the user's workspace."""

    home: Layout
    folder: str
    prefix: str
    """The project's folder in the repository, with ``/`` at the end; empty if it is the top."""

    @property
    def layout(self) -> Layout:
        return Layout(os.path.join(self.folder, self.prefix).rstrip("/"), self.home.root)

    @property
    def git(self) -> Git:
        return Git(self.layout.root)


def workers_lock(home: Layout) -> str:
    """The file that whoever runs experiments outside of the workspace has locked, shared with others who do; and alone
    who must know them away.
    """
    return os.path.join(home.tmp, "workers.lock")


def folder_of(home: Layout, name: str) -> str:
    """Where the workspace called ``name`` is: in ``.dvc/tmp/exps``, or in a folder of this project's own below the one
    that the settings name, which it may share with other projects and with anything else.
    """
    named = home.settings.exps_dir
    top = os.path.realpath(
        os.path.join(home.root, os.path.expanduser(named or os.path.join(".dvc", "tmp", "exps")))
    )
    inside = home.relative(top)
    if not os.path.isabs(inside) and not inside.startswith(".dvc/tmp/"):
        raise ConfigError(
            "redoit.exps_dir names a folder of the project itself",
            facts={"folder": top},
            hint="choose one outside of the project, or below .dvc/tmp",
        )
    return os.path.join(top, home.token, name) if named else os.path.join(top, name)


def set_up(
    home: Layout,
    git: Git,
    name: str,
    start: str,
    baseline: str,
    copies: tuple[str, Sequence[str]] = ("", ()),
) -> tuple[Outside, bool]:
    """The workspace ``name`` with the files of the commit ``start``, ``HEAD`` at ``baseline``, and ``copies``:
    paths of a folder.

    One that a killed process left with the same start is taken as it is, so that what had finished there stays:
    then the second value is False. Raises GitError, ConfigError, ExperimentError.
    """
    outside = Outside(home, folder_of(home, name), git.prefix())
    end_commands(outside.folder)
    if _mark(outside) == start:
        return outside, False
    remove(git, outside.folder)
    try:
        os.makedirs(os.path.dirname(outside.folder), exist_ok=True)
        _add(Git(git.toplevel), outside.folder, baseline, start)
        _configure(outside)
        copy_paths(*copies, outside.folder)
        write_atomic(_mark_path(outside), start.encode(), sync=False)
    except OSError as error:
        raise ExperimentError(
            "a workspace for the experiment cannot be made",
            facts={"folder": outside.folder, "because": error.strerror or error},
            hint="make room or make it writable, or name another place: exp config redoit.exps_dir FOLDER",
        ) from error
    return outside, True


def remove(git: Git, folder: str) -> None:
    """Remove the workspace in ``folder`` and what Git keeps about it; missing or half made is fine."""
    for path in _submodules(folder):
        _forget(Git(os.path.join(git.toplevel, path)), os.path.join(folder, path))
    _forget(git, folder)
    delete(folder)


# --- files of Git -----------------------------------------------------------------------------------


def _add(git: Git, folder: str, head: str, rev: str) -> None:
    """A work tree of ``git`` in ``folder``: HEAD at ``head``, files of ``rev``; submodules likewise. No hook runs."""
    options = ("-c", "core.hooksPath=/dev/null", "-c", "core.sparseCheckout=false")
    with _worktrees(git):
        git.run(*options, "worktree", "add", "--quiet", "--detach", "--no-checkout", folder, head)
    there = Git(folder)
    there.run(*options, "read-tree", "--reset", "-u", rev)
    for path, oid in _gitlinks(there):
        inner = Git(os.path.join(git.root, path))
        if os.path.exists(os.path.join(inner.root, ".git")):
            with contextlib.suppress(GitError):  # a commit that it lacks: as in a fresh clone
                _add(inner, os.path.join(folder, path), oid, oid)


def _gitlinks(git: Git) -> Iterator[tuple[str, str]]:
    """Path and commit of every submodule."""
    for row in git.run("ls-files", "-z", "--stage").split(b"\0")[:-1]:
        head, path = row.split(b"\t", 1)
        mode, oid, _ = head.decode().split(" ")
        if mode == SUBMODULE:
            yield os.fsdecode(path), oid


def _submodules(folder: str, prefix: str = "") -> Iterator[str]:
    """Paths of the submodules of a work tree that have files, the inner ones first."""
    if not os.path.exists(os.path.join(folder, ".git")):
        return
    with contextlib.suppress(GitError):
        for path, _ in list(_gitlinks(Git(folder))):
            inner = os.path.join(folder, path)
            if os.path.isfile(os.path.join(inner, ".git")):
                yield from _submodules(inner, f"{prefix}{path}/")
                yield prefix + path


def _forget(git: Git, folder: str) -> None:
    """Remove what the repository knows of its work tree in ``folder``.

    Not ``git worktree prune``, which would also forget work trees of the user's on a disk that is not mounted.
    """
    with contextlib.suppress(GitError, OSError), _worktrees(git) as known:
        for entry in os.scandir(known):
            with contextlib.suppress(OSError), open(f"{entry.path}/gitdir", "rb") as file:
                if os.fsdecode(file.read()).strip() == os.path.join(folder, ".git"):
                    delete(entry.path)


@contextlib.contextmanager
def _worktrees(git: Git) -> Iterator[str]:
    """The folder in which the repository keeps its work trees, while no other process of ours changes it.

    Git gives up at the sight of one that is just being removed.
    """
    common = os.fsdecode(git.run("rev-parse", "--path-format=absolute", "--git-common-dir")).strip()
    handle = os.open(common, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield os.path.join(common, "worktrees")
    finally:
        os.close(handle)


# --- files of the project ---------------------------------------------------------------------------


def _configure(outside: Outside) -> None:
    home, there = outside.home, outside.layout
    os.makedirs(there.tmp, exist_ok=True)
    for name in _PRIVATE:
        old, new = os.path.join(home.dvc_dir, name), os.path.join(there.dvc_dir, name)
        if os.path.exists(old) and not os.path.exists(new):
            shutil.copyfile(old, new)
    config = local_config(home.root, home.cache_dir)
    write_atomic(os.path.join(there.dvc_dir, "config.local"), config, sync=False)
    # What was parsed from the files is known by their digests: it serves here as well.
    kept = os.path.join(there.tmp, "kept")
    os.makedirs(kept, exist_ok=True)
    with contextlib.suppress(FileNotFoundError), os.scandir(os.path.join(home.tmp, "kept")) as all_:
        for entry in all_:
            with contextlib.suppress(OSError):
                os.link(entry.path, os.path.join(kept, entry.name))


def _mark_path(outside: Outside) -> str:
    return os.path.join(outside.layout.tmp, "start")


def _mark(outside: Outside) -> str | None:
    """The start of a workspace that was set up to its end."""
    try:
        with open(_mark_path(outside), "rb") as file:
            return file.read().decode()
    except OSError:
        return None

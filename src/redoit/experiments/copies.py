"""Paths that the user wants beside an experiment although Git does not know them: copied, never recorded."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Sequence

from redoit.errors import ExperimentError
from redoit.git import Git
from redoit.project import Layout
from redoit.store.drafts import copy_file


def find_copies(layout: Layout, git: Git, paths: Sequence[str], cwd: str) -> list[str]:
    """``paths``, relative to the directory ``cwd``, as paths relative to the top of the work tree.

    Raises ExperimentError for one that is not there, lies outside of the repository, or is the repository.
    """
    top = os.path.realpath(git.toplevel)
    found = []
    for path in paths:
        place = os.path.normpath(os.path.join(cwd or layout.root, path))
        if not os.path.exists(place):
            broken = os.path.islink(place)
            raise ExperimentError(
                f"'{path}' is a broken link" if broken else f"there is nothing at '{path}' to copy",
                hint="paths given with -C are files or directories, relative to this folder",
            )
        parent = os.path.realpath(os.path.dirname(place))
        inside = os.path.relpath(os.path.join(parent, os.path.basename(place)), top)
        if inside == "." or inside == ".." or inside.startswith("../"):
            raise ExperimentError(
                f"'{path}' cannot be copied: it does not lie inside of the repository",
                facts={"repository": top},
                hint="the stages can read it where it is, by its absolute path",
            )
        if inside.split("/")[0] == ".git" or ".dvc/tmp" in f"{inside}/":
            raise ExperimentError(f"'{path}' cannot be copied: it belongs to Git or DVC")
        if f"{layout.tmp}/".startswith(f"{os.path.realpath(place).rstrip('/')}/"):
            raise ExperimentError(
                f"'{path}' cannot be copied: the copies themselves would be in it",
                hint="name what is needed of it",
            )
        found.append(inside)
    return list(dict.fromkeys(found))


def copy_paths(source: str, paths: Sequence[str], target: str) -> None:
    """Copy these files and directories of the folder ``source`` into the folder ``target``, links followed.

    As cheap as the file system allows: blocks are shared where it can. What is there already is replaced.
    Raises ExperimentError if the disk fails.
    """
    for path in paths:
        place, new = os.path.join(source, path), os.path.join(target, path)
        try:
            os.makedirs(os.path.dirname(new), exist_ok=True)
            if os.path.isdir(place):
                shutil.copytree(
                    place, new, copy_function=_copy, dirs_exist_ok=True,
                    ignore_dangling_symlinks=True, ignore=_loops,
                )  # fmt: skip
            else:
                _copy(place, new)
        except (OSError, shutil.Error) as error:
            raise ExperimentError(
                f"'{path}' cannot be copied",
                facts={"because": _because(error)},
                hint="make room or make it readable, or leave it out of -C",
            ) from error


def _loops(folder: str, names: list[str]) -> list[str]:
    """Those of ``names`` that are links to the folder that they are in, or to one around it: there is no end to them."""
    here = f"{os.path.realpath(folder)}/"
    paths = {name: os.path.join(folder, name) for name in names}
    return [
        name
        for name, path in paths.items()
        if os.path.islink(path) and here.startswith(f"{os.path.realpath(path).rstrip('/')}/")
    ]


def _copy(source: str, target: str) -> str:
    if not os.path.isfile(source):  # to open a pipe would wait for whoever writes into it
        raise OSError(errno.EINVAL, "it is neither a file nor a directory", source)
    with open(source, "rb") as old, open(target, "wb") as new:
        copy_file(old.fileno(), new.fileno())
    shutil.copystat(source, target)
    return target


def _because(error: Exception) -> str:
    if isinstance(error, OSError) and not isinstance(error, shutil.Error):
        return f"{error.strerror}: {error.filename}"
    first = error.args[0][0] if error.args and error.args[0] else ("", "", str(error))
    return f"{first[2]}"

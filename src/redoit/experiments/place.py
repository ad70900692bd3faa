"""Prepared files put into the work tree, and what is in their way kept. Nothing is written through a link."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Collection, Iterable

from redoit.project import Layout

KEPT = "backup"
"""The folder in ``Layout.tmp`` where edits are kept; ``exp clean`` leaves it alone."""


class Keeper:
    """Owns the folder of one command's kept edits; made with the first of them."""

    def __init__(self, layout: Layout, name: str) -> None:
        self._parent = os.path.join(layout.tmp, KEPT)
        self._name = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
        self.folder: str | None = None

    def copy(self, place: str, path: str) -> None:
        """Keep a copy of the file ``place`` under the relative ``path``. Raises OSError."""
        import shutil  # slow to import, and seldom needed

        shutil.copy2(place, self._room(path), follow_symlinks=False)

    def move(self, place: str, path: str) -> None:
        """Keep the file or folder ``place`` itself, which is gone from there then. Raises OSError."""
        import shutil

        shutil.move(place, self._room(path))

    def _room(self, path: str) -> str:
        if self.folder is None:
            os.makedirs(self._parent, exist_ok=True)
            self.folder = _new_folder(os.path.join(self._parent, self._name))
        target = os.path.join(self.folder, path.lstrip("/"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        return target


def _new_folder(path: str) -> str:
    number = 1
    while True:
        name = path if number == 1 else f"{path}-{number}"
        try:
            os.mkdir(name)
        except FileExistsError:
            number += 1
        else:
            return name


def blocking(
    top: str, files: Iterable[str], outs: Iterable[str], leaving: Collection[str]
) -> list[str]:
    """What lies where ``files`` and the folders of ``outs`` must be, and is not among ``leaving``: files and
    links where folders must be, folders with something in them where files must be. Paths relative to ``top``.
    """
    found: dict[str, None] = {}
    clear: set[str] = set()
    for path in (*files, *outs):
        obstacle = _on_the_way(top, path, clear)
        if obstacle is not None and obstacle not in leaving:
            found[obstacle] = None
    for path in files:
        place = os.path.join(top, path)
        mode = _mode(place)
        if mode is None or stat.S_ISREG(mode) or stat.S_ISLNK(mode):
            continue
        if not stat.S_ISDIR(mode) or any(
            inside not in leaving for inside in _files_below(top, path)
        ):
            found[path] = None
    return list(found)


def _on_the_way(top: str, path: str, clear: set[str]) -> str | None:
    """The first thing on the way to ``path`` that is no folder. ``clear``: folders known to be fine."""
    parts = path.split("/")[:-1]
    for length in range(1, len(parts) + 1):
        folder = "/".join(parts[:length])
        if folder in clear:
            continue
        mode = _mode(os.path.join(top, folder))
        if mode is None:
            return None
        if not stat.S_ISDIR(mode):
            return folder
        clear.add(folder)
    return None


def _mode(place: str) -> int | None:
    try:
        return os.lstat(place).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None


def _files_below(top: str, path: str) -> Iterable[str]:
    for folder, folders, files in os.walk(os.path.join(top, path)):
        inside = os.path.relpath(folder, top)
        for name in files:
            yield os.path.join(inside, name)
        for name in folders:
            if os.path.islink(os.path.join(folder, name)):
                yield os.path.join(inside, name)


def put(prepared: str, top: str, path: str) -> None:
    """Give the file ``prepared`` its place, in one step if a file is there. Raises OSError."""
    target = os.path.join(top, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.isdir(target) and not os.path.islink(target):
        _remove_empty_folders(target)
    try:
        os.replace(prepared, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        import shutil

        beside = f"{target}.{os.getpid()}.tmp"
        shutil.copy2(prepared, beside, follow_symlinks=False)
        os.replace(beside, target)


def delete(top: str, path: str) -> None:
    """Remove a file, and the folders that are empty without it. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(top, path))
    folder = os.path.dirname(path)
    while folder:
        try:
            os.rmdir(os.path.join(top, folder))
        except OSError:
            return
        folder = os.path.dirname(folder)


def _remove_empty_folders(place: str) -> None:
    for folder, _, _ in os.walk(place, topdown=False):
        os.rmdir(folder)

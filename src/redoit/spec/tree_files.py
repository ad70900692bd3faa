"""The files of a project as a commit has them, without a checkout."""

from __future__ import annotations

import errno
import os
import posixpath
from collections.abc import Iterator

from redoit.git_objects import GitObjects, TreeEntry
from redoit.model import RepoPath
from redoit.spec.files import Listed

_LINKS = 40
"""Symbolic links that are followed for one path, as the system does."""


class TreeFiles:
    """The Files in a tree of Git; ``prefix`` is the project's folder in it, with ``/`` at the end."""

    is_work_tree = False

    def __init__(self, root: str, objects: GitObjects, tree: str, prefix: str = "") -> None:
        self.root = root
        self._objects = objects
        self._prefix = prefix
        self._top = TreeEntry(0o040000, tree)

    def read(self, path: RepoPath) -> bytes:
        entry = self._find(path)
        if entry is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        if entry.is_tree:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        if not entry.is_file:  # a submodule: its content is not here
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return self._objects.blob(entry.id)

    def list(self, folder: str) -> Iterator[Listed]:
        entry = self._find(folder)
        if entry is None or not entry.is_tree:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), folder)
        for name, found in self._objects.tree(entry.id).items():
            yield _InTree(self, posixpath.join(folder, name), name, found)

    def is_dir(self, path: str) -> bool:
        entry = self._find(path)
        return entry is not None and entry.is_tree

    def is_file(self, path: str) -> bool:
        """Whether ``path`` is a file that this repository holds; a submodule is none."""
        entry = self._find(path)
        return entry is not None and entry.is_file

    def exists(self, path: str) -> bool:
        return self._find(path) is not None

    def _find(self, path: str) -> TreeEntry | None:
        """What ``path`` stands for in the end, symbolic links inside of the tree followed."""
        todo = [part for part in reversed((self._prefix + path).split("/")) if part]
        trail = [self._top]
        links = 0
        while todo:
            part = todo.pop()
            if part == ".":
                continue
            if part == "..":
                if len(trail) == 1:
                    return None
                trail.pop()
                continue
            if not trail[-1].is_tree:
                return None
            entry = self._objects.tree(trail[-1].id).get(part)
            if entry is None:
                return None
            if entry.is_link:
                links += 1
                target = os.fsdecode(self._objects.blob(entry.id))
                if target.startswith("/") or links > _LINKS:
                    return None
                todo.extend(reversed(target.split("/")))
            else:
                trail.append(entry)
            todo = [word for word in todo if word]
        return trail[-1]


class _InTree:
    """A name in a folder of a TreeFiles."""

    def __init__(self, files: TreeFiles, path: str, name: str, entry: TreeEntry) -> None:
        self.name = name
        self._files = files
        self._path = path
        self._entry = entry

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        if self._entry.is_link and follow_symlinks:
            return self._files.is_dir(self._path)
        return self._entry.is_tree

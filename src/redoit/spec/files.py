"""Where the files of a project come from: its work tree, or a tree of Git."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Protocol

from redoit.model import RepoPath


class Listed(Protocol):
    """A name in a folder, as ``os.scandir`` gives it."""

    @property
    def name(self) -> str: ...

    def is_dir(self, *, follow_symlinks: bool = True) -> bool: ...


class Files(Protocol):
    """The files of a project at one moment. Paths are relative to its root."""

    root: str
    """The project's root on the disk; what a path that leaves the project is relative to."""
    is_work_tree: bool

    def read(self, path: RepoPath) -> bytes:
        """The content of a file. Raises OSError, as ``open`` does."""
        ...

    def list(self, folder: str) -> Iterator[Listed]:
        """What lies in ``folder``. Raises OSError."""
        ...

    def is_dir(self, path: str) -> bool: ...

    def exists(self, path: str) -> bool: ...


class WorkFiles:
    """The work tree of the project at ``root``."""

    is_work_tree = True

    def __init__(self, root: str) -> None:
        self.root = root

    def read(self, path: RepoPath) -> bytes:
        with open(os.path.join(self.root, path), "rb") as file:
            return file.read()

    def list(self, folder: str) -> Iterator[Listed]:
        with os.scandir(os.path.join(self.root, folder)) as entries:
            yield from entries

    def is_dir(self, path: str) -> bool:
        return os.path.isdir(os.path.join(self.root, path))

    def exists(self, path: str) -> bool:
        return os.path.exists(os.path.join(self.root, path))

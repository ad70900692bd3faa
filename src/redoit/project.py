"""A project as a value: where its things are and what its configuration says. No verbs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property

from redoit.config import Config, Settings, load_config, load_settings
from redoit.errors import NotAProject
from redoit.files import Kept, digest_bytes
from redoit.model import Algo, RepoPath


@dataclass(frozen=True)
class Layout:
    """A project rooted at ``root`` (absolute, real path; it has ``.dvc/``)."""

    root: str
    home: str = ""
    """Of a workspace outside of the user's: the root of the project in that."""

    @property
    def dvc_dir(self) -> str:
        return os.path.join(self.root, ".dvc")

    @property
    def tmp(self) -> str:
        """Redoit's own local state; everything in it can be deleted, but for ``backup/``: edits that were kept."""
        return os.path.join(self.root, ".dvc", "tmp", "redoit")

    @property
    def token(self) -> str:
        """Tells this project from others on the machine, those in the same repository included; fit for a path and a ref."""
        return digest_bytes(os.fsencode(self.root))[:12]

    @property
    def meeting(self) -> str:
        """Path of the locks by which runs meet that want the same stages."""
        return os.path.join(self.tmp, "meet.lock")

    @cached_property
    def config(self) -> Config:
        """DVC's configuration: system, global, ``.dvc/config``, ``.dvc/config.local``."""
        return load_config(self.root)

    @cached_property
    def settings(self) -> Settings:
        """Redoit's own: ``.dvc/redoit.toml``."""
        return load_settings(self.root)

    @cached_property
    def kept(self) -> Kept:
        return Kept(os.path.join(self.tmp, "kept"))

    @property
    def algo(self) -> Algo:
        """The digest that names content in this project's cache and ``dvc.lock``."""
        return self.settings.hash

    @cached_property
    def cache_dir(self) -> str:
        """Absolute path of the cache (``cache.dir``, by default ``.dvc/cache``)."""
        return self.config.cache_dir(self.root)

    def abspath(self, path: str) -> str:
        """RepoPath → absolute path."""
        return os.path.join(self.root, path) if path else self.root

    def folder_for(self, path: str, wdir: str = "") -> str:
        """The folder (absolute) from which ``path``, written in the folder ``wdir``, counts.

        One that leads out of the project counts from the user's workspace, wherever this one lies.
        """
        where = os.path.normpath(os.path.join(wdir, path))
        leads_out = where == os.pardir or where.startswith(f"{os.pardir}{os.sep}")
        return os.path.join(self.home if self.home and leads_out else self.root, wdir)

    def relative(self, path: str) -> RepoPath:
        """Absolute path → RepoPath; stays absolute if it is outside of the project."""
        if path == self.root:
            return RepoPath("")
        prefix = self.root + os.sep
        return RepoPath(path[len(prefix) :] if path.startswith(prefix) else path)


def find_layout(start: str) -> Layout:
    """The project that ``start`` (a directory) lies in.

    Raises NotAProject, with the command that makes one, if no parent has ``.dvc/``.
    """
    here = os.path.realpath(start)
    folder = here
    while True:
        if os.path.isdir(os.path.join(folder, ".dvc")):
            return Layout(folder)
        parent = os.path.dirname(folder)
        if parent == folder:
            break
        folder = parent
    pipeline = os.path.exists(os.path.join(here, "dvc.yaml"))
    raise NotAProject(
        "there is a dvc.yaml here, but no project around it"
        if pipeline
        else "this is not a project",
        facts={"looked in": f"{here} and its parents, for a folder .dvc"},
        hint="run `exp init` in the project's top folder to make one",
    )

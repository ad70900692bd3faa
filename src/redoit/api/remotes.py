"""``Project.remotes``: where a project's data are kept besides its cache."""

from __future__ import annotations

import os

from redoit.config.remotes import (
    RemoteLine,
    add_remote,
    default_remote,
    list_remotes,
    modify_remote,
    remove_remote,
    rename_remote,
    set_default_remote,
)


class Remotes:
    """The remotes in DVC's configuration, of the project at ``root`` (None: the user's own alone).

    ``level`` is "system", "global", "project" (what is written to without it) or "local". All raise ConfigError.
    """

    def __init__(self, root: str | None) -> None:
        self._root = root

    def list(self, level: str | None = None) -> list[RemoteLine]:
        """The remotes there are, of one level or of all together."""
        return list_remotes(self._root, level)

    def default(self, level: str | None = None) -> str | None:
        """Name of the default remote, or None."""
        return default_remote(self._root, level)

    def add(
        self,
        name: str,
        url: str,
        level: str | None = None,
        *,
        default: bool = False,
        force: bool = False,
        cwd: str | None = None,
    ) -> None:
        """Add a remote; a path is relative to ``cwd``. ``force`` replaces the one that has the name."""
        here = os.getcwd() if cwd is None else cwd
        add_remote(self._root, name, url, level, default=default, force=force, cwd=here)

    def modify(
        self,
        name: str,
        option: str,
        value: str | None,
        level: str | None = None,
        *,
        cwd: str | None = None,
    ) -> None:
        """Set an option of a remote; None takes it out."""
        here = os.getcwd() if cwd is None else cwd
        modify_remote(self._root, name, option, value, level, cwd=here)

    def set_default(self, name: str | None, level: str | None = None) -> None:
        """Make a remote the default; None: there is none any more."""
        set_default_remote(self._root, name, level)

    def rename(self, name: str, new: str, level: str | None = None) -> None:
        """Give a remote another name."""
        rename_remote(self._root, name, new, level)

    def remove(self, name: str, level: str | None = None) -> None:
        """Forget a remote; what lies there stays."""
        remove_remote(self._root, name, level)

"""The configuration as frozen values with typed accessors."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from redoit.model import Algo


@dataclass(frozen=True)
class Config:
    """DVC's configuration, all levels merged and checked.

    ``raw``: section → option → value, as text (a list of texts where commas stood); ``remote``,
    ``machine`` and ``db`` have a name in between. Paths are absolute; section and option names,
    and the names of remotes, are lower case.
    """

    raw: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def text(self, section: str, option: str) -> str | None:
        """The option's text, or None if no level sets it."""
        value = self.raw.get(section, {}).get(option)
        return ",".join(value) if isinstance(value, list) else value

    def flag(self, section: str, option: str, default: bool = False) -> bool:
        """The option as a truth value."""
        value = self.text(section, option)
        return default if value is None else value.lower() == "true"

    def cache_dir(self, root: str) -> str:
        """Absolute path of the cache of the project at ``root``."""
        named = self.text("cache", "local")  # obsolete, but DVC still obeys it
        if named is not None:
            url = self.remotes.get(named.lower(), {}).get("url")
            if url is not None:
                return str(url)
        return self.text("cache", "dir") or os.path.join(root, ".dvc", "cache")

    def cache_types(self) -> tuple[str, ...]:
        """How files of the workspace are linked to the cache, the first choice first."""
        value = self.text("cache", "type")
        if not value:
            return ("reflink", "copy")
        return tuple(word.strip() for word in value.split(","))

    @property
    def cache_shared(self) -> bool:
        """The cache belongs to a group: everything in it is made writable for the group."""
        return self.text("cache", "shared") is not None

    @property
    def autostage(self) -> bool:
        return self.flag("core", "autostage")

    @property
    def interactive(self) -> bool:
        return self.flag("core", "interactive")

    @property
    def no_scm(self) -> bool:
        """The project says that it lives without Git."""
        return self.flag("core", "no_scm")

    @property
    def remote(self) -> str | None:
        """Name of the default remote."""
        name = self.text("core", "remote")
        return None if name is None else name.lower()

    @property
    def remotes(self) -> Mapping[str, Mapping[str, Any]]:
        """Name → options."""
        return self.raw.get("remote", {})

    @property
    def parsing_bool(self) -> str:
        """How a true value becomes an argument: ``store_true`` or ``boolean_optional``."""
        return (self.text("parsing", "bool") or "store_true").lower()

    @property
    def parsing_list(self) -> str:
        """How a list becomes arguments: ``nargs`` or ``append``."""
        return (self.text("parsing", "list") or "nargs").lower()

    @property
    def exp_auto_push(self) -> bool:
        """Whether experiments are pushed as they are recorded; the environment's word counts more."""
        said = os.environ.get("DVC_EXP_AUTO_PUSH")
        if said is not None:
            return re.search("1|y|true", said, re.IGNORECASE) is not None  # as DVC reads it
        return self.flag("exp", "auto_push")

    @property
    def exp_git_remote(self) -> str:
        """Name or URL of the Git remote that experiments are pushed to by themselves."""
        return os.environ.get("DVC_EXP_GIT_REMOTE") or self.text("exp", "git_remote") or "origin"

    @property
    def hydra_enabled(self) -> bool:
        return self.flag("hydra", "enabled")

    @property
    def hydra_config_dir(self) -> str | None:
        """As written: relative to the project's root."""
        return self.text("hydra", "config_dir")

    @property
    def hydra_config_module(self) -> str | None:
        return self.text("hydra", "config_module")

    @property
    def hydra_config_name(self) -> str | None:
        return self.text("hydra", "config_name")

    @property
    def hydra_plugins_path(self) -> str | None:
        return self.text("hydra", "plugins_path")

    @property
    def state_dir(self) -> str | None:
        """``state.dir``: obsolete; DVC and Redoit read it and do nothing with it."""
        return self.text("state", "dir")


@dataclass(frozen=True)
class Settings:
    """Redoit's own settings: ``.dvc/redoit.toml``."""

    hash: Algo = Algo.MD5
    """The digest that names content: DVC's md5 unless the project chose xxh128."""
    exps_dir: str | None = None
    """Where workspaces of experiments are made, absolute or relative to the project; None: ``.dvc/tmp/exps``."""

"""The configuration with which data of another project are got: its own, and what the import adds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from redoit.config.load import check, load_config, merge, resolve_paths
from redoit.config.parse import Sections, parse, read_text
from redoit.config.values import Config
from redoit.errors import ConfigError
from redoit.model import RepoPath
from redoit.spec.files import Files


class SourceConfig(NamedTuple):
    """``elsewhere``: remotes that are paths relative to a project that is not on this machine."""

    config: Config
    elsewhere: frozenset[str]


def source_config(
    files: Files, repo: Mapping[str, Any], folder: str, *, is_here: bool
) -> SourceConfig:
    """The configuration of the project that ``files`` are, for the import ``repo``.

    If it ``is_here``, on this machine, its ``config.local`` counts too. ``folder`` is what a file of configuration
    named by the import is relative to. Raises ConfigError.
    """
    merged: Sections = {}
    merge(merged, dict(load_config(None).raw))
    place = os.path.join(files.root, ".dvc", "config")
    try:
        text = files.read(RepoPath(".dvc/config")).decode("utf-8", "replace")
    except FileNotFoundError:
        text = ""
    _add(merged, text, place)
    elsewhere = frozenset[str]() if is_here else _relative(parse(text, place))
    if is_here:
        _add(merged, read_text(f"{place}.local"), f"{place}.local")
    extra = repo.get("config")
    if isinstance(extra, str):
        path = os.path.normpath(os.path.join(folder, os.path.expanduser(extra)))
        if not os.path.isfile(path):
            raise ConfigError(
                "the configuration that the import names is not there",
                facts={"file": path},
                hint="give the path of a file such as .dvc/config",
            )
        _add(merged, read_text(path), path)
    elif isinstance(extra, Mapping):
        merge(merged, resolve_paths(_plain(extra), folder))
    _choose_remote(merged, repo.get("remote"), folder)
    return SourceConfig(Config(merged), elsewhere)


def _relative(sections: Sections) -> frozenset[str]:
    remotes = sections.get("remote", {})
    urls = {name: str(table.get("url", "/")) for name, table in remotes.items()}
    return frozenset(
        name for name, url in urls.items() if "://" not in url and not os.path.isabs(url)
    )


def _add(merged: Sections, text: str, path: str) -> None:
    sections = parse(text, path)
    check(sections, path, text)
    merge(merged, resolve_paths(sections, os.path.dirname(path)))


def _plain(value: Any) -> Any:
    """Values of YAML as those of a configuration: names in lower case, text."""
    if isinstance(value, Mapping):
        return {str(key).lower(): _plain(item) for key, item in value.items()}
    return str(value).lower() if isinstance(value, bool) else str(value)


def _choose_remote(merged: Sections, remote: Any, folder: str) -> None:
    """``remote`` is the name of the default remote, or options for it."""
    core = merged.setdefault("core", {})
    if isinstance(remote, str):
        core["remote"] = remote.lower()
    elif isinstance(remote, Mapping):
        name = str(core.get("remote", "import")).lower()
        core["remote"] = name
        more = resolve_paths({"remote": {name: _plain(remote)}}, folder)
        merge(merged, more)

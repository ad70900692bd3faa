"""The configuration of a project for a work tree of it that lies elsewhere."""

from __future__ import annotations

import os
from typing import Any

from redoit.config import schema
from redoit.config.load import merge, resolve_paths
from redoit.config.parse import Sections, levels, parse, read_text


def local_config(root: str, cache_dir: str) -> bytes:
    """The content of a ``.dvc/config.local`` with which a work tree elsewhere uses the same cache and remotes.

    It has what ``config.local`` of the project at ``root`` has, and every path that counts from there. Raises
    ConfigError.
    """
    files = levels(root)
    merged: Sections = {"cache": {"dir": cache_dir}}
    for level in ("project", "local"):
        path = files[level]
        written = parse(read_text(path), path)
        resolved = resolve_paths(written, os.path.dirname(path))
        merge(merged, resolved if level == "local" else _paths(resolved, written))
    merged["cache"]["dir"] = cache_dir
    return _emit(merged)


def _paths(resolved: Sections, written: Sections) -> Sections:
    """Of the sections with paths those options that are not absolute as they are written."""
    found: Sections = {}
    for section, options in schema.PATHS.items():
        table = resolved.get(section, {})
        named = section in schema.NAMED
        for name, inner in table.items() if named else [("", table)]:
            before = written[section][name] if named else written.get(section, {})
            for option in options:
                if isinstance(inner, dict) and inner.get(option) != before.get(option):
                    target = found.setdefault(section, {})
                    (target.setdefault(name, {}) if named else target)[option] = inner[option]
    return found


def _emit(sections: Sections) -> bytes:
    from configobj import ConfigObj

    document: Any = ConfigObj(interpolation=False, encoding="utf-8")
    document.indent_type = "    "
    for section, table in sections.items():
        if section in schema.NAMED:
            for name, options in table.items():
                document[f'{section} "{name}"'] = options
        else:
            document[section] = table
    lines: list[bytes] = document.write()
    return b"\n".join(lines) + b"\n"

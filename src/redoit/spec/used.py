"""Which values of vars files a stage uses through ``${...}``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from redoit.spec.template import EXPRESSION
from redoit.spec.variables import DEFAULT_FILE, Variables

Used = dict[str, dict[str, Any]]
"""Vars file → dotted key → value. The project's own ``params.yaml`` is never among them: it is shown anyway."""


def used_values(fields: Any, variables: Variables, origins: Mapping[str, str]) -> Used:
    """The plain values of vars files that the texts in ``fields`` name; mappings and lists are none, as in DVC.

    ``origins``: what ``item`` and its parts stand for, as keys of the variables.
    """
    files = [
        (label, values)
        for label, values in variables.layers
        if label in variables.loaded and label != DEFAULT_FILE
    ]
    found: Used = {}
    if not files:
        return found
    for text in _texts(fields):
        for match in re.finditer(EXPRESSION, text):
            parts = _parts(match[1], origins)
            for label, values in files:
                value = _value(values, parts)
                if value is not _NOTHING:
                    found.setdefault(label, {})[".".join(parts)] = value
    return found


def only_expression(value: Any) -> str | None:
    """``a.b`` for the text ``${a.b}``, None for anything else."""
    match = re.fullmatch(EXPRESSION, value) if isinstance(value, str) else None
    return ".".join(_parts(match[1], {})) if match else None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if "${" in value:
            yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _parts(key: str, origins: Mapping[str, str]) -> list[str]:
    parts = [part.strip() for part in key.replace("[", ".").replace("]", "").split(".")]
    for length in range(len(parts), 0, -1):
        origin = origins.get(".".join(parts[:length]))
        if origin is not None:
            return [*origin.split("."), *parts[length:]]
    return parts


_NOTHING = object()


def _value(values: Any, parts: list[str]) -> Any:
    here = values
    for part in parts:
        if isinstance(here, dict) and part in here:
            here = here[part]
        elif isinstance(here, list) and part.isdigit() and int(part) < len(here):
            here = here[int(part)]
        else:
            return _NOTHING
    if isinstance(here, (dict, list)):
        return _NOTHING
    return here if here is None or isinstance(here, (str, int, float)) else str(here)

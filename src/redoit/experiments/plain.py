"""Values of params and metrics files as JSON knows them, and parts of them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

_NOTHING = object()
"""Not there; None is a value."""


def plain(value: Any) -> Any:
    """``value`` as JSON knows it: keys are text, dates are text in ISO form, sets and tuples are lists."""
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else _key(key): plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return [plain(item) for item in sorted(value, key=repr)]
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return str(value)


def _key(key: Any) -> str:
    """A key that is no text, as JSON has it."""
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    return str(plain(key))


def only_metrics(value: Any) -> Any:
    """The numbers and texts of ``value``; None for anything else: lists and nulls are no metrics."""
    if isinstance(value, (int, float, str)):
        return value
    if not isinstance(value, Mapping):
        return None
    found = {}
    for key, item in value.items():
        inner = only_metrics(item)
        if inner is not None and inner != {}:
            found[key if isinstance(key, str) else _key(key)] = inner
    return found


def pick(data: Any, keys: Iterable[str]) -> Any:
    """The parts of ``data`` under the dotted ``keys``, at their places; those that it lacks are left out."""
    found: Any = {}
    for key in keys:
        found = _merged(found, _pick(data, key.split(".")))
    return found


def _pick(data: Any, parts: list[str]) -> Any:
    if not parts:
        return data
    head, rest = parts[0], parts[1:]
    if isinstance(data, Mapping):
        chosen = [head] if head in data else [key for key in data if fnmatchcase(key, head)]
        return {
            key: inner for key in chosen if (inner := _pick(data[key], rest)) is not _NOTHING
        } or _NOTHING
    if isinstance(data, list) and head.isdigit() and int(head) < len(data):
        inner = _pick(data[int(head)], rest)
        return _NOTHING if inner is _NOTHING else [*[None] * int(head), inner]
    return _NOTHING


def _merged(old: Any, new: Any) -> Any:
    if new is _NOTHING or new is None:
        return old
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return {**old, **{key: _merged(old.get(key), item) for key, item in new.items()}}
    if isinstance(old, list) and isinstance(new, list):
        size = max(len(old), len(new))
        pairs = zip(_padded(old, size), _padded(new, size), strict=True)
        return [_merged(before, after) for before, after in pairs]
    return new


def _padded(items: list[Any], size: int) -> list[Any]:
    return [*items, *[None] * (size - len(items))]


def flatten(data: Any) -> dict[str, Any]:
    """Dotted key → value, lists as they are; a value that is no mapping has the key ``""``.

    An empty mapping inside has no key, as in DVC. ``data`` is as ``plain`` makes it.
    """
    if not isinstance(data, dict):
        return {"": data}
    found: dict[str, Any] = {}
    _flatten(data, "", found)
    return found


def _flatten(data: dict[str, Any], lead: str, found: dict[str, Any]) -> None:
    for key, value in data.items():
        if type(value) is dict:
            _flatten(value, f"{lead}{key}.", found)
        else:
            found[lead + key] = value

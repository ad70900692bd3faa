"""Whether two values are the same, and where they differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from redoit.spec.source import Path


def same(one: Any, other: Any) -> bool:
    """Whether both are equal and of the same types, all the way down; a tuple is as good as a list."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if type(one) is not type(other):
        return False
    return bool(one == other) or (one != one and other != other)  # NaN is NaN


def changes(old: Any, new: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """(path, new value) of everything that differs; a mapping or list that grew or shrank counts whole."""
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        for key, value in old.items():
            yield from changes(value, new[key], (*path, key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, value in enumerate(old):
            yield from changes(value, new[index], (*path, index))
    elif not same(old, new):
        yield path, new

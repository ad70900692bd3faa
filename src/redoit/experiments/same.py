"""Whether two values are the same."""

from __future__ import annotations

from typing import Any


def same(one: Any, other: Any) -> bool:
    """Whether both are equal and of the same types, all the way down; a tuple is as good as a list."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if type(one) is not type(other):
        return False
    return bool(one == other) or (one != one and other != other)  # NaN is NaN

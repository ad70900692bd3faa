"""What follows from a list that many stages share is worked out once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")

_SHORT = 8
"""A list of so many items or fewer is worked through again in the time that it takes to look it up."""


class Once(Generic[Result]):
    """Owns the results of ``work`` for the tuples it was called with, known by identity.

    In a dense graph hundreds of stages read the same hundreds of files. Equal tuples are one object where
    they come from (``spec.kept``, ``trace.traces``), as comparing them would cost as much as the work.
    """

    def __init__(self, work: Callable[..., Result]) -> None:
        self._work = work
        self._known: dict[tuple[int, ...], tuple[Result, tuple[tuple[Any, ...], ...]]] = {}
        """The tuples are kept beside the result: as long as they live, nothing else has their identity."""

    def __call__(self, *lists: tuple[Any, ...]) -> Result:
        if len(lists[0]) <= _SHORT:
            return self._work(*lists)
        key = tuple(map(id, lists))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = (self._work(*lists), lists)
        return known[0]

"""Imports that wait until they are needed: half of a short command is spent on importing.

They stand at the top of a module, where type checkers and `lint-imports` see them as they are:

    if TYPE_CHECKING:
        from redoit.experiments.apply import apply_experiment
    else:
        apply_experiment = late("redoit.experiments.apply", "apply_experiment")
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def late(module: str, name: str) -> Callable[..., Any]:
    """What ``name`` of ``module`` is, to be called; the module is imported at the first call."""

    def call(*args: Any, **keywords: Any) -> Any:
        return getattr(import_module(module), name)(*args, **keywords)

    return call

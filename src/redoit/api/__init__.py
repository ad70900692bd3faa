"""The Python interface: a project and its verbs. The command line is a thin face over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from redoit.api.project import Project as Project

__all__ = ["Project"]


def __getattr__(name: str) -> Any:
    # Late, so that a look at the queue does not pay for the engine.
    if name == "Project":
        from redoit.api.project import Project

        return Project
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

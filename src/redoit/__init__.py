"""Redoit runs ``dvc.yaml`` pipelines as experiments on top of doit.

``from redoit import Project`` is the Python interface; ``exp`` is the command; ``redoit.dodo`` is for plain doit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from redoit.api import Project as Project

__all__ = ["Project", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Late, so that `exp --help` and doit's plug-in loading do not pay for the engine.
    if name == "Project":
        from redoit.api import Project

        return Project
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

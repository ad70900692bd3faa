"""The public face for plain doit: a project's stages as the tasks of a ``dodo.py``.

``dodo_template.py`` shows its use. Decisions, ``dvc.lock`` and cache are those of ``exp repro``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from redoit.engine.plain import PlainTasks
from redoit.engine.session import Session
from redoit.experiments.save import save_experiment
from redoit.git import Git
from redoit.project import find_layout


class Dodo:
    """The tasks of the project that the file ``path`` (a ``dodo.py``: pass ``__file__``) lies in.

    Raises NotAProject, SpecError or GraphError if there is none or it cannot be read.
    """

    def __init__(self, path: str) -> None:
        self._tasks = PlainTasks(find_layout(os.path.dirname(os.path.abspath(path))))

    @property
    def config(self) -> dict[str, Any]:
        """Assign it to ``DOIT_CONFIG``; add to it what you like, but keep backend and checker."""
        return self._tasks.config

    def stages(self) -> Iterator[dict[str, Any]]:
        """Assign it to a name that begins with ``task_``: one task a stage, named as in ``dvc.yaml``."""
        yield from self._tasks.tasks()

    def experiment(self) -> dict[str, Any]:
        """Assign it to ``task_experiment``: runs the stages, then records an experiment."""
        return self._tasks.experiment(_save)


def _save(session: Session) -> str:
    git = Git(session.layout.root)
    experiment = save_experiment(
        session.layout,
        git,
        session.index,
        session.traces,
        name=None,
        message=None,
        force=False,
        baseline=git.head(),
    )
    return f"Recorded experiment: {experiment.name}"

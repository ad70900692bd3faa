"""doit's question "was this file changed?", answered by fingerprints."""

from __future__ import annotations

from typing import Any

from redoit.engine.decide import View
from redoit.engine.doit import FileChangedChecker
from redoit.model import Entry, RepoPath


class FingerprintChecker(FileChangedChecker):  # type: ignore[misc]
    """Compares a dep with its entry in the trace; owns nothing, asks the view that ``bind`` gives it."""

    def __init__(self) -> None:
        self._view: View | None = None

    def bind(self, view: View) -> None:
        """Say through whose eyes to look."""
        self._view = view

    def exists(self, file_path: str) -> bool:
        return self._view is not None and self._view.exists(RepoPath(file_path))

    def info(self, file_path: str) -> None:
        """Never fails: a missing dep counts as modified, and the action says what is missing."""

    def check_modified(self, file_path: str, file_stat: None, state: Entry) -> bool:
        return self._view is None or not self._view.matches(RepoPath(file_path), state)

    def get_state(self, dep: str, current_state: Any) -> None:
        """Nothing to save per dep: the trace has been recorded whole."""

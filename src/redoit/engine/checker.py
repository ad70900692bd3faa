"""doit's question "was this file changed?", answered by fingerprints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from redoit.engine.doit import FileChangedChecker
from redoit.engine.session import Session
from redoit.model import Entry, RepoPath


class Eyes(Protocol):
    """What the checker asks: a Look, or a session in which data may be missing."""

    def exists(self, path: RepoPath) -> bool: ...
    def matches(self, path: RepoPath, entry: Entry) -> bool: ...


class WithoutData:
    """The Eyes of a session in which data may be missing."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def exists(self, path: RepoPath) -> bool:
        """Of outs, the tasks themselves know better."""
        return True

    def matches(self, path: RepoPath, entry: Entry) -> bool:
        return self._session.holds(path, entry)


class FingerprintChecker(FileChangedChecker):  # type: ignore[misc]
    """Compares a dep with its entry in the trace; owns nothing, asks the look that ``bind`` gives it."""

    def __init__(self) -> None:
        self._look: Eyes | None = None
        self._matches: Callable[[str, Entry], bool] = lambda path, entry: False

    def bind(self, look: Eyes) -> None:
        """Say through whose eyes to look."""
        self._look = look
        self._matches = look.matches  # type: ignore[assignment]

    def exists(self, file_path: str) -> bool:
        return self._look is not None and self._look.exists(RepoPath(file_path))

    def info(self, file_path: str) -> None:
        """Never fails: a missing dep counts as modified, and the action says what is missing."""

    def check_modified(self, file_path: str, file_stat: None, state: Entry) -> bool:
        return not self._matches(file_path, state)

    def get_state(self, dep: str, current_state: Any) -> None:
        """Nothing to save per dep: the trace has been recorded whole."""

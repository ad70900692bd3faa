"""What is to travel between cache and remote, how it goes on, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from redoit.errors import TransferFailed
from redoit.model import Algo, Entry, Oid

_NAMED = 10
"""So many things an error names."""


class Meter(Protocol):
    """Is told how transfers go on. Called from several threads."""

    def begin(self, verb: str, files: int, size: int | None) -> None:
        """``files`` are to be moved, of ``size`` bytes together if that is known."""

    def moved(self, size: int) -> None:
        """A file of ``size`` bytes has been moved."""

    def ended(self) -> None:
        """That was all."""


class SilentMeter:
    """A Meter that tells nobody."""

    def begin(self, verb: str, files: int, size: int | None) -> None: ...
    def moved(self, size: int) -> None: ...
    def ended(self) -> None: ...


class Wanted(NamedTuple):
    """The content of a file or directory that is to travel; ``path`` names it to the user."""

    path: str
    entry: Entry
    inside: str | None = None
    """Of a directory only this file, or what lies below it."""

    def takes(self, name: str) -> bool:
        """Whether the file ``name`` of the directory is to travel."""
        return self.inside is None or name == self.inside or name.startswith(f"{self.inside}/")


class Failure(NamedTuple):
    """Something that did not travel, and why."""

    path: str
    why: str


class Moved:
    """What came of transfers; they can be added up.

    ``files`` (those of directories' objects included) and their ``size`` in bytes travelled. ``missing``: paths whose
    content is not where it should have come from. ``lost``: what is not whole at the remote after sending.
    """

    def __init__(self) -> None:
        self.files = 0
        self.size = 0
        self.missing: list[str] = []
        self.failures: list[Failure] = []
        self.lost: set[tuple[Oid, Algo]] = set()

    def add(self, other: Moved) -> None:
        self.files += other.files
        self.size += other.size
        self.missing += other.missing
        self.failures += other.failures
        self.lost |= other.lost

    def lack(self, paths: Iterable[str]) -> None:
        """Count these as missing too, but for those of which a part is already, or has failed."""
        known = [*self.missing, *(each.path for each in self.failures)]
        self.missing += [
            path
            for path in paths
            if not any(each == path or each.startswith(f"{path}/") for each in known)
        ]

    def check(self, doing: str, *, missing_is_fine: bool = False) -> None:
        """Raise TransferFailed if something did not travel. ``doing``: "sent to …", "got from …"."""
        lost = [] if missing_is_fine else list(dict.fromkeys(self.missing))
        if not lost and not self.failures:
            return
        facts: dict[str, object] = {"done": f"{self.files:,} objects"} if self.files else {}
        if lost:
            facts["missing"] = _some(lost)
        if self.failures:
            facts["failed"] = _some(list(dict.fromkeys(each.path for each in self.failures)))
            facts["because"] = self.failures[0].why
        raise TransferFailed(
            f"not everything could be {doing}",
            facts=facts,
            hint="what was done stays: give the same command again to complete it"
            if self.failures
            else "push it from where it is, or run the stages that make it",
        )


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")

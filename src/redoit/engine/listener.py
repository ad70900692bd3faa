"""What a run tells while it goes on. Whoever shows a run implements Listener."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from redoit.model import Reason, Stage, StageResult


class Listener(Protocol):
    """Called from several threads when more than one stage runs at a time; must do its own locking."""

    def planned(self, stages: Sequence[Stage], jobs: int) -> None:
        """Once, before the first stage: the plan in the order of execution."""

    def started(self, stage: Stage, reasons: Sequence[Reason]) -> None:
        """A stage must run: called before its outs are restored or its command is run."""

    def waiting(self, stage: Stage) -> None:
        """Another run is just running this stage with the same inputs: this one waits for its outputs."""

    def command(self, stage: Stage, command: str) -> None:
        """One command of the stage is about to be executed (or would be, in a dry run)."""

    def output(self, stage: Stage, line: bytes) -> None:
        """One whole line of a command's output, newline included; only when jobs > 1."""

    def finished(self, stage: Stage, result: StageResult) -> None:
        """The stage's end, also of one that was up to date, failed or was not tried."""

    def confirm(self, stage: Stage) -> bool:
        """``-i``: whether this stage shall run."""

    def warned(self, text: str) -> None:
        """Something a user should know that stops nothing."""

    def ended(self) -> None:
        """Once, after the last stage, whatever happened."""


class Silent:
    """A Listener that shows nothing and confirms everything."""

    def planned(self, stages: Sequence[Stage], jobs: int) -> None: ...
    def started(self, stage: Stage, reasons: Sequence[Reason]) -> None: ...
    def waiting(self, stage: Stage) -> None: ...
    def command(self, stage: Stage, command: str) -> None: ...
    def output(self, stage: Stage, line: bytes) -> None: ...
    def finished(self, stage: Stage, result: StageResult) -> None: ...
    def warned(self, text: str) -> None: ...
    def ended(self) -> None: ...

    def confirm(self, stage: Stage) -> bool:
        return True

"""What a run shows while it goes on: a line for each thing that happens."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from redoit.model import Address, Outcome, Reason, Stage, StageResult
from redoit.printable import printable
from redoit.report.failure import logged, told
from redoit.report.reasons import brief, command_line
from redoit.report.screen import Screen
from redoit.report.words import Paint, count, duration

FEW = 20
"""Up to so many stages, each gets its line even when nothing happened to it."""


class PlainListener:
    """Lines, one for each thing that happens. Thread-safe.

    With several jobs, what a stage prints stands behind its name. ``log``: the screen is a file that is read later.
    """

    def __init__(
        self,
        screen: Screen,
        paint: Paint,
        *,
        quiet: bool = False,
        verbose: bool = False,
        dry: bool = False,
        log: bool = False,
    ) -> None:
        self.screen = screen
        self.paint = paint
        self._quiet = quiet
        self._verbose = verbose
        self._dry = dry
        self._log = log
        self._lock = threading.Lock()
        """Guards the fields below; never held while something is printed."""
        self._announces = True
        """Whether a stage gets a line when it starts; if not, its reasons stand where it ends."""
        self._jobs = 1
        self._position: dict[Address, int] = {}
        self._reasons: dict[Address, Sequence[Reason]] = {}
        self._unlisted: dict[Outcome, int] = {}

    def planned(self, stages: Sequence[Stage], jobs: int) -> None:
        self._jobs = jobs
        self._position = {stage.address: i for i, stage in enumerate(stages, 1)}

    def started(self, stage: Stage, reasons: Sequence[Reason]) -> None:
        with self._lock:
            self._reasons[stage.address] = reasons

    def waiting(self, stage: Stage) -> None:
        self._say(f"{capital(subject(stage))} is being run by another run just now, waiting for it")

    def command(self, stage: Stage, command: str) -> None:
        if not self._announces:
            return
        lines = [f"{self._prefix(stage)}> {command_line(line)}" for line in command.splitlines()]
        with self._lock:
            # Told once, and not before it is known that the cache does not have the outputs.
            reasons = self._reasons.pop(stage.address, None)
        if reasons is not None:
            lines.insert(0, self._announcement(stage, reasons))
        self._say("\n".join(lines))

    def output(self, stage: Stage, line: bytes) -> None:
        # Of a progress bar that redraws itself with carriage returns, the last state is the line.
        text = line.rstrip(b"\r\n").rpartition(b"\r")[2]
        end = b"\x1b[0m\n" if b"\x1b" in text else b"\n"
        self.screen.raw(self._prefix(stage).encode("utf-8", "surrogateescape") + text + end)

    def finished(self, stage: Stage, result: StageResult) -> None:
        with self._lock:
            why = brief(self._reasons.pop(stage.address, ()))
        if result.outcome is Outcome.FAILED:
            self._failed(stage, result)
        elif result.outcome in (Outcome.UP_TO_DATE, Outcome.BLOCKED, Outcome.NOT_REACHED):
            self._untouched(stage, result)
        elif not (self._dry and result.outcome is Outcome.RAN):
            self._say(self._ending(stage, result) + (f" ({why})" if why else ""))

    def confirm(self, stage: Stage) -> bool:
        answer = self.screen.ask(f"Run {subject(stage)}? [y/n] ")
        return answer.lower() in ("y", "yes")

    def warned(self, text: str) -> None:
        self.screen.line(self.paint.yellow("warning: ") + printable(text), error=True)

    def ended(self) -> None:
        with self._lock:
            unlisted, self._unlisted = self._unlisted, {}
        for outcome, number in unlisted.items():
            if outcome is Outcome.UP_TO_DATE:
                self._say(f"{count(number, 'stage')} didn't change, skipping")
            elif outcome is Outcome.BLOCKED:
                self._say(f"{count(number, 'stage')} not tried: what they depend on failed")

    def _say(self, text: str) -> None:
        if not self._quiet:
            self.screen.line(text)

    def _prefix(self, stage: Stage) -> str:
        return self.paint.cyan(f"{printable(stage.address)} | ") if self._jobs > 1 else ""

    def _announcement(self, stage: Stage, reasons: Sequence[Reason]) -> str:
        place = f"({self._position.get(stage.address, 0)} of {len(self._position)})"
        verb = "Would run" if self._dry else "Running"
        text = f"{verb} {self.paint.bold(subject(stage))} {self.paint.dim(place)}"
        return f"{text}: {brief(reasons)}" if reasons else text

    def _ending(self, stage: Stage, result: StageResult) -> str:
        who = capital(subject(stage))
        if result.outcome is Outcome.RAN:
            return f"{who} ran in {duration(result.seconds)}"
        if result.outcome is Outcome.RESTORED:
            if self._dry:
                return f"{who} is cached, outputs would be restored"
            return f"{who} is cached, outputs restored"
        if result.outcome is Outcome.COMMITTED:
            return f"{who} {'would be' if self._dry else 'is'} recorded as it is now"
        return f"{who} interrupted after {duration(result.seconds)}"

    def _failed(self, stage: Stage, result: StageResult) -> None:
        if result.error is None:
            text = f"error: {subject(stage)} failed"
        else:
            error = result.error
            text = logged(error) if self._log else told(error, verbose=self._verbose)
        if result.ignored and not self._dry:
            text += "\n  ignored: stages that depend on it run all the same"
        self.screen.line(self.paint.red(text), error=True)

    def _untouched(self, stage: Stage, result: StageResult) -> None:
        if len(self._position) > FEW and not self._verbose:
            with self._lock:
                self._unlisted[result.outcome] = self._unlisted.get(result.outcome, 0) + 1
        elif result.outcome is Outcome.UP_TO_DATE:
            self._say(f"{capital(subject(stage))} didn't change, skipping")
        elif result.outcome is Outcome.BLOCKED:
            self._say(f"{capital(subject(stage))} not tried: a stage it depends on failed")


def subject(stage: Stage) -> str:
    """``stage 'train'``; of a .dvc file ``'raw.dvc'``."""
    name = printable(stage.address)
    return f"'{name}'" if stage.is_data else f"stage '{name}'"


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]

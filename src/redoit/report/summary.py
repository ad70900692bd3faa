"""What a run came to, in a line."""

from __future__ import annotations

from redoit.model import Outcome, RunResult, StageResult
from redoit.report.words import count, duration, some


def summary(result: RunResult, *, dry: bool = False) -> str:
    """The run in one line: ``2 of 12 stages ran in 3.1 s: prepare, train; 10 up to date``."""
    total = len(result.stages)
    if not total:
        return "There is nothing to run: no stages"
    by_outcome: dict[Outcome, list[StageResult]] = {}
    for stage in result.stages:
        by_outcome.setdefault(stage.outcome, []).append(stage)
    if set(by_outcome) == {Outcome.UP_TO_DATE}:
        return "Nothing changed: " + (
            f"all {count(total, 'stage')} are up to date" if total > 1 else "1 stage is up to date"
        )
    parts: list[str] = []
    for outcome, word in (_WOULD if dry else _WORDS).items():
        stages = by_outcome.get(outcome)
        if not stages:
            continue
        number = f"{len(stages):,}"
        if not parts:
            of_all = f" of {count(total, 'stage')}"
            number = number + of_all if outcome is Outcome.RAN else count(len(stages), "stage")
        took = f" in {duration(result.seconds)}" if outcome is Outcome.RAN and not dry else ""
        names = some([stage.address for stage in stages], 8) if outcome in _NAMED else ""
        parts.append(f"{number} {word}{took}" + (f": {names}" if names else ""))
    return "; ".join(parts)


_NAMED = (Outcome.RAN, Outcome.FAILED, Outcome.INTERRUPTED)
"""Outcomes whose stages are named, not only counted."""
_WORDS = {
    Outcome.RAN: "ran",
    Outcome.RESTORED: "restored from the cache",
    Outcome.COMMITTED: "recorded as found",
    Outcome.FAILED: "failed",
    Outcome.INTERRUPTED: "interrupted",
    Outcome.BLOCKED: "not tried, depending on a failure",
    Outcome.NOT_REACHED: "not reached",
    Outcome.UP_TO_DATE: "up to date",
}
_WOULD = {
    **_WORDS,
    Outcome.RAN: "would run",
    Outcome.RESTORED: "would be restored from the cache",
    Outcome.COMMITTED: "would be recorded as found",
    Outcome.FAILED: "would fail",
}

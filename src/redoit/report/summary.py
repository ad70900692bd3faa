"""What a run came to: in a line or two, and each failure with what to do."""

from __future__ import annotations

from redoit.errors import RedoitError
from redoit.model import Outcome, RunResult, StageResult
from redoit.report.words import count, duration, some

_NAMED = 8
"""So many stages that ran are named in the summary."""


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
    parts = []
    ran = by_outcome.pop(Outcome.RAN, [])
    if ran:
        names = some([stage.address for stage in ran], _NAMED)
        if dry:
            parts.append(f"{len(ran):,} of {count(total, 'stage')} would run: {names}")
        else:
            took = duration(result.seconds)
            parts.append(f"{len(ran):,} of {count(total, 'stage')} ran in {took}: {names}")
    words = _WOULD if dry else _WORDS
    for outcome, word in words.items():
        stages = by_outcome.get(outcome)
        if stages:
            parts.append(
                f"{len(stages):,} {word}" if parts else f"{count(len(stages), 'stage')} {word}"
            )
    return "; ".join(parts)


_WORDS = {
    Outcome.RESTORED: "restored from the cache",
    Outcome.COMMITTED: "recorded as found",
    Outcome.FAILED: "failed",
    Outcome.INTERRUPTED: "interrupted",
    Outcome.BLOCKED: "not tried, as what they depend on failed",
    Outcome.NOT_REACHED: "not reached",
    Outcome.UP_TO_DATE: "up to date",
}
_WOULD = {
    **_WORDS,
    Outcome.RESTORED: "would be restored from the cache",
    Outcome.COMMITTED: "would be recorded as found",
}


def failures(result: RunResult) -> list[str]:
    """Each failure in full, and how to go on. Empty when nothing failed."""
    failed = [stage for stage in result.stages if stage.outcome is Outcome.FAILED]
    texts = [_failure(stage) for stage in failed]
    left = sum(s.outcome in (Outcome.NOT_REACHED, Outcome.BLOCKED) for s in result.stages)
    if left and failed:
        texts.append(
            f"{count(left, 'stage')} did not get a turn; "
            "the next run starts with what failed, and repeats nothing that is done"
        )
    return texts


def _failure(stage: StageResult) -> str:
    error = stage.error
    if isinstance(error, RedoitError):
        return error.render()
    if error is None:
        return f"error: stage '{stage.address}' failed"
    return f"error: stage '{stage.address}' failed\n  {type(error).__name__}: {error}"

"""Where the time of a run went, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from redoit.model import RunResult
from redoit.profile import Spent


def profile_table(spent: Sequence[Spent]) -> str:
    """A line per phase: seconds and share of the whole; a column for worker threads if there were any."""
    total = sum(row.seconds for row in spent)
    has_workers = any(row.in_workers for row in spent)
    head = (
        f"{'phase':10} {'seconds':>9} {'share':>6} {'in workers':>11}"
        if has_workers
        else (f"{'phase':10} {'seconds':>9} {'share':>6}")
    )
    lines = [head]
    for row in spent:
        cells = [f"{_name(row):10} {row.seconds:9.3f} {row.seconds / total:6.1%}"]
        if has_workers:
            cells.append(f"{row.in_workers:11.3f}" if row.in_workers else " " * 11)
        lines.append(" ".join([*cells, f" {row.phase.value}"]))
    lines.append(f"{'total':10} {total:9.3f}")
    return "\n".join(lines)


def profile_json(spent: Sequence[Spent], result: RunResult) -> str:
    """The same as JSON, and the stages that were not up to date with the seconds that they took."""
    whole = {
        "seconds": sum(row.seconds for row in spent),
        "phases": [
            {
                "phase": _name(row),
                "what": row.phase.value,
                "seconds": row.seconds,
                "in_workers": row.in_workers,
                "times": row.times,
            }
            for row in spent
        ],
        "stages": [
            {"stage": stage.address, "outcome": stage.outcome.value, "seconds": stage.seconds}
            for stage in sorted(result.stages, key=lambda stage: -stage.seconds)
            if stage.seconds
        ],
    }
    return json.dumps(whole, indent=1) + "\n"


def _name(row: Spent) -> str:
    return row.phase.name.lower()

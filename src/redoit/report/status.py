"""The state of every stage: as lines, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from redoit.model import Address, Content, Entry, Reason
from redoit.printable import printable
from redoit.report.reasons import brief, full
from redoit.report.words import Paint, count, some, table


class Row(Protocol):
    """One stage's state: it would run for ``reasons``, or because of stages it depends on."""

    @property
    def address(self) -> Address: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...
    @property
    def affected_by(self) -> tuple[Address, ...]: ...
    @property
    def frozen(self) -> bool: ...


def state(row: Row) -> str:
    """``changed``, ``affected`` (only by stages it depends on) or ``up to date``."""
    if row.reasons:
        return "changed"
    return "affected" if row.affected_by else "up to date"


FEW = 20
"""Up to so many stages that only depend on others that would run are listed."""


def status_lines(rows: Sequence[Row], paint: Paint, *, verbose: bool = False) -> list[str]:
    """A line for each stage that would run, and the sum; ``verbose`` shortens nothing."""
    changed = [row for row in rows if row.reasons]
    affected = [row for row in rows if not row.reasons and row.affected_by]
    if not rows:
        return ["There are no stages"]
    if not changed and not affected:
        return [f"Up to date: {'' if len(rows) == 1 else 'all '}{count(len(rows), 'stage')}"]
    cells = [[row.address, brief(row.reasons)] for row in changed]
    listed = verbose or len(affected) <= FEW
    if listed:
        cells += [[row.address, f"depends on {some(row.affected_by, 3)}"] for row in affected]
    lines = table(cells)
    painted = [paint.yellow(line) for line in lines[: len(changed)]] + lines[len(changed) :]
    parts = [f"{len(changed):,} of {count(len(rows), 'stage')} changed"]
    if affected:
        more = "" if listed else " (-v lists them)"
        parts.append(f"{len(affected):,} may change with what they depend on{more}")
    return [*painted, "; ".join(parts)]


def status_json(rows: Sequence[Row]) -> dict[str, Any]:
    """The same for programs: ``{"stages": [{"stage", "state", "frozen", "reasons", ...}]}``."""
    return {"stages": [_row_json(row) for row in rows]}


def why_lines(row: Row, paint: Paint) -> list[str]:
    """Everything that is known about why ``row`` would run."""
    name = paint.bold(printable(row.address))
    if not row.reasons and not row.affected_by:
        return [f"{name} is up to date" + (" (frozen)" if row.frozen else "")]
    if row.reasons:
        lines = [f"{name} would run:"]
        for reason in row.reasons:
            lines += [f"  {line}" for line in full(reason, paint)]
    else:
        lines = [f"{name} would run if what it depends on changes:"]
    if row.affected_by:
        lines.append(f"  depends on stages that would run: {some(row.affected_by, 8)}")
    return lines


def _row_json(row: Row) -> dict[str, Any]:
    return {
        "stage": row.address,
        "state": state(row),
        "frozen": row.frozen,
        "reasons": [
            {
                "kind": reason.kind.value,
                "subject": reason.subject,
                "old": _plain(reason.old),
                "new": _plain(reason.new),
            }
            for reason in row.reasons
        ],
        "affected_by": list(row.affected_by),
    }


def _plain(value: Any) -> Any:
    """``value`` as JSON can hold it."""
    if isinstance(value, (Entry, Content)):
        return value.oid
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)

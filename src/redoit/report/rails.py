"""A graph drawn as lines that run downwards, in the manner of ``git log --graph``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# What a character connects: up, down, left, right.
_CORNERS = {
    (True, True, False, False): "│",
    (True, False, False, False): "╵",
    (False, True, False, False): "╷",
    (False, False, True, True): "─",
    (True, False, False, True): "╰",
    (True, False, True, False): "╯",
    (False, True, False, True): "╭",
    (False, True, True, False): "╮",
    (True, True, False, True): "├",
    (True, True, True, False): "┤",
    (False, True, True, True): "┬",
    (True, False, True, True): "┴",
    (True, True, True, True): "┼",
    (False, False, False, False): " ",
}


def draw(
    sources: Mapping[str, Sequence[str]],
    labels: Mapping[str, str],
    marks: Mapping[str, str],
    widest: int,
) -> list[str] | None:
    """The lines of the drawing, or None if it takes more than ``widest`` columns.

    ``sources`` is in topological order; a node stands below all that it depends on. A column is a
    line towards the node that stands next on it.
    """
    place = {node: i for i, node in enumerate(sources)}
    readers: dict[str, list[str]] = {node: [] for node in sources}
    for node, found in sources.items():
        for source in found:
            readers[source].append(node)
    columns: list[str | None] = []
    lines: list[str] = []
    for node in sources:
        here = _column_of(node, columns)
        before = list(columns)
        lines.append(_node_row(columns, here, marks[node]) + " " + labels[node])
        targets = _lead_on(sorted(readers[node], key=place.__getitem__), columns, here)
        if len(columns) > widest:
            return None
        if targets - {here} or (targets and columns[here] is None):
            lines.append(_connecting_row(before, columns, here, targets))
        while columns and columns[-1] is None:
            columns.pop()
    return lines


def _column_of(node: str, columns: list[str | None]) -> int:
    """The column that leads to ``node``; a free one for a node that nothing leads to."""
    for wanted in (node, None):
        if wanted in columns:
            here = columns.index(wanted)
            break
    else:
        here = len(columns)
        columns.append(None)
    columns[here] = node
    return here


def _lead_on(readers: Sequence[str], columns: list[str | None], here: int) -> set[int]:
    """Let the node at ``here`` lead to its ``readers``; the columns that lines from it go to."""
    columns[here] = None
    targets = set()
    for reader in readers:
        if reader in columns:
            targets.add(columns.index(reader))
            continue
        if columns[here] is None:
            at = here
        else:
            free = [i for i, other in enumerate(columns) if other is None and i > here]
            at = free[0] if free else len(columns)
            if not free:
                columns.append(None)
        columns[at] = reader
        targets.add(at)
    return targets


def _node_row(columns: Sequence[str | None], here: int, mark: str) -> str:
    cells = [mark if i == here else "│" if other else " " for i, other in enumerate(columns)]
    return " ".join(cells).rstrip()


def _connecting_row(
    before: Sequence[str | None], after: Sequence[str | None], here: int, targets: set[int]
) -> str:
    """The row below a node: the lines that branch off from it and join others."""
    left, right = min(targets | {here}), max(targets | {here})
    row = ""
    for i, down in enumerate(after):
        above = i < len(before) and before[i] is not None
        inside = left <= i <= right
        if inside and (i == here or i in targets):
            new = i in targets and i != here and (not above)
            row += _CORNERS[(not new, down is not None, i > left, i < right)]
        elif inside:
            # A line that only passes is not joined: the crossing leaves a gap.
            row += "│" if above else "─"
        else:
            row += "│" if down is not None else " "
        row += "─" if left <= i < right else " "
    return row.rstrip()

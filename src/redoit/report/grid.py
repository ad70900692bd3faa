"""A table of texts in the forms that are asked for: aligned, in blocks, Markdown, CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from redoit.printable import printable
from redoit.report.words import cut, width

_GAP = "  "
_NARROWEST = 12
"""Columns of a terminal that the first column keeps in every block, at least."""


class Column(NamedTuple):
    """A column: its header, its cells, how the header is painted, and whether cells are flush right."""

    header: str
    cells: Sequence[str]
    paint: Callable[[str], str] = str
    right: bool = False


class Grid(NamedTuple):
    """Columns of equal length; the first one names the rows. ``bold`` has the numbers of the rows that stand out."""

    columns: Sequence[Column]
    bold: frozenset[int] = frozenset()
    strong: Callable[[str], str] = str


def text(grid: Grid) -> list[str]:
    """Aligned columns, however wide."""
    return _block(grid, grid.columns)


def blocks(grid: Grid, room: int) -> list[str]:
    """As ``text``, but no line wider than ``room``: what has no room follows below, the first column repeated.

    A single cell that is too wide is cut with ``…``.
    """
    if not grid.columns:
        return []
    first, *others = (_shown(column) for column in grid.columns)
    first = _narrowed(first, max(room // 2, _NARROWEST))
    lines: list[str] = []
    some = [first]
    used = _width(first)
    for column in others:
        fitting = _narrowed(column, max(room - _width(first) - len(_GAP), 1))
        if len(some) > 1 and used + len(_GAP) + _width(fitting) > room:
            lines += [*_block(grid, some), ""]
            some, used = [first], _width(first)
        some.append(fitting)
        used += len(_GAP) + _width(fitting)
    return [*lines, *_block(grid, some)]


def _block(grid: Grid, columns: Sequence[Column]) -> list[str]:
    columns = [_shown(column) for column in columns]
    widths = [_width(column) for column in columns]
    heads = [_aligned(c.header, size, c.right) for c, size in zip(columns, widths, strict=True)]
    heads[-1] = heads[-1].rstrip()
    lines = [_GAP.join(column.paint(head) for column, head in zip(columns, heads, strict=True))]
    cells = [
        [_aligned(cell, size, column.right) for cell in column.cells]
        for column, size in zip(columns, widths, strict=True)
    ]
    for number, row in enumerate(zip(*cells, strict=True)):
        line = _GAP.join(row).rstrip()
        lines.append(grid.strong(line) if number in grid.bold else line)
    return lines


def _width(column: Column) -> int:
    if "".join(column.cells).isascii():
        return max(width(column.header), max(map(len, column.cells), default=0))
    return max(width(column.header), max(map(width, column.cells), default=0))


def _shown(column: Column) -> Column:
    """The column with control characters, which could do anything to a terminal, as escapes."""
    if column.header.isprintable() and "".join(column.cells).isprintable():
        return column
    return column._replace(
        header=printable(column.header), cells=[printable(cell) for cell in column.cells]
    )


def _narrowed(column: Column, room: int) -> Column:
    if _width(column) <= room:
        return column
    return column._replace(
        header=cut(column.header, room), cells=[cut(cell, room) for cell in column.cells]
    )


def _aligned(cell: str, size: int, right: bool) -> str:
    if not cell.isascii():
        size -= width(cell) - len(cell)
    return cell.rjust(size) if right else cell.ljust(size)


def markdown(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of GitHub's Markdown."""
    table = [[_cell(cell) for cell in row] for row in (headers, *rows)]
    widths = [max(3, *(width(row[i]) for row in table)) for i in range(len(headers))]
    lines = [
        f"| {' | '.join(_aligned(c, w, False) for c, w in zip(row, widths, strict=True))} |"
        for row in table
    ]
    return [lines[0], f"|{'|'.join('-' * (w + 2) for w in widths)}|", *lines[1:]]


def _cell(cell: str) -> str:
    return printable(cell).replace("|", "\\|")


def comma_separated(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """CSV with a line of headers."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(headers)
    writer.writerows(rows)
    return out.getvalue()

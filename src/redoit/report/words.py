"""Small pieces of text: colours, durations, counts, columns."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from redoit.printable import printable


@dataclass(frozen=True)
class Paint:
    """Colours, or none: ``Paint(False)`` returns every text as it is."""

    on: bool = False

    def _with(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.on and text else text

    def bold(self, text: str) -> str:
        return self._with("1", text)

    def dim(self, text: str) -> str:
        return self._with("2", text)

    def red(self, text: str) -> str:
        return self._with("31", text)

    def green(self, text: str) -> str:
        return self._with("32", text)

    def yellow(self, text: str) -> str:
        return self._with("33", text)

    def cyan(self, text: str) -> str:
        return self._with("36", text)


def wants_colour(stream: IO[str], environ: Mapping[str, str] = os.environ) -> bool:
    """Whether ``stream`` is a terminal that takes colours, and nobody said no (``NO_COLOR``)."""
    if environ.get("NO_COLOR"):
        return False
    return is_terminal(stream) and environ.get("TERM") != "dumb"


def is_terminal(stream: IO[str]) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def duration(seconds: float) -> str:
    """``0.42 s``, ``2.3 s``, ``41 s``, ``3 min 20 s``, ``2 h 5 min``; of an int no fractions."""
    if isinstance(seconds, float) and seconds < 0.995:
        return f"{seconds:.2f} s"
    if isinstance(seconds, float) and seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def count(number: int, noun: str) -> str:
    """``1 stage``, ``2 stages``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def some(names: Sequence[str], most: int) -> str:
    """``a, b, c``; ``a, b and 98 more`` when there are more than ``most``."""
    if len(names) <= most:
        return ", ".join(map(printable, names))
    return f"{', '.join(map(printable, names[: most - 1]))} and {len(names) - most + 1:,} more"


def width(text: str) -> int:
    """How many columns of a terminal ``text`` takes (no control characters in it)."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def cut(text: str, columns: int) -> str:
    """``text``, shortened with ``…`` to at most ``columns`` columns."""
    if width(text) <= columns:
        return text
    kept = ""
    for character in text:
        if width(kept + character) > columns - 1:
            break
        kept += character
    return kept + "…" if columns > 0 else ""


def table(rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> list[str]:
    """Aligned columns with two spaces between; the columns in ``right`` are flush right."""
    if not rows:
        return []
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(width(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = []
        for i, cell in enumerate(row):
            gap = " " * (widths[i] - width(cell))
            cells.append(gap + cell if i in right else cell + gap)
        lines.append("  ".join(cells).rstrip())
    return lines

"""The metrics of the workspace as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any

from redoit.model import RepoPath

if TYPE_CHECKING:
    from rich.table import Table

PRECISION = 5
"""Significant digits of a number."""
_ROOM_IN_A_FILE = 100
_NO_LIMIT = 100_000

Values = Mapping[str, int | float | str]
"""Dotted key → value."""


def print_metrics(metrics: Mapping[RepoPath, Any], out: IO[str]) -> None:
    """Print ``metrics`` (file → what it holds) between empty lines: a row for each file, or for each value if those
    rows are too wide for the terminal. Prints nothing when there is no value.
    """
    files = {path: dict(flatten(content)) for path, content in metrics.items()}
    files = {path: values for path, values in files.items() if values}
    if not files:
        return
    from rich.console import Console
    from rich.measure import Measurement

    console = Console(file=out, highlight=False, markup=False, emoji=False)
    room = console.width if console.is_terminal else _ROOM_IN_A_FILE
    everything = console.options.update(max_width=_NO_LIMIT)
    table = _row_for_each_file(files)
    if Measurement.get(console, everything, table).maximum > room:
        table = _row_for_each_value(files)
    if not console.is_terminal:
        console.width = _NO_LIMIT  # nothing is folded or cut
    console.print("", table, "", sep="\n")


def _row_for_each_file(files: Mapping[RepoPath, Values]) -> Table:
    keys = list(dict.fromkeys(key for values in files.values() for key in values))
    table = _empty_table("Path")
    for key in keys:
        table.add_column(key, justify="right")
    for path, values in files.items():
        table.add_row(path, *(text(values.get(key)) for key in keys))
    return table


def _row_for_each_value(files: Mapping[RepoPath, Values]) -> Table:
    table = _empty_table("Path", "Metric")
    table.add_column("Value", justify="right")
    for path, values in files.items():
        for key, value in values.items():
            table.add_row(path, key, text(value))
    return table


def _empty_table(*columns: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(*columns, box=SIMPLE_HEAD, pad_edge=False, show_edge=False)


def flatten(content: Any, prefix: str = "") -> Iterator[tuple[str, int | float | str]]:
    """Dotted key → value, as DVC reads metrics: numbers and texts; lists and nulls are no metrics."""
    if isinstance(content, (int, float, str)):
        yield prefix, content
    elif isinstance(content, Mapping):
        for key, value in content.items():
            yield from flatten(value, f"{prefix}.{key}" if prefix else str(key))


def text(value: Any) -> str:
    """A value as the table has it; ``-`` for none."""
    if value is None:
        return "-"
    return f"{value:.{PRECISION}g}" if isinstance(value, float) else str(value)

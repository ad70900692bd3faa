"""Two revisions side by side: what differs in metrics and params."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redoit.experiments.compare import Change, Comparison
from redoit.report.experiments import value_text
from redoit.report.grid import Column, Grid, blocks, markdown
from redoit.report.words import Paint

_NOISE = 12
"""Significant digits of a difference: beyond them is what binary numbers add (0.7 - 0.5)."""


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """What ``dvc exp diff --json`` prints, as data."""
    return {"metrics": _files(comparison.metrics), "params": _files(comparison.params)}


def _files(changes: Sequence[Change]) -> dict[str, Any]:
    files: dict[str, Any] = {}
    for change in changes:
        row = {"old": change.old, "new": change.new}
        if change.difference is not None:
            row["diff"] = change.difference
        files.setdefault(change.path, {})[change.key] = row
    return files


def comparison_lines(
    comparison: Comparison,
    old: str,
    new: str,
    *,
    precision: int,
    with_path: bool,
    paint: Paint,
    room: int | None,
    with_difference: bool = True,
) -> list[str]:
    """Two tables, of metrics and of params, with an empty line between; ``room``: columns of the terminal.

    ``with_difference``: with a column of new - old.
    """
    tables = []
    for title, changes, digits in (
        ("Metric", comparison.metrics, precision),
        ("Param", comparison.params, None),
    ):
        if changes:
            headers = _headers(title, old, new, with_path, with_difference)
            rows = [_row(change, digits, with_path, with_difference) for change in changes]
            columns = [
                Column(header, cells, paint.bold, right=header in headers[-3:] and title[0] == "M")
                for header, cells in zip(headers, zip(*rows, strict=True), strict=True)
            ]
            tables.append(blocks(Grid(columns), room or 1_000_000))
    lines = [line for table in tables for line in (*table, "")][:-1]
    return lines or [f"no metric and no param differs between {old} and {new}"]


def comparison_markdown(
    comparison: Comparison,
    old: str,
    new: str,
    *,
    precision: int,
    with_path: bool,
    with_difference: bool = True,
) -> list[str]:
    """As ``comparison_lines``, as tables of Markdown; nothing if nothing differs."""
    lines: list[str] = []
    for title, changes, digits in (
        ("Metric", comparison.metrics, precision),
        ("Param", comparison.params, None),
    ):
        if changes:
            rows = [_row(change, digits, with_path, with_difference) for change in changes]
            headers = _headers(title, old, new, with_path, with_difference)
            lines += [*markdown(headers, rows), ""]
    return lines[:-1]


def _headers(title: str, old: str, new: str, with_path: bool, with_difference: bool) -> list[str]:
    headers = ["Path"] if with_path else []
    return [*headers, title, old, new, *(["Change"] if with_difference else [])]


def _row(
    change: Change, precision: int | None, with_path: bool, with_difference: bool
) -> list[str]:
    difference = change.difference
    cells = [
        change.key,
        _cell(change.old, precision),
        _cell(change.new, precision),
    ]
    if with_difference:
        cells.append(_cell(difference, precision or _NOISE))
    return [change.path, *cells] if with_path else cells


def _cell(value: Any, precision: int | None) -> str:
    return "-" if value is None else value_text(value, precision)

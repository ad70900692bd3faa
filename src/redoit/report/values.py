"""Params or metrics of revisions as a table, and as the JSON that DVC prints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from redoit.experiments.plain import flatten
from redoit.experiments.revision import Problem
from redoit.experiments.values import Shown
from redoit.report.experiments import value_text
from redoit.report.grid import Column, Grid, blocks, markdown
from redoit.report.words import Paint


def values_json(shown: Sequence[Shown], rename: Callable[[str], str]) -> dict[str, Any]:
    """What ``dvc metrics show --json`` prints, as data; ``rename`` makes the paths those to print."""
    return {each.name: _revision_json(each, rename) for each in shown}


def _revision_json(shown: Shown, rename: Callable[[str], str]) -> dict[str, Any]:
    if shown.problem is not None:
        return {"error": _problem_json(shown.problem)}
    return {
        "data": {
            rename(path): {"data": values.data}
            if values.problem is None
            else {"error": _problem_json(values.problem)}
            for path, values in shown.files.items()
        }
    }


def _problem_json(problem: Problem) -> dict[str, str]:
    return {"type": problem.kind, "msg": problem.what}


def problem_lines(shown: Sequence[Shown], rename: Callable[[str], str]) -> list[str]:
    """A warning for each revision and file that could not be read; a file that is not there is none."""
    lines = []
    for each in shown:
        of = f" of {each.name}" if each.name else ""
        if each.problem is not None:
            lines.append(
                f"warning: {each.name or 'the workspace'} cannot be read: {each.problem.what}"
            )
        for path, values in each.files.items():
            if values.problem is not None and values.problem.kind != "FileNotFoundError":
                lines.append(f"warning: {rename(path)}{of} cannot be read: {values.problem.what}")
    return lines


def values_lines(
    shown: Sequence[Shown],
    rename: Callable[[str], str],
    *,
    precision: int | None,
    paint: Paint,
    room: int | None,
) -> list[str]:
    """A row for each file of each revision, a column for each key; ``room``: columns of the terminal."""
    headers, rows = _table(shown, rename, precision)
    if not rows:
        return []
    named = headers.index("Path") + 1
    columns = [
        Column(header, cells, paint.bold, right=number >= named)
        for number, (header, cells) in enumerate(zip(headers, zip(*rows, strict=True), strict=True))
    ]
    return blocks(Grid(columns), room or 1_000_000)


def values_markdown(
    shown: Sequence[Shown], rename: Callable[[str], str], *, precision: int | None
) -> list[str]:
    """As ``values_lines``, in Markdown; nothing if there are no values."""
    headers, rows = _table(shown, rename, precision)
    return markdown(headers, rows) if rows else []


def _table(
    shown: Sequence[Shown], rename: Callable[[str], str], precision: int | None
) -> tuple[list[str], list[list[str]]]:
    found = [
        (each.name, rename(path), dict(flatten(values.data)))
        for each in shown
        for path, values in each.files.items()
        if values.problem is None and values.data not in (None, {})
    ]
    keys = sorted({key for _, _, values in found for key in values})
    with_name = any(each.name for each in shown)
    rows = [
        [*([name] if with_name else []), path, *(_cell(values.get(key), precision) for key in keys)]
        for name, path, values in found
    ]
    return [*(["Revision"] if with_name else []), "Path", *keys], rows


def _cell(value: Any, precision: int | None) -> str:
    return "-" if value is None else value_text(value, precision)

"""The experiments as a table: which columns there are, what stands in the cells, in what order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from redoit.errors import UsageError
from redoit.experiments.overview import Baseline, Tried
from redoit.experiments.plain import flatten
from redoit.experiments.revision import Revision, Values
from redoit.report.grid import Column, Grid
from redoit.report.words import Paint

PRECISION = 5
"""Significant digits of a number in the table."""
_SHORT = 7
"""Hex digits of a sha or an oid in the table."""
_DVCS = "dvc's"
"""The kind of a column that only CSV has, as DVC's has it: always empty."""
_OWN = ("Experiment", "rev", "typ", "Created", "parent", "State", "Executor")
"""Names that a param or metric cannot have without its file."""


class View(NamedTuple):
    """How the table is wanted; each field is an option of ``exp show``."""

    only_changed: bool = False
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    param_deps: bool = False
    sort_by: str | None = None
    descending: bool = False
    precision: int | None = PRECISION
    """Significant digits of a number; None: all of them."""


class Line(NamedTuple):
    """A row: the revision, what it is ("baseline", "branch_commit", "branch_base": the last one), its name."""

    revision: Revision
    kind: str
    name: str | None
    label: str
    state: str | None = None
    """Of an experiment of the queue: queued, running, success or failed."""


class Cells(NamedTuple):
    """A column of the table: its header, the kind of it, and a value for each Line; None for nothing."""

    header: str
    kind: str
    values: list[Any]


class Table(NamedTuple):
    """What is shown, before it is given a form."""

    lines: list[Line]
    columns: list[Cells]


_FAILED = object()
"""Stands for a value of a file that could not be read."""

Key = tuple[str, str, str]
"""Kind of a value (metrics or params), its file, its dotted key."""
Flat = dict[tuple[str, str], dict[str, Any] | None]
"""Kind and file → dotted key → value, of one revision; None for a file that could not be read."""


def build(baselines: Sequence[Baseline], view: View) -> Table:
    """The table of ``baselines``. Raises UsageError for a bad pattern, or a column to sort by that there is not."""
    flat = {each.rev: _flat(each, view.param_deps) for each in _revisions(baselines)}
    keys = _keys(flat.values())
    lines = list(_lines(baselines, _order(view, keys, flat)))
    columns = [
        Cells("Created", "time", [line.revision.time for line in lines]),
        Cells("parent", _DVCS, [None for _ in lines]),
    ]
    if any(line.state for line in lines):
        columns.append(Cells("State", "state", [line.state for line in lines]))
    labels = _labels(keys)
    for key in keys:
        columns.append(Cells(labels[key], key[0], _cells(key, lines, flat)))
    for path in sorted({path for line in lines for path in line.revision.deps}):
        oids = [dep.oid if (dep := line.revision.deps.get(path)) else None for line in lines]
        columns.append(Cells(path, "deps", oids))
    return Table(lines, _chosen(columns, view))


def _revisions(baselines: Iterable[Baseline]) -> Iterable[Revision]:
    for baseline in baselines:
        yield baseline.revision
        for tried in baseline.experiments:
            yield tried.revisions[0]


def _files(revision: Revision, kind: str, param_deps: bool) -> Mapping[str, Values]:
    if kind == "metrics":
        return revision.metrics
    return revision.param_deps if param_deps else revision.params


def _flat(revision: Revision, param_deps: bool) -> Flat:
    return {
        (kind, path): None if values.problem else flatten(values.data)
        for kind in ("metrics", "params")
        for path, values in _files(revision, kind, param_deps).items()
    }


def _keys(rows: Iterable[Flat]) -> list[Key]:
    """All keys: metrics first, those of a file together, else as they are met."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for row in rows:
        for file, values in row.items():
            if values is not None:
                found.setdefault(file, {}).update(dict.fromkeys(values))
    ordered = [(kind, path, key) for (kind, path), keys in found.items() for key in keys]
    return sorted(ordered, key=lambda key: key[0] != "metrics")


def _labels(keys: Sequence[Key]) -> dict[Key, str]:
    """The header of each: the key alone where that says enough, else with its file; for a lone value the file."""
    counts = Counter(key for _, _, key in keys)
    counts.update(_OWN)
    return {
        (kind, path, key): (path if not key else key if counts[key] == 1 else f"{path}:{key}")
        for kind, path, key in keys
    }


def _cells(key: Key, lines: Iterable[Line], flat: Mapping[str, Flat]) -> list[Any]:
    file, name = key[:2], key[2]
    nothing: dict[str, Any] = {}
    cells = []
    for line in lines:
        values = flat[line.revision.rev].get(file, nothing)
        if values is None:  # of what has not run yet, metrics are not expected
            cells.append(None if line.state in ("queued", "running") else _FAILED)
        else:
            cells.append(values.get(name))
    return cells


# --- rows -----------------------------------------------------------------------------------------

Order = Callable[[Sequence[Tried]], Sequence[Tried]]


def _lines(baselines: Iterable[Baseline], order: Order) -> Iterable[Line]:
    for baseline in baselines:
        revision = baseline.revision
        rev = revision.rev[:_SHORT] if revision.time is not None else revision.rev
        yield Line(revision, "baseline", baseline.name, baseline.name or rev)
        last = len(baseline.experiments) - 1
        for number, tried in enumerate(order(baseline.experiments)):
            tip = tried.revisions[0]
            kind, rail = ("branch_base", "└──") if number == last else ("branch_commit", "├──")
            state = tried.execution.state if tried.execution else None
            yield Line(tip, kind, tried.name, f"{rail} {tip.rev[:_SHORT]} [{tried.name}]", state)


def _order(view: View, keys: Sequence[Key], flat: Mapping[str, Flat]) -> Order:
    if view.sort_by is None:
        return lambda experiments: experiments
    key = _sort_column(view.sort_by, keys)

    def sort(experiments: Sequence[Tried]) -> Sequence[Tried]:
        known = [each for each in experiments if value(each) is not None]
        known.sort(key=lambda each: _rank(value(each)), reverse=view.descending)
        return [*known, *(each for each in experiments if value(each) is None)]

    def value(tried: Tried) -> Any:
        return (flat[tried.revisions[0].rev].get(key[:2]) or {}).get(key[2])

    return sort


def _rank(value: Any) -> tuple[int, Any]:
    """Numbers before everything else, which is compared as text."""
    return (0, value) if isinstance(value, (int, float)) else (1, str(value))


def _sort_column(wanted: str, keys: Sequence[Key]) -> Key:
    found = [key for key in keys if wanted in (f"{key[1]}:{key[2]}", key[2] or key[1])]
    exact = [key for key in found if wanted == f"{key[1]}:{key[2]}"]
    chosen = exact or found
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        raise UsageError(
            f"--sort-by {wanted} may mean {len(chosen)} columns",
            facts={kind: f"{path}:{key}" for kind, path, key in chosen}
            if len({kind for kind, _, _ in chosen}) == len(chosen)
            else {"they are": ", ".join(f"{path}:{key}" for _, path, key in chosen)},
            hint="name its file too, as in params.yaml:lr",
        )
    from difflib import get_close_matches

    near = get_close_matches(wanted, [key for _, _, key in keys], 1)
    raise UsageError(
        f"--sort-by {wanted}: there is no such metric or param",
        hint=f"did you mean '{near[0]}'?" if near else "`exp show` lists them in its first line",
    )


# --- columns --------------------------------------------------------------------------------------


def _chosen(columns: list[Cells], view: View) -> list[Cells]:
    drop, keep = _pattern("--drop", view.drop), _pattern("--keep", view.keep)

    def stays(column: Cells) -> bool:
        if keep and keep.match(column.header):
            return True
        if drop and drop.match(column.header):
            return False
        return not view.only_changed or any(v != column.values[0] for v in column.values[1:])

    return [column for column in columns if stays(column)]


def _pattern(option: str, patterns: Sequence[str]) -> re.Pattern[str] | None:
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise UsageError(
                f"{option} {pattern}: this is not a regular expression",
                facts={"because": error},
                hint=r"a dot stands for any character, \. for a dot; see Python's module re",
            ) from None
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns)) if patterns else None


def unreadable(table: Table) -> list[str]:
    """A line for each row that has no values because its revision could not be read at all."""
    return [
        f"{line.name or line.revision.rev} cannot be read: {line.revision.problem.what}"
        for line in table.lines
        if line.revision.problem is not None
    ]


# --- forms ----------------------------------------------------------------------------------------


def grid(table: Table, view: View, paint: Paint) -> Grid:
    """For the terminal: short digests, colours for metrics, params and deps, baselines bold."""
    paints = {"metrics": paint.yellow, "params": paint.cyan, "deps": paint.green}
    first = Column("Experiment", [line.label for line in table.lines], paint.bold)
    others = [
        Column(
            column.header,
            [_text(value, column.kind, view.precision, short=True) for value in column.values],
            paints.get(column.kind, paint.bold),
            column.kind == "metrics",
        )
        for column in table.columns
        if column.kind != _DVCS
    ]
    bold = frozenset(i for i, line in enumerate(table.lines) if line.kind == "baseline")
    return Grid([first, *others], bold, paint.bold)


def markdown_rows(table: Table, view: View) -> tuple[list[str], list[list[str]]]:
    """Headers and rows for Markdown."""
    columns = [column for column in table.columns if column.kind != _DVCS]
    cells = [[line.label for line in table.lines]]
    for column in columns:
        cells.append([_text(value, column.kind, view.precision) for value in column.values])
    return (
        ["Experiment", *(column.header for column in columns)],
        [list(row) for row in zip(*cells, strict=True)],
    )


def csv_rows(table: Table, view: View) -> tuple[list[str], list[list[str]]]:
    """Headers and rows for CSV: as DVC's, with what the row is in columns of their own."""
    cells = [
        [line.name or "" if line.kind != "baseline" else "" for line in table.lines],
        [_csv_rev(line) for line in table.lines],
        [line.kind for line in table.lines],
    ]
    headers = ["Experiment", "rev", "typ"]
    for column in table.columns:
        headers.append(column.header)
        if column.kind == "time":
            times = [value and _moment(value).isoformat() for value in column.values]
            cells.append([time or "" for time in times])
        else:
            cells.append([_text(v, column.kind, view.precision, nothing="") for v in column.values])
    return headers, [list(row) for row in zip(*cells, strict=True)]


def _csv_rev(line: Line) -> str:
    if line.kind == "baseline" and line.name:
        return line.name
    return line.revision.rev if line.revision.time is None else line.revision.rev[:_SHORT]


def _text(
    value: Any, kind: str, precision: int | None, *, short: bool = False, nothing: str = "-"
) -> str:
    if value is None:
        return nothing
    if value is _FAILED:
        return "!"
    if kind == "time":
        return _created(value)
    if kind == "state":
        return str(value).capitalize()
    if kind == "deps" and short:
        return str(value)[:_SHORT]
    return value_text(value, precision)


def value_text(value: Any, precision: int | None) -> str:
    """A value in a cell: its floats with ``precision`` significant digits, all of them for None."""
    if type(value) is str:
        return value
    return str(_rounded(value, precision, inside=False))


def _rounded(value: Any, precision: int | None, *, inside: bool = True) -> Any:
    if isinstance(value, float) and precision:
        rounded = f"{value:.{precision}g}"
        return float(rounded) if inside else rounded
    if isinstance(value, list):
        return [_rounded(item, precision) for item in value]
    if isinstance(value, Mapping):
        return {key: _rounded(item, precision) for key, item in value.items()}
    return value


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds)


def _created(seconds: int) -> str:
    """The time for a commit of today, else the date."""
    moment = _moment(seconds)
    return moment.strftime("%I:%M %p" if moment.date() == date.today() else "%b %d, %Y")

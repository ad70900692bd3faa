"""From the fields of a plot and the rows of its files to the points that are drawn, with DVC's rules."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from redoit.errors import RedoitError
from redoit.experiments.plot_data import Row, Table

STEP = "step"
"""The number of a row, from 0: what x is if nothing else is said."""
REV, FILENAME, FIELD = "rev", "filename", "field"
"""What is added to each point: its revision, the file of its y and the name of its y."""
_X = "dvc_inferred_x_value"
_Y = "dvc_inferred_y_value"
"""The names under which values of several fields are put, as DVC calls them."""


class Line(NamedTuple):
    """One y of a plot: a file, shortened by the folder that all have in common, and a field of it."""

    file: str
    field: str


class Series(NamedTuple):
    """The points of one revision, and what of them is x and y."""

    points: list[Row]
    x: str
    y: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]


def sources(name: str, fields: Mapping[str, Any]) -> list[str]:
    """The files that a plot is made of, each once: those of its y, or ``name``; and those of its x."""
    x, y = fields.get("x"), fields.get("y")
    found = list(y) if isinstance(y, Mapping) else [name]
    if isinstance(x, Mapping):
        found += x
    return list(dict.fromkeys(found))


def make_series(
    name: str, fields: Mapping[str, Any], tables: Mapping[str, Table], rev: str
) -> Series | None:
    """The points of the plot ``name`` in ``rev``; None if there are none.

    ``tables`` has the files that could be read. Raises RedoitError for a field that a file lacks, and for x and y
    that do not go together.
    """
    ys = _pairs(_y_of(name, fields, tables))
    xs = _pairs(_x_of(name, fields))
    for file, field in (*xs, *ys):
        _check_field(file, field, tables)
    if len(xs) > 1 and len(xs) != len(ys):
        raise RedoitError(
            f"x has {_number(xs)} and y has {_number(ys)}",
            hint="name one field for x, or as many as for y",
        )
    y_fields = list(dict.fromkeys(field for _, field in ys))
    x_fields = list(dict.fromkeys(field for _, field in xs))
    common = _common_folder(file for file, _ in ys)
    x_name = _X if len(x_fields) > 1 else x_fields[0] if x_fields else STEP
    y_name = _Y if len(y_fields) > 1 else y_fields[0] if y_fields else ""
    points: list[Row] = []
    lines = []
    for number, (file, field) in enumerate(ys):
        line = Line(file[common:].strip("/"), field)
        lines.append(line)
        if file not in tables:
            continue
        rows: list[Row] = [{**row} for row in tables[file].rows]
        if y_name == _Y:
            _fill(rows, _Y, rows, field)
        if xs:
            x_file, x_field = xs[number if len(xs) > 1 else 0]
            x_rows = tables[x_file].rows if x_file in tables else []
            if len(x_rows) != len(rows):
                raise RedoitError(
                    f"x '{x_field}' of {x_file} has {len(x_rows)} rows, y '{field}' of {file} has "
                    f"{len(rows)}: they must have the same number"
                )
            _fill(rows, x_name, x_rows, x_field)
        else:
            for step, row in enumerate(rows):
                row[STEP] = step
        for row in rows:
            row.update({REV: rev, FILENAME: line.file, FIELD: field})
        points += rows
    if not points:
        return None
    return Series(
        points,
        x_name,
        y_name,
        _said(fields.get("x_label"), "x" if len(x_fields) > 1 else x_name),
        _said(fields.get("y_label"), "y" if len(y_fields) > 1 else y_name),
        tuple(lines),
    )


def _said(label: object, inferred: str) -> str:
    return inferred if label is None else str(label)


def _x_of(name: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """File → field or fields of x; the one name of a field is meant for every file of y."""
    x, y = fields.get("x"), fields.get("y")
    if x is None or isinstance(x, Mapping):
        return x or {}
    if not isinstance(y, Mapping):
        return {name: x}
    return {
        file: [x] * len(named) if isinstance(named, (list, tuple)) else x
        for file, named in y.items()
    }


def _y_of(name: str, fields: Mapping[str, Any], tables: Mapping[str, Table]) -> Mapping[str, Any]:
    y = fields.get("y")
    if y is None:
        last = tables[name].last if name in tables else None
        return {name: last} if last is not None else {}
    return y if isinstance(y, Mapping) else {name: y}


def _pairs(axis: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(file, field) of each field of an axis."""
    return [
        (file, str(field))
        for file, named in axis.items()
        for field in (named if isinstance(named, (list, tuple)) else [named])
    ]


def _check_field(file: str, field: str, tables: Mapping[str, Table]) -> None:
    if file not in tables or not tables[file].rows:
        return
    first = tables[file].rows[0]
    if field not in first:
        raise RedoitError(f"{file} has no field '{field}'; it has {', '.join(map(str, first))}")


def _fill(rows: list[Row], name: str, source: Sequence[Row], field: str) -> None:
    """Put the values of ``field`` in ``source`` into ``rows`` as ``name``."""
    for row, other in zip(rows, source, strict=True):
        if field in other:
            row[name] = other[field]


def _common_folder(files: Iterable[str]) -> int:
    """How many characters the folder has that all ``files`` lie in; 0 for one file."""
    different = set(files)
    if len(different) < 2 or len({posixpath.isabs(file) for file in different}) > 1:
        return 0
    return len(posixpath.commonpath(different))


def _number(pairs: Sequence[tuple[str, str]]) -> str:
    return f"{len(pairs)} field{'' if len(pairs) == 1 else 's'}"

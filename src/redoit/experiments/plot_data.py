"""Files of plots: rows of CSV, TSV, JSON and YAML files, and which files are images."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from redoit.errors import RedoitError, SyntaxProblem
from redoit.experiments.plain import plain
from redoit.model import Place
from redoit.spec.formats import read_values
from redoit.spec.source import Source

IMAGES: Mapping[str, str] = {
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
"""Suffix of an image → its media type."""
_TABLES = {".csv": ",", ".tsv": "\t"}
_TREES = (".json", ".yaml", ".yml")

Row = dict[str, Any]
"""Field → value: text in a table, anything JSON knows in a tree."""


class Table(NamedTuple):
    """The rows of a file, and the field that is drawn if none is named: the last one."""

    rows: list[Row]
    last: str | None = None


def is_image(path: str) -> bool:
    """Whether the suffix of ``path`` is that of an image."""
    return _suffix(path) in IMAGES


def media_type(path: str) -> str:
    """The media type of an image."""
    return IMAGES[_suffix(path)]


def is_data(path: str) -> bool:
    """Whether the suffix of ``path`` is one that plots can be made of: a table, a tree or an image."""
    return _suffix(path) in _TABLES or _suffix(path) in _TREES or is_image(path)


def read_table(path: str, data: bytes, *, header: bool = True) -> Table:
    """The rows of a file of data, in order; empty if there are none.

    Without ``header`` the fields of a table are called ``0``, ``1``, ... In a tree a row is an item of a list of
    mappings that have the same keys; the rows of several such lists are merged, first with first, as DVC does.
    Raises SyntaxProblem, with the line if there is one.
    """
    suffix = _suffix(path)
    if suffix in _TABLES:
        return _table(path, data, _TABLES[suffix], header=header)
    if suffix in _TREES:
        return _tree(path, data)
    raise RedoitError(
        f"'{path}' is neither data nor an image",
        hint=f"plots are made of {', '.join((*_TABLES, *_TREES, *IMAGES))} files",
    )


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()


def _table(path: str, data: bytes, delimiter: str, *, header: bool) -> Table:
    # Spreadsheets begin a file with a byte order mark, which is no part of the first field's name.
    text = Source.decode(path, data).text.removeprefix("\ufeff")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[Row] = []
    names: list[str] | None = None
    try:
        for cells in reader:
            if not cells:
                continue
            if names is None:
                names = cells if header else [str(number) for number in range(len(cells))]
                if header:
                    continue
            if len(cells) > len(names):
                raise SyntaxProblem(
                    f"line {reader.line_num} of {path} has {len(cells)} fields, but there are "
                    f"{len(names)} columns",
                    place=Place(path, reader.line_num),
                    hint="quote values that hold the delimiter",
                )
            rows.append(
                dict(zip(names, [*cells, *[None] * (len(names) - len(cells))], strict=True))
            )
    except csv.Error as error:
        raise SyntaxProblem(
            f"line {reader.line_num} of {path} is not as a table has it: {error}",
            place=Place(path, reader.line_num),
        ) from None
    return Table(rows, names[-1] if names else None)


def _tree(path: str, data: bytes) -> Table:
    try:
        content = plain(read_values(Source.decode(path, data)))
    except SyntaxProblem as error:
        if error.place is None or not error.place.line:
            raise
        # The one line that is shown of a problem has to say where it is.
        error.what = f"line {error.place.line} of {path}: {error.what}"
        raise
    mappings = [
        items
        for items in _lists(content)
        if items and all(isinstance(item, dict) for item in items)
    ]
    tables = [items for items in mappings if _is_table(items)]
    rows: list[Row] = []
    for items in tables:
        rows += [{} for _ in range(len(items) - len(rows))]
        for row, item in zip(rows, items, strict=False):
            row.update(item)
    # DVC takes the last field from the first list of mappings, rows or not; its rows may lack it.
    last = (next(reversed(items[0]), None) for items in (*mappings[:1], *tables[:1]))
    return Table(rows, next((field for field in last if rows and field in rows[0]), None))


def _lists(content: Any) -> Iterator[list[Any]]:
    """The lists in a tree of mappings, or the one that it is."""
    if isinstance(content, list):
        yield content
    elif isinstance(content, dict):
        for value in content.values():
            if isinstance(value, (dict, list)):
                yield from _lists(value)


def _is_table(items: list[dict[str, Any]]) -> bool:
    """Whether these mappings have the same keys."""
    keys = items[0].keys()
    return all(item.keys() <= keys for item in items)

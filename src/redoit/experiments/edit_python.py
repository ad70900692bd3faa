"""Changing values in a Python params file: only the text of the values changes; nothing is run."""

from __future__ import annotations

import ast
from itertools import accumulate
from typing import Any

from redoit.errors import ParamsProblem
from redoit.experiments.same import same
from redoit.model import Place
from redoit.spec.pyparams import assigned_name
from redoit.spec.source import Source


def edit_python(source: Source, old: dict[str, Any], new: dict[str, Any]) -> str:
    """The text with the changed values in place of the old ones.

    Raises ParamsProblem for a param to be added or removed: where it should stand is for a person to say.
    """
    spots: dict[tuple[Any, ...], ast.expr] = {}
    _collect(ast.parse(source.text).body, (), spots, only_self=False)
    edits: list[tuple[ast.expr, str]] = []
    _compare(source.file, spots, old, new, (), edits)
    data = source.text.encode("utf-8")
    lines = [0, *accumulate(len(line) for line in data.split(b"\n"))]

    def offset(line: int, column: int) -> int:
        return lines[line - 1] + line - 1 + column  # one byte for each line end before it

    spans = [
        (offset(e.lineno, e.col_offset), offset(e.end_lineno or 0, e.end_col_offset or 0), text)
        for e, text in edits
    ]
    for start, end, text in sorted(spans, reverse=True):
        data = data[:start] + text.encode("utf-8") + data[end:]
    return data.decode("utf-8")


def _collect(
    body: list[ast.stmt],
    path: tuple[Any, ...],
    spots: dict[tuple[Any, ...], ast.expr],
    *,
    only_self: bool,
) -> None:
    """Note where each value stands, by the rules by which they are read."""
    for statement in body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            _note(statement.targets[0], statement.value, path, spots, only_self=only_self)
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            _note(statement.target, statement.value, path, spots, only_self=only_self)
        elif isinstance(statement, ast.ClassDef):
            _collect(statement.body, (*path, statement.name), spots, only_self=False)
        elif isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            _collect(statement.body, path, spots, only_self=True)


def _note(
    target: ast.expr,
    value: ast.expr,
    path: tuple[Any, ...],
    spots: dict[tuple[Any, ...], ast.expr],
    *,
    only_self: bool,
) -> None:
    name = assigned_name(target, only_self=only_self)
    if name is not None:
        _note_value(value, (*path, name), spots)


def _note_value(
    value: ast.expr, path: tuple[Any, ...], spots: dict[tuple[Any, ...], ast.expr]
) -> None:
    spots[path] = value
    if isinstance(value, ast.Dict):
        for key, child in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant):
                _note_value(child, (*path, key.value), spots)


def _compare(
    file: str,
    spots: dict[tuple[Any, ...], ast.expr],
    old: Any,
    new: Any,
    path: tuple[Any, ...],
    edits: list[tuple[ast.expr, str]],
) -> None:
    if isinstance(old, dict) and isinstance(new, dict):
        if old.keys() == new.keys():
            for key in old:
                _compare(file, spots, old[key], new[key], (*path, key), edits)
            return
        if path not in spots:  # the file itself, or a class
            key = next(iter(old.keys() ^ new.keys()))
            raise ParamsProblem(
                f'"{".".join(map(str, (*path, key)))}" cannot be '
                f"{'added to' if key in new else 'removed from'} the Python file {file}",
                place=Place(file),
                hint="edit the file by hand: -S only changes what it has",
            )
    if same(old, new):
        return
    spot = spots.get(path)
    if spot is None:
        raise ParamsProblem(
            f'"{".".join(map(str, path))}" of {file} cannot be replaced by a value',
            place=Place(file),
            hint="it is a class: name one of its values",
        )
    edits.append((spot, _text(old, new)))


def _text(old: Any, new: Any) -> str:
    if isinstance(old, tuple) and isinstance(new, list):
        return repr(tuple(new))
    return repr(new)

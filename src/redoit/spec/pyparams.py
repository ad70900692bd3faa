"""Values out of a Python params file. The file is parsed, never run."""

from __future__ import annotations

import ast
from typing import Any


def read(text: str, file: str) -> dict[str, Any]:
    """Constants assigned in ``text``, at the top and (as mappings) in classes and their ``__init__``.

    Raises SyntaxError if it is not Python, or is nested beyond what Python parses.
    """
    try:
        tree = ast.parse(text, filename=file)
        return _values(tree.body, only_self=False)
    except ValueError as error:
        raise SyntaxError(str(error)) from None
    except (RecursionError, MemoryError):
        raise SyntaxError("too deeply nested") from None


def _values(body: list[ast.stmt], *, only_self: bool) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for statement in body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            _assign(result, statement.targets[0], statement.value, only_self=only_self)
        elif isinstance(statement, ast.AnnAssign):
            _assign(result, statement.target, statement.value, only_self=only_self)
        elif isinstance(statement, ast.ClassDef):
            result[statement.name] = _values(statement.body, only_self=False)
        elif isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            result.update(_values(statement.body, only_self=True))
    return result


def _assign(
    result: dict[str, Any], target: ast.expr, value: ast.expr | None, *, only_self: bool
) -> None:
    """Note one assignment; anything but a constant is no param."""
    name = assigned_name(target, only_self=only_self)
    if name is None or value is None:
        return
    try:
        result[name] = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError):
        return


def assigned_name(target: ast.expr, *, only_self: bool) -> str | None:
    """The param that an assignment to ``target`` gives a value: of a name, unless ``only_self``, or of ``self.name``."""
    if isinstance(target, ast.Name) and not only_self:
        return target.id
    if (
        isinstance(target, ast.Attribute)
        and isinstance(target.value, ast.Name)
        and target.value.id == "self"
    ):
        return target.attr
    return None

"""Files of values: YAML, JSON, TOML and Python, told apart by their suffix."""

from __future__ import annotations

import os
import re
import sys
from typing import Any

from redoit.errors import SpecError, SyntaxProblem
from redoit.model import RepoPath
from redoit.project import Layout
from redoit.spec import pyparams
from redoit.spec.source import Source
from redoit.spec.yaml import load


def suffix(file: str) -> str:
    """What decides the format of ``file``: its suffix in lower case."""
    return os.path.splitext(file)[1].lower()


def read_data(layout: Layout, path: RepoPath) -> Any:
    """The values of a metrics or params file of the project. Raises SyntaxProblem or OSError."""
    with open(layout.abspath(path), "rb") as file:
        return read_values(Source.decode(path, file.read()))


def read_values(source: Source) -> Any:
    """The values of a params or vars file; an empty mapping for an empty file. Raises SyntaxProblem."""
    kind = suffix(source.file)
    if kind == ".json":
        return _json(source) or {}
    if kind == ".toml":
        return _toml(source)
    if kind == ".py":
        return _python(source)
    return load(source).value or {}


def _json(source: Source) -> Any:
    import json

    try:
        return json.loads(source.text)
    except json.JSONDecodeError as error:
        raise source.mistake(
            SyntaxProblem,
            f"this is not JSON: {error.msg}",
            error.lineno,
            error.colno,
            hint="check the quotes and commas here and in the line above",
        ) from None
    except RecursionError:
        raise _too_deep(source) from None


def _too_deep(source: Source) -> SpecError:
    hint = "is this a file of data? a params file holds few values"
    return source.mistake(SyntaxProblem, "this is nested too deeply", 1, 1, hint=hint)


def _toml(source: Source) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        spot = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", message)
        line, column = 0, 0
        if spot:
            message = message[: spot.start()]
            rows = source.text.rstrip("\n").split("\n")
            line = int(spot[1]) if spot[1] else len(rows)
            column = int(spot[2]) if spot[2] else len(rows[-1]) + 1
        what = f"this is not TOML: {message}"
        hint = "write key = value; text stands in quotes"
        raise source.mistake(SyntaxProblem, what, line, column, hint=hint) from None
    except RecursionError:
        raise _too_deep(source) from None


def _python(source: Source) -> dict[str, Any]:
    try:
        return pyparams.read(source.text, source.file)
    except SyntaxError as error:
        raise source.mistake(
            SyntaxProblem,
            f"this is not Python: {error.msg}",
            error.lineno or 0,
            max(error.offset or 1, 1) if error.lineno else 0,
            hint="a params file is read without running it, but must be valid Python",
        ) from None

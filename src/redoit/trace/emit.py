"""YAML text of plain data, exactly as DVC writes ``dvc.lock``, without a YAML library where possible.

DVC dumps with ruamel.yaml (block style, width 80), which takes milliseconds for a stage. Nearly all
values are plain: short words, numbers, commands without odd characters. Those are written here; for
anything not provably plain, ruamel is asked. Where ruamel itself writes text that reads back as
something else (runs of spaces at a fold, very long keys), the scalar is written as a quoted line.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from redoit.errors import SpecError
from redoit.spec.source import Source
from redoit.spec.yaml import load

WIDTH = 80
"""Column at which ruamel folds."""

_LONGEST_KEY = 60
"""Longer keys may be folded or written as ``? key`` by ruamel: left to it."""

# Characters that need no quotes anywhere in a plain scalar, and cannot be line breaks.
_PRINTABLE = "[\x20-\x7e\xa1-\u1fff\u2c00-\ud7ff\uf900-\ufaff]"
_PLAIN = re.compile(
    r"(?![\s#,\[\]{}&*!|>'\"%@`]|[-?:](?:\s|$)|---|\.\.\.)"  # indicators at the start
    r"(?!.*(?::\s|\s\#|[:\s]$))"  # a key, a comment, or a space at the end
    rf"{_PRINTABLE}+$"
)
# What YAML 1.2 (and ruamel's reading of it) takes for something else than a string.
_RESOLVED = re.compile(
    r"""(?x)(?:
      true|True|TRUE|false|False|FALSE
    | null|Null|NULL|~|<<|=
    | [-+]?0b[0-1_]+ | [-+]?0o?[0-7_]+ | [-+]?[0-9_]+ | [-+]?0x[0-9a-fA-F_]+
    | [-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?
    | [-+]?[0-9][0-9_]*[eE][-+]?[0-9]+
    | [-+]?\.[0-9_]+(?:[eE][-+][0-9]+)?
    | [-+]?\.(?:inf|Inf|INF) | \.(?:nan|NaN|NAN)
    | [0-9]{4}-[0-9][0-9]-[0-9][0-9]
    | [0-9]{4}-[0-9][0-9]?-[0-9][0-9]?(?:[Tt]|[ \t]+)[0-9][0-9]?:[0-9][0-9]:[0-9][0-9]
      (?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9][0-9]?(?::[0-9][0-9])?))?
    )$"""
)
_MAYBE_RESOLVED = frozenset("-+0123456789.tTfFnN~<=")
_SINGLE_QUOTED = re.compile("[\x20-\x26\x28-\x7e]+$")
_NEEDS_ESCAPE = re.compile("[\x7f-\xa0\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_SAFE_WORD = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@-]*$")


class _NotPlain(Exception):
    """A value that only ruamel can be trusted with."""


def emit_block(data: Mapping[str, Any], indent: int = 0) -> str:
    """``data`` (not empty) as a YAML block mapping, every line indented by ``indent`` spaces.

    The text is what ruamel.yaml writes in DVC's settings, if that reads back equal to ``data``.
    """
    try:
        return "".join(_mapping(data, indent))
    except _NotPlain:
        text = _ruamel(data, indent)
    if _reads_back(text, data, indent):
        return text
    return "".join(_mapping(data, indent, exact=True))


def emit_scalar(text: str) -> str:
    """A short word or digest as ruamel writes it: quoted only where it would be read as something else."""
    return _string(text, 0, 0, exact=True)


def _mapping(data: Mapping[str, Any], indent: int, *, exact: bool = False) -> Iterator[str]:
    pad = " " * indent
    for key, value in data.items():
        head = f"{pad}{_key(key, exact)}:"
        if type(value) is str:
            yield f"{head} {_string(value, len(head) + 1, indent, exact)}\n"
        else:
            yield from _value(head, value, indent, exact)


def _value(head: str, value: Any, indent: int, exact: bool) -> Iterator[str]:
    """Lines of ``value`` behind ``head`` (a key with its colon) at ``indent``."""
    if isinstance(value, Mapping):
        if value:
            yield f"{head}\n"
            yield from _mapping(value, indent + 2, exact=exact)
        else:
            yield f"{head} {{}}\n"
    elif isinstance(value, (list, tuple)):
        if value:
            yield f"{head}\n"
            yield from _sequence(value, indent, exact)
        else:
            yield f"{head} []\n"
    elif value is None:
        yield f"{head}\n"
    else:
        yield f"{head} {_scalar(value, len(head) + 1, indent, exact)}\n"


def _sequence(items: list[Any] | tuple[Any, ...], indent: int, exact: bool) -> Iterator[str]:
    pad = " " * indent
    for item in items:
        if isinstance(item, (Mapping, list, tuple)) and item:
            inner = (
                _mapping(item, indent + 2, exact=exact)
                if isinstance(item, Mapping)
                else _sequence(item, indent + 2, exact)
            )
            # The first line of what is inside stands behind the dash.
            lines = iter(inner)
            first = next(lines)
            yield f"{pad}- {first[indent + 2 :]}"
            yield from lines
        elif item is None:
            if not exact:
                raise _NotPlain  # ruamel's spacing depends on what came before
            yield f"{pad}- null\n"
        elif isinstance(item, Mapping):
            yield f"{pad}- {{}}\n"
        elif isinstance(item, (list, tuple)):
            yield f"{pad}- []\n"
        else:
            yield f"{pad}- {_scalar(item, indent + 2, indent, exact)}\n"


def _key(key: Any, exact: bool) -> str:
    if type(key) is str:
        if _SAFE_WORD.match(key) and len(key) <= _LONGEST_KEY and not _is_resolved(key):
            return key
        if len(key) <= _LONGEST_KEY:
            return _string(key, 0, 0, exact)
        if exact:
            return _quoted(key)
    elif exact and (key is None or isinstance(key, (bool, int, float))):
        return _scalar(key, 0, 0, exact) if key is not None else "null"
    raise _NotPlain


def _scalar(value: Any, column: int, indent: int, exact: bool) -> str:
    kind = type(value)
    if kind is str:
        return _string(value, column, indent, exact)
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if kind is float:
        if value != value:
            return ".nan"
        if value in (float("inf"), float("-inf")):
            return ".inf" if value > 0 else "-.inf"
        return repr(value).lower()
    raise _NotPlain


def _string(text: str, column: int, indent: int, exact: bool) -> str:
    """``text`` as a scalar that starts at ``column``, in a mapping or sequence at ``indent``."""
    if _PLAIN.match(text) and not _is_resolved(text):
        if column + len(text) <= WIDTH:
            return text
        if not exact and "  " not in text:
            return _folded(text, column, indent + 2)
    elif text == "":
        return "''"
    elif _SINGLE_QUOTED.match(text) and column + len(text) + 2 <= WIDTH:
        return f"'{text}'"
    if exact:
        return _quoted(text)
    raise _NotPlain


def _folded(text: str, column: int, indent: int) -> str:
    """A plain scalar with single spaces, folded as ruamel does it.

    A word that does not fit gets a line of its own, and the space before it stays at the end of
    the line; a space at or beyond the width becomes the line break itself.
    """
    newline = "\n" + " " * indent
    parts: list[str] = []
    for number, word in enumerate(text.split(" ")):
        if number:
            if column >= WIDTH:
                parts.append(newline)
                column = indent
            else:
                parts.append(" ")
                column += 1
        if len(word) + column > WIDTH and column > indent:
            parts.append(newline)
            column = indent
        parts.append(word)
        column += len(word)
    return "".join(parts)


def _quoted(text: str) -> str:
    """``text`` in double quotes on one line: JSON's escapes are YAML's too."""
    line = json.dumps(text, ensure_ascii=False)
    return _NEEDS_ESCAPE.sub(lambda match: f"\\u{ord(match[0]):04X}", line)


def _is_resolved(text: str) -> bool:
    return text[:1] in _MAYBE_RESOLVED and _RESOLVED.match(text) is not None


def _ruamel(data: Mapping[str, Any], indent: int) -> str:
    """``data`` as DVC's library writes it, at ``indent``."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.default_flow_style = False
    # The column counts for folding, so the data are nested as deep as they will stand.
    nested: Any = _builtin(data)
    for _ in range(indent // 2):
        nested = {"x": nested}
    stream = io.StringIO()
    yaml.dump(nested, stream)
    text = stream.getvalue()
    for _ in range(indent // 2):
        text = text[text.index("\n") + 1 :]
    return text


def _builtin(data: Any) -> Any:
    """Copies without shared parts, so that no anchors and aliases are written."""
    if isinstance(data, Mapping):
        return {key: _builtin(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_builtin(value) for value in data]
    return data


def _reads_back(text: str, data: Mapping[str, Any], indent: int) -> bool:
    nest = "".join(f"{'  ' * depth}x:\n" for depth in range(indent // 2))
    try:
        value = load(Source("", nest + text)).value
    except SpecError:
        return False
    for _ in range(indent // 2):
        value = value["x"]
    return repr(value) == repr(_builtin(data))  # as ==, but with nan equal and 1 not True

"""YAML text of plain data, exactly as DVC writes ``dvc.lock``, without a YAML library where possible.

DVC dumps with ruamel.yaml (block style, width 80), which takes milliseconds for a stage. Nearly all
values are plain: short words, numbers, commands without odd characters. Those are written here; for
anything not provably plain, ruamel is asked. Where ruamel itself writes text that reads back as
something else (runs of spaces at a fold, very long keys), the scalar is written as a quoted line.
"""

from __future__ import annotations

import base64
import datetime
import io
import json
import re
from collections.abc import Mapping, Sequence
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
# These two are compiled at their first use: a run with nothing to do has none for them.
_PLAIN = (
    r"(?![\s#,\[\]{}&*!|>'\"%@`]|[-?:](?:\s|\Z)|---|\.\.\.)"  # indicators at the start
    r"(?!.*(?::\s|\s\#|[:\s]\Z))"  # a key, a comment, or a space at the end
    rf"{_PRINTABLE}+\Z"
)
# What YAML 1.2 (and ruamel's reading of it) takes for something else than a string.
_RESOLVED = r"""(?x)(?:
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
    )\Z"""
_MAYBE_RESOLVED = frozenset("-+0123456789.tTfFnN~<=")
_SINGLE_QUOTED = re.compile(r"[\x20-\x26\x28-\x7e]+\Z")
_NEEDS_ESCAPE = re.compile("[\x7f-\xa0\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_SAFE_WORD = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@-]*\Z")
_DIGEST = re.compile(
    r"(?=[0-9be]*[acdf])[0-9a-f]{32}(?:\.dir)?\Z"
)  # one of these letters: not a number
_OWN_KEYS = frozenset(
    ("path", "hash", "md5", "xxh128", "size", "nfiles", "isexec", "cmd", "deps", "params", "outs")
)


class _NotPlain(Exception):
    """A value that only ruamel can be trusted with."""


def emit_block(data: Mapping[str, Any], indent: int = 0) -> str:
    """``data`` (not empty) as a YAML block mapping, every line indented by ``indent`` spaces.

    The text is what ruamel.yaml writes in DVC's settings, if that reads back equal to ``data``.
    """
    lines: list[str] = []
    try:
        _mapping(lines, data, indent, exact=False)
        return "".join(lines)
    except _NotPlain:
        text = _ruamel(data, indent)
    if text is not None and _reads_back(text, data, indent):
        return text
    lines.clear()
    _mapping(lines, data, indent, exact=True)
    return "".join(lines)


def emit_scalar(text: str) -> str:
    """A short word or digest as ruamel writes it: quoted only where it would be read as something else."""
    return _string(text, 0, 0, exact=True)


def _mapping(lines: list[str], data: Mapping[str, Any], indent: int, *, exact: bool) -> None:
    """Append the lines of ``data``. ``exact``: no folding, so that any value reads back equal."""
    pad = " " * indent
    for key, value in data.items():
        head = f"{pad}{_key(key, exact)}:"
        kind = type(value)
        if kind is str:
            lines.append(f"{head} {_string(value, len(head) + 1, indent, exact)}\n")
        elif kind is int:
            lines.append(f"{head} {value}\n")
        elif value is None:
            lines.append(f"{head}\n")
        elif kind is list or kind is tuple:
            lines.append(f"{head}\n" if value else f"{head} []\n")
            _sequence(lines, value, indent, exact=exact)
        elif kind is dict or isinstance(value, Mapping):
            lines.append(f"{head}\n" if value else f"{head} {{}}\n")
            _mapping(lines, value, indent + 2, exact=exact)
        else:
            lines.append(f"{head} {_scalar(value, exact)}\n")


def _sequence(lines: list[str], items: Sequence[Any], indent: int, *, exact: bool) -> None:
    pad = " " * indent
    for item in items:
        kind = type(item)
        if kind is str:
            lines.append(f"{pad}- {_string(item, indent + 2, indent, exact)}\n")
        elif kind is int or kind is float or kind is bool:
            lines.append(f"{pad}- {_scalar(item, exact)}\n")
        elif item and (kind is dict or kind is list or isinstance(item, (Mapping, tuple))):
            first = len(lines)
            if kind is list or kind is tuple:
                _sequence(lines, item, indent + 2, exact=exact)
            else:
                _mapping(lines, item, indent + 2, exact=exact)
            # The first line of what is inside stands behind the dash.
            lines[first] = f"{pad}- {lines[first][indent + 2 :]}"
        elif item is not None:
            empty = "{}" if isinstance(item, Mapping) else "[]" if kind in (list, tuple) else None
            lines.append(f"{pad}- {empty or _scalar(item, exact)}\n")
        elif exact:
            lines.append(f"{pad}- null\n")
        else:
            raise _NotPlain  # ruamel's spacing depends on what came before


def _key(key: Any, exact: bool) -> str:
    if type(key) is str:
        if key in _OWN_KEYS or (len(key) <= _LONGEST_KEY and _is_word(key)):
            return key
        if len(key) <= _LONGEST_KEY:
            return _string(key, 0, 0, exact)
        if exact:
            return _quoted(key)
    elif exact:
        return "null" if key is None else _scalar(key, exact)
    raise _NotPlain


def _scalar(value: Any, exact: bool) -> str:
    """A number, a truth value, or (``exact``) whatever else TOML and YAML know."""
    kind = type(value)
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
    if not exact:
        raise _NotPlain
    if isinstance(value, datetime.date):
        return str(value)
    if isinstance(value, bytes):
        return f'!!binary "{base64.b64encode(value).decode()}"'
    return _quoted(str(value))


def _string(text: str, column: int, indent: int, exact: bool) -> str:
    """``text`` as a scalar that starts at ``column``, in a mapping or sequence at ``indent``."""
    fits = column + len(text) <= WIDTH
    if fits and _is_word(text):
        return text
    if re.match(_PLAIN, text) and not _is_resolved(text):
        if fits:
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


def _is_word(text: str) -> bool:
    """Whether ``text`` is surely plain: the quick answer for nearly all paths, names and digests."""
    if _DIGEST.match(text):
        return True
    return text[:1] not in _MAYBE_RESOLVED and _SAFE_WORD.match(text) is not None


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
    return text[:1] in _MAYBE_RESOLVED and re.match(_RESOLVED, text) is not None


def _ruamel(data: Mapping[str, Any], indent: int) -> str | None:
    """``data`` as DVC's library writes it, at ``indent``; None if it cannot."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML()
    yaml.default_flow_style = False
    # The column counts for folding, so the data are nested as deep as they will stand.
    nested: Any = _builtin(data)
    for _ in range(indent // 2):
        nested = {"x": nested}
    stream = io.StringIO()
    try:
        yaml.dump(nested, stream)
    except (YAMLError, TypeError):
        return None
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

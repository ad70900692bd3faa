"""Changing values in the text of a params file: comments, order and spelling of all others stay.

Whatever way a text was changed in, it is read again, and only believed if it holds just the new values.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator
from typing import Any

from redoit.errors import ParamsProblem, SpecError
from redoit.experiments.edit_python import edit_python
from redoit.experiments.same import changes, same
from redoit.model import Place
from redoit.spec.formats import read_values, suffix
from redoit.spec.scalars import plain
from redoit.spec.source import Path, Source
from redoit.spec.spots import locate


def edit(file: str, data: bytes, old: dict[str, Any], new: dict[str, Any]) -> bytes:
    """The content ``data`` of the params file ``file`` (its suffix says the format) with ``new`` for ``old``.

    Raises ParamsProblem if that format cannot hold the new values.
    """
    if same(old, new):
        return data
    text = data.decode("utf-8")
    crlf = "\r\n" in text
    bom = text.startswith("\ufeff")
    source = Source.decode(file, data)
    source = Source(file, source.text.removeprefix("\ufeff"))
    for candidate in _candidates(source, old, new):
        if _holds(file, candidate, new):
            if crlf:
                candidate = candidate.replace("\n", "\r\n")
            return (("\ufeff" if bom else "") + candidate).encode("utf-8")
    raise ParamsProblem(
        f"the new values cannot be written to {file}",
        place=Place(file),
        hint="edit the file by hand, then run without -S",
    )


def write_new(file: str, new: dict[str, Any]) -> bytes:
    """The content of a params file that did not exist. Raises ParamsProblem."""
    empty = "{}" if suffix(file) == ".json" else ""
    return edit(file, empty.encode(), {}, new)


def _candidates(source: Source, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """Changed texts, the one that touches least first."""
    kind = suffix(source.file)
    if kind == ".py":
        yield edit_python(source, old, new)
        return
    if kind == ".toml":
        yield from _edit_toml(source, new)
        return
    in_place = _replaced(source, list(changes(old, new)), is_json=kind == ".json")
    if in_place is not None:
        yield in_place
    if kind == ".json":
        yield _json(source.text, new)
    else:
        yield _edit_yaml(source, new, shared=True)
        yield _edit_yaml(source, new, shared=False)
        yield _dumped(new)


def _holds(file: str, text: str, values: dict[str, Any]) -> bool:
    try:
        return same(read_values(Source(file, text)), values)
    except SpecError:
        return False


# --- YAML and JSON: the text of single values -----------------------------------------------------


def _replaced(source: Source, wanted: list[tuple[Path, Any]], *, is_json: bool) -> str | None:
    """The text with each value written where the old one stood; None if one is not on a single line."""
    edits: list[tuple[int, int, int, str]] = []
    rows = source.text.split("\n")
    for path, value in wanted:
        found = locate(source, path) if path else None
        if found is None:
            return None
        spot = found[1]
        if spot.line != spot.end_line or spot.end_column <= spot.column:
            return None
        was = rows[spot.line][spot.column : spot.end_column]
        if is_json:
            text = json.dumps(value, ensure_ascii=source.text.isascii())
        else:
            # Inside of brackets fewer texts are plain; a whole flow value replaced stands in a block.
            text = _inline(value, was[0] if was[0] in "\"'" else "")
        edits.append((spot.line, spot.column, spot.end_column, text))
    for line, start, end, text in sorted(edits, reverse=True):
        rows[line] = rows[line][:start] + text + rows[line][end:]
    return "\n".join(rows)


def _inline(value: Any, quote: str = "") -> str:
    """``value`` as YAML on one line, text in ``quote`` if it was so before."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_inline(k)}: {_inline(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_inline(item) for item in value) + "]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    if not isinstance(value, str):
        return str(value)
    if quote == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if quote or not _is_plain(value):
        return json.dumps(value, ensure_ascii=False)
    return value


def _float(value: float) -> str:
    if value != value:
        return ".nan"
    if value in (float("inf"), float("-inf")):
        return ".inf" if value > 0 else "-.inf"
    text = repr(value)
    # YAML 1.1 readers take a number with an exponent for text unless it has a dot.
    return text if "." in text or "e" not in text else text.replace("e", ".0e")


def _is_plain(text: str) -> bool:
    """Whether ``text`` is itself in YAML without quotes, also inside of brackets and for YAML 1.1."""
    return (
        re.fullmatch(r"[A-Za-z_./][\w ./+@%-]*", text, re.ASCII) is not None
        and text == text.strip()
        and plain(text) == text
        and text.lower() not in {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
    )


def _json(text: str, new: dict[str, Any]) -> str:
    """All of ``new``, indented as ``text`` is."""
    found = re.search(r"\n([ \t]+)\S", text)
    indent = found[1] if found else (None if text.strip() not in ("", "{}") else "  ")
    end = "\n" if text.endswith("\n") or indent else ""
    return json.dumps(new, indent=indent, ensure_ascii=text.isascii()) + end


# --- YAML and TOML: documents that keep their comments --------------------------------------------


def _edit_yaml(source: Source, new: dict[str, Any], *, shared: bool) -> str:
    """Round trip through ruamel.yaml. Without ``shared`` every alias is first written out."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 100_000
    mapping, offset = _indents(source.text)
    yaml.indent(mapping=mapping, sequence=offset + 2, offset=offset)
    try:
        document = yaml.load(source.text)
    except YAMLError:
        return _dumped(new)
    if not isinstance(document, dict):
        # An empty file, perhaps with comments: they stay in front.
        return (
            source.text
            + ("" if source.text.endswith("\n") or not source.text else "\n")
            + (_dumped(new))
        )
    if not shared:
        document = _unshared(document, set())
    _merge(document, new)
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue()


def _dumped(new: dict[str, Any]) -> str:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 100_000
    out = io.StringIO()
    yaml.dump(new, out)
    return out.getvalue()


def _indents(text: str) -> tuple[int, int]:
    """How far mappings are indented, and how far the dashes of lists, by the first of each kind."""
    mapping = re.search(
        r"^( *)[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\n(?: *(?:#[^\n]*)?\n)*\1( +)[^\s#-]", text, re.M
    )
    dashes = re.search(
        r"^( *)[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\n(?: *(?:#[^\n]*)?\n)*\1( *)- ", text, re.M
    )
    return len(mapping[2]) if mapping else 2, len(dashes[2]) if dashes else 0


def _unshared(node: Any, seen: set[int]) -> Any:
    """``node`` with every mapping and list at one place only, and without merge keys."""
    import copy

    if not isinstance(node, dict | list):
        return node
    if id(node) in seen:
        node = copy.deepcopy(node)
    seen.add(id(node))
    if hasattr(node, "yaml_set_anchor"):
        node.yaml_set_anchor(None)
    if getattr(node, "merge", None):
        inherited = dict(node)
        node.merge.clear() if hasattr(node.merge, "clear") else None
        for key, value in inherited.items():
            node[key] = copy.deepcopy(value)
    for key in list(node) if isinstance(node, dict) else range(len(node)):
        node[key] = _unshared(node[key], seen)
    return node


def _edit_toml(source: Source, new: dict[str, Any]) -> Iterator[str]:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    null = next(_nulls(new), None)
    if null is not None:
        raise ParamsProblem(
            f'"{null}" cannot be null in {source.file}: TOML has no null',
            place=Place(source.file),
            hint=f"remove it with ~{null}",
        )
    for whole_lists in (False, True):
        document = tomlkit.parse(source.text)
        # An array of tables that gets another kind of item breaks only when it is written.
        with contextlib.suppress(TOMLKitError, ValueError, TypeError, AttributeError):
            _merge(document, new, whole_lists=whole_lists)
            yield tomlkit.dumps(document)


def _nulls(value: Any, path: str = "") -> Iterator[str]:
    if value is None:
        yield path
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from _nulls(child, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _nulls(child, f"{path}.{index}")


def _merge(node: Any, new: Any, *, whole_lists: bool = False) -> None:
    """Make the document's mapping or list ``node`` hold ``new``, touching only what differs."""
    if isinstance(new, dict):
        for key in [key for key in node if key not in new]:
            del node[key]
        for key, value in new.items():
            if key not in node:
                node[key] = value
            else:
                _put(node, key, value, whole_lists)
        return
    while len(node) > len(new):
        del node[-1]
    for index, value in enumerate(new):
        if index < len(node):
            _put(node, index, value, whole_lists)
        else:
            node.append(value)


def _put(node: Any, key: Any, value: Any, whole_lists: bool) -> None:
    here = node[key]
    if (isinstance(here, dict) and isinstance(value, dict)) or (
        isinstance(here, list) and isinstance(value, list) and not whole_lists
    ):
        _merge(here, value, whole_lists=whole_lists)
    elif not _is_same_scalar(here, value):
        node[key] = value


def _is_same_scalar(here: Any, value: Any) -> bool:
    """As ``same``, for a document's own scalars: subclasses of str, int and float that know their spelling."""
    if isinstance(here, bool) or isinstance(value, bool) or here is None or value is None:
        return type(here) is type(value) and bool(here == value)
    return any(
        isinstance(here, kind) and isinstance(value, kind) for kind in (str, int, float)
    ) and (bool(here == value) or (here != here and value != value))

"""Changing values in the text of a params file: comments, order and spelling of all others stay.

Whatever way a text was changed in, it is read again, and only believed if it holds just the new values.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

from redoit.errors import ParamsProblem, SpecError
from redoit.experiments.edit_document import dumped, edit_document, merge
from redoit.experiments.edit_python import edit_python
from redoit.experiments.edit_text import edit_text
from redoit.experiments.same import same
from redoit.model import Place
from redoit.spec.formats import read_values, suffix
from redoit.spec.source import Source


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
    text = edit_text(source, old, new)
    if text is not None:
        yield text
    if kind == ".json":
        yield _json(source.text, new)
    else:
        yield edit_document(source, new, shared=True)
        yield edit_document(source, new, shared=False)
        yield dumped(new)


def _holds(file: str, text: str, values: dict[str, Any]) -> bool:
    try:
        return same(read_values(Source(file, text)), values)
    except SpecError:
        return False


def _json(text: str, new: dict[str, Any]) -> str:
    """All of ``new``, indented as ``text`` is."""
    found = re.search(r"\n([ \t]+)\S", text)
    indent = found[1] if found else (None if text.strip() not in ("", "{}") else "  ")
    end = "\n" if text.endswith("\n") or indent else ""
    return json.dumps(new, indent=indent, ensure_ascii=text.isascii()) + end


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
            merge(document, new, whole_lists=whole_lists)
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

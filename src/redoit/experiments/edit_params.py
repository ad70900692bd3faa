"""Changing values in the text of a params file: comments, order and spelling of all others stay.

Whatever way a text was changed in, it is read again, and only believed if it holds just the new values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
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
    for attempt in _attempts(source, old, new):
        try:
            candidate = attempt()
        except ParamsProblem:
            raise
        except Exception:  # noqa: BLE001 - documents that keep comments break on odd anchors and tables
            continue
        if candidate is not None and _holds(file, candidate, new):
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


def _attempts(
    source: Source, old: dict[str, Any], new: dict[str, Any]
) -> Sequence[Callable[[], str | None]]:
    """Ways to change the text, the one that touches least first; the last ones lose comments."""
    kind = suffix(source.file)
    if kind == ".py":
        return [partial(edit_python, source, old, new)]
    if kind == ".toml":
        return [
            partial(_edit_toml, source, new, whole_lists=False),
            partial(_edit_toml, source, new, whole_lists=True),
            partial(_dumped_toml, new),
        ]
    if kind == ".json":
        return [partial(edit_text, source, old, new), partial(_json, source.text, new)]
    return [
        partial(edit_text, source, old, new),
        partial(edit_document, source, new, shared=True),
        partial(edit_document, source, new, shared=False),
        partial(dumped, new),
    ]


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


def _edit_toml(source: Source, new: dict[str, Any], *, whole_lists: bool) -> str:
    import tomlkit

    null = next(_nulls(new), None)
    if null is not None:
        raise ParamsProblem(
            f'"{null}" cannot be null in {source.file}: TOML has no null',
            place=Place(source.file),
            hint=f"remove it with ~{null}",
        )
    document = tomlkit.parse(source.text)
    merge(document, new, whole_lists=whole_lists)
    return tomlkit.dumps(document)


def _dumped_toml(new: dict[str, Any]) -> str:
    import tomlkit

    return tomlkit.dumps(new)


def _nulls(value: Any, path: str = "") -> Iterator[str]:
    if value is None:
        yield path
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from _nulls(child, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _nulls(child, f"{path}.{index}")

"""Changing values in the text of a YAML or JSON file: nothing but the lines of what changes is touched."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from redoit.experiments.same import same
from redoit.experiments.spelling import inline
from redoit.spec.source import Source
from redoit.spec.spots import Spot, locate


class _NotHere(Exception):
    """The change cannot be made in the text alone."""


class _Edit(NamedTuple):
    """Characters from ``start`` to ``end`` (exclusive) become ``text``."""

    start: int
    end: int
    text: str


def edit_text(source: Source, old: dict[str, Any], new: dict[str, Any]) -> str | None:
    """The text with ``new`` for ``old``; None if that takes more than changing values and lines.

    What comes out may be wrong where one part of the text stands for several values (anchors): the caller
    reads it again.
    """
    root = locate(source, ())
    if root is None:
        return None
    editor = _Editor(source)
    try:
        editor.change(root[1], old, new)
    except _NotHere:
        return None
    text = editor.text
    # From the end to the start, so that places stay right. Of two insertions at one place the outer one is made
    # first, so that the inner one comes in front of it.
    for start, end, new_text in sorted(editor.edits, key=lambda edit: -edit.start):
        text = text[:start] + new_text + text[end:]
    return text if source.text.endswith("\n") else text.removesuffix("\n")


class _Editor:
    """Collects the edits of one text."""

    def __init__(self, source: Source) -> None:
        self.text = source.text if source.text.endswith("\n") else f"{source.text}\n"
        self.edits: list[_Edit] = []
        self._is_json = source.file.lower().endswith(".json")
        self._ascii = source.text.isascii()
        self._starts = [0]
        for line in self.text.split("\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)

    def change(self, spot: Spot, old: Any, new: Any) -> None:
        """Edit the value at ``spot``. Raises _NotHere."""
        if same(old, new):
            return
        children = spot.children
        if isinstance(old, dict) and isinstance(new, dict) and isinstance(children, dict):
            if old.keys() == new.keys():
                self._change_items(spot, old, new)
                return
            if self._is_block(spot):
                self._change_lines(spot, children, old, new)
                return
        if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            self._change_items(spot, dict(enumerate(old)), dict(enumerate(new)))
            return
        self._replace(spot, new)

    def _change_items(self, spot: Spot, old: dict[Any, Any], new: dict[Any, Any]) -> None:
        for key, value in old.items():
            if not same(value, new[key]):
                found = spot.child(key)
                if found is None:
                    raise _NotHere
                self.change(found[1], value, new[key])

    def _replace(self, spot: Spot, value: Any) -> None:
        if spot.line != spot.end_line or spot.end_column <= spot.column:
            raise _NotHere
        start, end = self._at(spot.line, spot.column), self._at(spot.line, spot.end_column)
        if self._is_json:
            text = json.dumps(value, ensure_ascii=self._ascii)
        else:
            quote = self.text[start]
            text = inline(value, quote if quote in "\"'" else "")
        self.edits.append(_Edit(start, end, text))

    def _change_lines(
        self,
        spot: Spot,
        children: dict[Any, tuple[Spot, Spot]],
        old: dict[Any, Any],
        new: dict[Any, Any],
    ) -> None:
        """Remove and add whole lines of a block mapping, and change the others."""
        kept = [key for key in old if key in new]
        if not kept or spot.merged or old.keys() != children.keys():
            raise _NotHere
        first = min((key for key, _ in children.values()), key=lambda place: place.line)
        if self.text[self._at(first.line, 0) : self._at(first.line, first.column)].strip():
            raise _NotHere  # behind the dash of a list
        end = max(_last_line(value, self) for _, value in children.values()) + 1
        added = {key: value for key, value in new.items() if key not in old}
        if added:
            lines = "".join(_block(added, first.column))
            self.edits.append(_Edit(self._at(end, 0), self._at(end, 0), lines))
        for key in old:
            if key not in new:
                name, value = children[key]
                last = _last_line(value, self) + 1
                self.edits.append(_Edit(self._at(name.line, 0), self._at(last, 0), ""))
        self._change_items(spot, {k: old[k] for k in kept}, {k: new[k] for k in kept})

    def _is_block(self, spot: Spot) -> bool:
        return not self._is_json and not self.is_flow(spot)

    def is_flow(self, spot: Spot) -> bool:
        """Whether a mapping or list is in brackets (or has an anchor or tag: then it is not touched)."""
        return self.text[self._at(spot.line, spot.column)] in "{[&!*"

    def _at(self, line: int, column: int) -> int:
        return min(self._starts[line] + column, len(self.text))


def _last_line(spot: Spot, editor: _Editor) -> int:
    """The line (from 0) on which the value ends."""
    children = spot.children
    if children and not editor.is_flow(spot):
        values = [v for _, v in children.values()] if isinstance(children, dict) else children
        return max(_last_line(value, editor) for value in values)
    # The end of a text that is a block of lines is the start of the line after it.
    ends_before = spot.end_column == 0 and spot.end_line > spot.line
    return spot.end_line - 1 if ends_before else spot.end_line


def _block(values: dict[Any, Any], indent: int) -> list[str]:
    """``values`` as lines of a block mapping."""
    lines = []
    for key, value in values.items():
        lead = f"{' ' * indent}{inline(key)}:"
        if isinstance(value, dict) and value:
            lines += [f"{lead}\n", *_block(value, indent + 2)]
        else:
            lines.append(f"{lead} {inline(value)}\n")
    return lines

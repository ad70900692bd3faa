"""Line and column of a value, found by reading the text again: only when there is a mistake to report."""

from __future__ import annotations

from typing import Any

from redoit.errors import SpecError
from redoit.spec.scalars import plain
from redoit.spec.source import Fault, Path, Source
from redoit.spec.yaml import MERGE, Refused, events


class Spot:
    """Where one value stands: its first and last line and column (from 0), and its children."""

    __slots__ = ("children", "column", "end_column", "end_line", "line", "merged")

    def __init__(self, line: int, column: int, end_line: int, end_column: int) -> None:
        self.line = line
        self.column = column
        self.end_line = end_line
        self.end_column = end_column
        self.children: dict[Any, tuple[Spot, Spot]] | list[Spot] | None = None
        self.merged: list[Spot] | None = None

    def child(self, key: Any) -> tuple[Spot, Spot] | None:
        """(key, value) of a mapping's key, or the item of a list twice; also through ``<<``."""
        if isinstance(self.children, list):
            if isinstance(key, int) and 0 <= key < len(self.children):
                return self.children[key], self.children[key]
            return None
        if self.children and key in self.children:
            return self.children[key]
        for other in self.merged or ():
            parts = other.children if isinstance(other.children, list) else [other]
            for part in parts:
                found = part.child(key)
                if found:
                    return found
        return None


def locate(source: Source, path: Path) -> tuple[Spot, Spot] | None:
    """Where the key and the value at ``path`` stand, or of the nearest thing above it that can be found."""
    try:
        root = _spots(source)
    except (SpecError, Refused):
        return None
    if root is None:
        return None
    here = (root, root)
    for key in path:
        below = here[1].child(key)
        if below is None:
            break
        here = below
    return here


def _spots(source: Source) -> Spot | None:
    import yaml

    root: Spot | None = None
    stack: list[tuple[Spot, list[tuple[Any, Spot]], str | None]] = []
    anchors: dict[str, tuple[Any, Spot]] = {}
    for event in events(source):
        start, end = event.start_mark, event.end_mark
        spot = Spot(start.line, start.column, end.line, end.column)
        value: Any = None
        if isinstance(event, yaml.CollectionStartEvent):
            spot.children = [] if isinstance(event, yaml.SequenceStartEvent) else {}
            stack.append((spot, [], event.anchor))
            if event.anchor is not None:
                anchors[event.anchor] = (None, spot)
            continue
        if isinstance(event, yaml.AliasEvent):
            value, target = anchors.get(event.anchor or "", (None, spot))
            spot.children, spot.merged = target.children, target.merged
        elif isinstance(event, yaml.ScalarEvent):
            bare = event.tag == "!" or (event.implicit[0] and event.tag is None)
            value = plain(event.value) if bare else event.value
            if event.implicit[0] and event.value == "<<":
                value = MERGE
            if event.anchor is not None:
                anchors[event.anchor] = (value, spot)
        else:
            spot, parts, _ = stack.pop()
            spot.end_line, spot.end_column = end.line, end.column
            _adopt(spot, parts)
        if stack:
            stack[-1][1].append((value, spot))
        else:
            root = spot
    return root


def _adopt(spot: Spot, parts: list[tuple[Any, Spot]]) -> None:
    if isinstance(spot.children, list):
        spot.children = [part for _, part in parts]
        return
    children: dict[Any, tuple[Spot, Spot]] = {}
    for (key, key_spot), (_, value_spot) in zip(parts[::2], parts[1::2], strict=False):
        if key is MERGE:
            spot.merged = [value_spot]
        else:
            try:
                children[key] = (key_spot, value_spot)
            except TypeError:
                continue
    spot.children = children


def blame(source: Source, fault: Fault) -> SpecError:
    """``fault`` with its place in ``source``, an excerpt, and the stage and field it is about."""
    facts: dict[str, object] = {}
    path = fault.path
    if len(path) > 1 and path[0] == "stages":
        facts["stage"] = path[1]
        path = path[2:]
    if path:
        facts["field"] = _dotted(path)
    facts.update(fault.facts)
    found = locate(source, fault.path)
    line, column, length = 0, 0, 1
    if found:
        spot = found[0] if fault.on_key else found[1]
        line, column, length = spot.line, spot.column, _length(spot)
        if fault.needle:
            line, column, length = _find(source, spot, fault.needle) or (line, column, length)
        line, column = line + 1, column + 1
    return source.mistake(
        fault.kind, fault.what, line, column, length=length, facts=facts, hint=fault.hint
    )


def _length(spot: Spot) -> int:
    return spot.end_column - spot.column if spot.end_line == spot.line else 1


def _find(source: Source, spot: Spot, needle: str) -> tuple[int, int, int] | None:
    """(line, column, length) of ``needle`` in the text of ``spot``; its first line only."""
    rows = source.text.split("\n")
    for line in range(spot.line, min(spot.end_line + 1, len(rows))):
        start = rows[line].find(needle, spot.column if line == spot.line else 0)
        if start >= 0:
            return line, start, len(needle)
    return None


def _dotted(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text

"""Reasons as text: in a few words for a line, in full for ``exp why``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from redoit.model import Content, Entry, Reason, Why
from redoit.printable import printable
from redoit.report.words import Paint

_ABSENT = "(none)"

_OF_THE_STAGE = (Why.NEVER_RAN, Why.COMMAND_CHANGED, Why.ALWAYS)
"""Kinds whose subject is the stage itself, which need not be named again."""


def brief(reasons: Sequence[Reason], most: int = 3) -> str:
    """All reasons in one line: ``dep changed: a.csv, b.csv; param changed: params.yaml:lr``."""
    kinds: dict[Why, list[str]] = {}
    for reason in reasons:
        kinds.setdefault(reason.kind, []).append(_subject(reason))
    parts = []
    for kind, subjects in kinds.items():
        named = [subject for subject in subjects if subject]
        more = f" and {len(named) - most:,} more" if len(named) > most else ""
        listed = ", ".join(named[:most]) + more
        parts.append(f"{kind.value}: {listed}" if listed else kind.value)
    return "; ".join(parts)


def full(reason: Reason, paint: Paint) -> list[str]:
    """One reason with what was and what is now, as lines."""
    about = _subject(reason)
    head = paint.bold(reason.kind.value) + (f": {about}" if about else "")
    if reason.kind is Why.COMMAND_CHANGED:
        return [head, *(f"    {line}" for line in command_diff(reason.old, reason.new, paint))]
    if reason.old is None and reason.new is None:
        return [head]
    if isinstance(reason.old, Mapping) and isinstance(reason.new, Mapping):
        lines = [head]
        for key, old, new in differing(reason.old, reason.new):
            lines += [
                f"    {printable(key)}",
                *(f"  {line}" for line in _was_and_now(old, new, paint)),
            ]
        return lines
    return [head, *_was_and_now(reason.old, reason.new, paint)]


def _was_and_now(old: Any, new: Any, paint: Paint) -> list[str]:
    return [f"    was  {paint.red(shown(old))}", f"    now  {paint.green(shown(new))}"]


def differing(
    old: Mapping[str, Any], new: Mapping[str, Any], above: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """Dotted key, old and new value of all that is not the same in two nested mappings."""
    for key in dict.fromkeys((*old, *new)):
        was, now = old.get(key), new.get(key)
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            yield from differing(was, now, f"{above}{key}.")
        elif was != now:
            yield f"{above}{key}", was, now


def _subject(reason: Reason) -> str:
    return "" if reason.kind in _OF_THE_STAGE else printable(reason.subject)


def shown(value: Any) -> str:
    """A content, or a param's value, for people."""
    if value is None:
        return _ABSENT
    if isinstance(value, (Entry, Content)):
        if value.oid is None:
            return _ABSENT
        facts = [] if value.size is None else [f"{value.size:,} bytes"]
        if value.nfiles is not None:
            facts.append(f"{value.nfiles:,} files")
        return f"{value.algo.value} {value.oid}" + (f" ({', '.join(facts)})" if facts else "")
    return printable(value if isinstance(value, str) else repr(value))


def command_diff(old: Any, new: Any, paint: Paint) -> list[str]:
    """The lines of a unified diff between two commands (text, or a list of texts)."""
    import difflib

    lines = []
    # The first three lines name files and places, which commands do not have.
    for line in list(difflib.unified_diff(_lines(old), _lines(new), lineterm="", n=3))[3:]:
        if line.startswith("+"):
            lines.append(paint.green(line))
        elif line.startswith("-"):
            lines.append(paint.red(line))
        else:
            lines.append(line)
    return lines


def _lines(command: Any) -> list[str]:
    if command is None:
        return []
    if isinstance(command, str):
        return list(map(command_line, command.splitlines()))
    return [command_line(line) for part in command for line in str(part).splitlines()]


def command_line(line: str) -> str:
    """A line of a command as a terminal can show it; tabs do no harm."""
    return "\t".join(map(printable, line.split("\t")))

"""Names as a terminal can show them: what it would obey, and what could not be told apart, as escapes."""

from __future__ import annotations


def printable(text: str) -> str:
    """``text`` on one line: control characters and the like as escapes (``\\n``, ``\\x1b``)."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def quoted(name: str) -> str:
    """``name`` as an item of a list: as it is, or with escapes and in quotes, as by Git."""
    if name.isprintable():
        return name
    return f'"{printable(name.replace(chr(92), 2 * chr(92)).replace(chr(34), chr(92) + chr(34)))}"'

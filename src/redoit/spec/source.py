"""The text of one file, and mistakes in it with their line and column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from redoit.errors import SchemaProblem, SpecError, SyntaxProblem
from redoit.model import Place

Path = tuple[Any, ...]
"""Where in a document: keys of mappings and indices of lists, from the top."""

_WIDTH = 120
"""Characters of a line that an excerpt shows at most."""


class Fault(Exception):
    """A mistake at a path of the document in hand; whoever holds its Source makes a SpecError of it.

    ``on_key`` the mistake is the key at ``path``, not its value.
    ``needle`` a piece of the value's text that the mistake is about.
    """

    def __init__(
        self,
        what: str,
        path: Path = (),
        *,
        on_key: bool = False,
        needle: str | None = None,
        hint: str | None = None,
        kind: type[SpecError] = SchemaProblem,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.path = path
        self.on_key = on_key
        self.needle = needle
        self.hint = hint
        self.kind = kind
        self.facts = dict(facts or {})


class Source(NamedTuple):
    """One file that was read: its name for messages (relative to the root) and its text."""

    file: str
    text: str

    @classmethod
    def decode(cls, file: str, data: bytes) -> Source:
        """The text of ``data`` with line ends made ``\\n``. Raises SyntaxProblem if it is not UTF-8."""
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            good = data[: error.start].decode("utf-8")
            line = good.count("\n") + 1
            column = len(good) - good.rfind("\n")
            raise SyntaxProblem(
                f"{file} is not UTF-8 text",
                place=Place(file, line, column),
                facts={"byte": f"0x{data[error.start]:02x} at offset {error.start}"},
                hint="save the file as UTF-8",
            ) from None
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return cls(file, text)

    def excerpt(self, line: int, column: int, length: int = 1) -> str | None:
        """The line with a caret under ``column`` (both from 1), or None if there is no such line."""
        rows = self.text.split("\n")
        if not 1 <= line <= len(rows):
            return None
        text, start = rows[line - 1].rstrip(), max(column - 1, 0)
        if len(text) > _WIDTH and start + length > _WIDTH:
            cut = max(start - _WIDTH // 2, 0)
            text, start = "…" + text[cut:], start - cut + 1
        text = text[:_WIDTH]
        # A tab stays a tab in front of the caret, so that both lines are as wide.
        lead = "".join(c if c == "\t" else " " for c in text[:start].ljust(start))
        carets = "^" * max(1, min(length, max(len(text) - start, 1)))
        number = str(line)
        return f"{number} | {text}\n{' ' * len(number)} | {lead}{carets}"

    def mistake(
        self,
        kind: type[SpecError],
        what: str,
        line: int,
        column: int,
        *,
        length: int = 1,
        facts: Mapping[str, object] | None = None,
        hint: str | None = None,
    ) -> SpecError:
        """An error at a known line and column (from 1; 0: the whole file)."""
        return kind(
            what,
            place=Place(self.file, line, column),
            facts=facts,
            excerpt=self.excerpt(line, column, length) if line else None,
            hint=hint,
        )


def check_encodable(text: str, path: Path, *, on_key: bool = False) -> None:
    """Raise Fault for text that no file system and no command line can take."""
    if "\0" in text:
        what = "a NUL character cannot be part of a path or a command"
        raise Fault(what, path, on_key=on_key, hint="remove the \\0")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Fault(
            "half of a character (a lone surrogate) is in this text",
            path,
            on_key=on_key,
            hint="write the character itself",
        ) from None


def near(word: object, known: Iterable[str]) -> str | None:
    """``did you mean "x"?`` for the nearest of ``known``, or None if none is near."""
    import difflib

    names = list(known)
    found = difflib.get_close_matches(str(word), names, n=1, cutoff=0.6)
    if not found:
        lower = {name.lower(): name for name in names}
        found = [lower[key] for key in (str(word).lower(),) if key in lower]
    return f'did you mean "{found[0]}"?' if found else None


def describe(value: object) -> str:
    """The kind of ``value`` in the words of YAML."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return f"a boolean ({str(value).lower()})"
    if isinstance(value, str):
        return f'text ("{value}")' if len(value) <= 40 and "\n" not in value else "text"
    if isinstance(value, int | float):
        return f"a number ({value})"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    return f"a {type(value).__name__}"

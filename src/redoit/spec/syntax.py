"""Texts that are no YAML: where, and what may be wrong."""

from __future__ import annotations

import re
from typing import Any

from redoit.errors import SpecError, SyntaxProblem
from redoit.spec.source import Source


def unreadable(source: Source, error: Any) -> SpecError:
    # The parser counts bytes or characters; the first character it refuses is found here instead.
    bad = re.search(
        r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", source.text
    )
    if bad is None:
        return source.mistake(SyntaxProblem, f"{source.file} is not YAML: {error.reason}", 0, 0)
    before = source.text[: bad.start()]
    return source.mistake(
        SyntaxProblem,
        f"a control character (U+{ord(bad.group()):04X}) does not belong in a text file",
        before.count("\n") + 1,
        len(before) - before.rfind("\n"),
        hint="is this a binary file? otherwise remove the character",
    )


CONFLICT = r"(?m)^(?:<{7}|={7}|>{7})(?: .*)?$"


def malformed(source: Source, error: Any) -> SpecError:
    conflict = re.search(CONFLICT, source.text)
    if conflict:
        line = source.text.count("\n", 0, conflict.start()) + 1
        return source.mistake(
            SyntaxProblem,
            "a merge conflict is left in this file",
            line,
            1,
            length=7,
            hint="settle the conflict (git mergetool), then run again",
        )
    mark = error.problem_mark or error.context_mark
    problem = str(error.problem or error.context)
    rows = source.text.split("\n")
    line, column = mark.line + 1, mark.column + 1
    if line > len(rows) or (line == len(rows) and not rows[-1]):
        # The end of the file: point at what it should have closed.
        mark = error.context_mark or mark
        line, column = mark.line + 1, mark.column + 1
    row = rows[line - 1] if line <= len(rows) else ""
    return source.mistake(
        SyntaxProblem,
        f"this is not YAML: {_PROBLEMS.get(problem, problem)}",
        line,
        column,
        hint=advice(problem, row),
    )


_PROBLEMS = {
    "found character that cannot start any token": "this character cannot begin a value",
    "mapping values are not allowed in this context": 'a second ":" in a value that is not quoted',
    "could not find expected ':'": 'a key without ":"',
}


def advice(problem: str, row: str) -> str:
    if row[: len(row) - len(row.lstrip())].count("\t"):
        return "indent with spaces: YAML does not allow tabs"
    if "cannot start any token" in problem:
        return "put the value in quotes"
    if "mapping values" in problem:
        return 'put a value that holds ": " in quotes'
    if "':'" in problem:
        return (
            "each line of a mapping is `key: value`; is a colon or a quote missing here or above?"
        )
    if "quoted scalar" in problem:
        return "close the quotes"
    if "flow" in problem or "expected ',' or" in problem:
        return "close the bracket; inside of brackets, put text that holds {, }, [, ] or a comma in quotes"
    if "undefined alias" in problem:
        return "define the anchor (&name) before its alias (*name)"
    return "check the indentation of this line and of the one above"

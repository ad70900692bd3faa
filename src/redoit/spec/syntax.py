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


CONFLICT = r"(?m)^(?:<{7}|>{7})(?: .*)?$"


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
    problem, context = str(error.problem or ""), str(error.context or "")
    mark = error.problem_mark or error.context_mark
    rows = source.text.split("\n")
    unclosed = "quoted scalar" in context and "end of" in problem
    if "flow" in context and error.context_mark:
        unclosed = mark.line > error.context_mark.line or "stream end" in problem
    what, hint = _explain(problem, context, unclosed)
    if error.context_mark and (unclosed or "':'" in problem or mark.line >= len(rows)):
        # What was begun there and never ended.
        mark = error.context_mark
    row = rows[mark.line] if mark.line < len(rows) else ""
    if "\t" in row[: len(row) - len(row.lstrip())]:
        hint = "indent with spaces: YAML does not allow tabs"
    return source.mistake(
        SyntaxProblem, f"this is not YAML: {what}", mark.line + 1, mark.column + 1, hint=hint
    )


def _explain(problem: str, context: str, unclosed: bool) -> tuple[str, str]:
    """(what, hint) for the parser's ``problem`` while it read ``context``."""
    if "nesting depth" in problem:  # PyYAML 6.0.4 looks so far ahead that it is the first to notice
        return "this is nested too many levels deep", "is this a file of data? link to it instead"
    if "quoted scalar" in context and unclosed:
        return "these quotes are not closed", "close them"
    if "flow" in context and unclosed:
        return "this bracket is not closed", "close it"
    if "expected ',' or" in problem:
        return (
            "a comma or a closing bracket is missing before this",
            "inside of brackets, text that holds {, }, [, ] or a comma needs quotes",
        )
    if "cannot start any token" in problem:
        return "this character cannot begin a value", "put the value in quotes"
    if "mapping values" in problem:
        return 'a second ":" in a value without quotes', 'put text that holds ": " in quotes'
    if "':'" in problem:
        return 'a key without ":"', "write key: value"
    if "alphabetic or numeric" in problem:
        return "this is no name of an anchor", "put text that begins with * or & in quotes"
    if "escape" in problem or "escape" in context:
        return problem, "in double quotes a backslash is \\\\; or take single quotes"
    return problem or context, "compare its indentation with the lines above"

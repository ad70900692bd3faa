"""The lines of a ``.gitignore`` or ``.dvcignore``: which paths they name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_MAGIC = frozenset("*?[\\")


class _Rule:
    """One line: a pattern without ``!`` and without slashes at both ends."""

    __slots__ = ("anchored", "body", "dirs_only", "ignore", "inside", "order", "regex")

    def __init__(
        self, order: int, ignore: bool, dirs_only: bool, body: str, anchored: bool
    ) -> None:
        self.order = order
        self.ignore = ignore
        """False for a line with ``!``: take back in."""
        self.dirs_only = dirs_only
        self.body = body
        self.anchored = anchored
        """It holds a slash, so it is matched from the file's folder; otherwise at any depth."""
        self.inside = anchored and (body.endswith(("/*", "/**")) or body in ("*", "**"))
        """It names what a folder holds."""
        self.regex: re.Pattern[str] | None = None

    def matches(self, relative: str, name: str) -> bool:
        """Whether it names the path; ``relative`` is seen from the folder of the file."""
        if self.regex is None:
            body = self.body
            if not _MAGIC.intersection(body):
                return body == (relative if self.anchored else name)
            rest = body[1:]
            if body[0] == "*" and not self.anchored and not _MAGIC.intersection(rest):
                return name.endswith(rest)
            self.regex = _compiled(body)
        found = self.regex.match(relative if self.anchored else name)
        # The library's expressions also match what lies below what they name.
        return found is not None and not found.groupdict().get("ps_d")


class Rules:
    """The rules of one file, the last that matches wins; literal names cost one look-up, however many.

    ``reach``: a rule for a folder also decides about all that it holds, as DVC reads ``.dvcignore``. That
    makes a difference only where ``!`` takes something back in: for Git it takes back the folder alone.
    """

    def __init__(self, lines: Iterable[str], *, reach: bool = False) -> None:
        self._plain: dict[str, int] = {}
        """Paths of lines such as ``/data/raw.csv``, which DVC writes by the thousand, and their order."""
        self._paths: dict[str, list[_Rule]] = {}
        self._names: dict[str, list[_Rule]] = {}
        self._globs: list[_Rule] = []
        rules = list(self._sift(lines))
        if reach:
            rules = [_as_dvc(rule) for rule in rules if rule.body.strip("*/") or not rule.dirs_only]
        self._reach = None
        if reach and not all(rule.ignore for rule in rules):
            plain = [_Rule(order, True, False, body, True) for body, order in self._plain.items()]
            self._reach = sorted([*rules, *plain], key=lambda rule: -rule.order)
        for rule in rules:
            if _MAGIC.intersection(rule.body):
                self._globs.append(rule)
            else:
                table = self._paths if rule.anchored else self._names
                table.setdefault(rule.body, []).append(rule)
        self._globs.reverse()

    def _sift(self, lines: Iterable[str]) -> Iterator[_Rule]:
        """Put plain paths aside; the rules of the other lines."""
        is_plain = re.compile(r"/[\w.-]+(?:/[\w.-]+)*").fullmatch
        for order, line in enumerate(lines):
            if is_plain(line):
                self._plain[line[1:]] = order
            elif line:
                yield from _parse(order, line)

    def __bool__(self) -> bool:
        return bool(self._plain or self._paths or self._names or self._globs)

    def decide(self, relative: str, name: str, is_dir: bool) -> bool | None:
        """True: ignored; False: taken back in; None: no rule says anything."""
        if self._reach is not None:
            return self._decide_reaching(self._reach, relative, is_dir)
        best = self._plain.get(relative, -1)
        verdict = True if best >= 0 else None
        for found in (self._paths.get(relative), self._names.get(name)):
            for rule in found or ():
                if rule.order > best and (is_dir or not rule.dirs_only):
                    best, verdict = rule.order, rule.ignore
        for rule in self._globs:
            if rule.order < best:
                break
            if (is_dir or not rule.dirs_only) and rule.matches(relative, name):
                return rule.ignore
        return verdict

    @staticmethod
    def _decide_reaching(rules: list[_Rule], relative: str, is_dir: bool) -> bool | None:
        parts = relative.split("/")
        above = [("/".join(parts[: index + 1]), part) for index, part in enumerate(parts)]
        for rule in rules:
            if (is_dir or not rule.dirs_only) and any(rule.matches(*part) for part in above):
                return rule.ignore
        return None

    def swallows(self) -> bool | None:
        """As ``decide``, for the folder that the file itself lies in: DVC's Git library asks that of ``**``."""
        return next((rule.ignore for rule in self._globs if rule.body == "**"), None)

    def empties(self, relative: str) -> bool | None:
        """As ``decide``, for what a folder holds: rules such as ``dir/*`` that name its content only."""
        for rule in self._globs:
            if rule.inside and rule.matches(f"{relative}/x", "x"):
                return rule.ignore
        return None


def _as_dvc(rule: _Rule) -> _Rule:
    """DVC reads ``dir/**`` as ``dir/``. (And ``*/`` and ``**/`` match nothing.)"""
    if rule.body.endswith("/**") and not rule.dirs_only:
        return _Rule(rule.order, rule.ignore, rule.ignore, rule.body[:-3], True)
    return rule


def _parse(order: int, line: str) -> Iterator[_Rule]:
    """The rule of one line, or nothing for a comment or a line that can match nothing."""
    if not line.strip() or line.startswith("#"):
        return
    while line.endswith(" ") and not line.endswith("\\ "):
        line = line[:-1]
    ignore = not line.startswith("!")
    body = line if ignore else line[1:]
    if ignore and body.startswith(("\\!", "\\#")):
        body = body[1:]
    dirs_only = body.endswith("/")
    body = body.rstrip("/") if dirs_only else body
    anchored = "/" in body
    body = body.removeprefix("/")
    if body.startswith("**/") and "/" not in body[3:]:
        # "**/name" is "name".
        body, anchored = body[3:], False
    if body and body != "/":
        yield _Rule(order, ignore, dirs_only, body, anchored)


def _compiled(body: str) -> re.Pattern[str]:
    """The glob as a regular expression for paths seen from the folder of its file."""
    # Late: they take 50 ms, and most projects have no line that needs them.
    import warnings

    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    try:
        expression, _ = GitIgnoreSpecPattern.pattern_to_regex(f"/{body}")
    except ValueError:
        expression = None
    with warnings.catch_warnings():
        # Classes such as [[:digit:]], which the library takes as Python does.
        warnings.simplefilter("ignore", FutureWarning)
        return re.compile(expression or "(?!)", re.DOTALL)

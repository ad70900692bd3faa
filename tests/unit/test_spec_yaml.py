"""YAML: what scalars stand for, where keys stand, and texts that mean harm."""

from __future__ import annotations

import datetime
import math
from typing import Any

import pytest

from redoit.errors import SyntaxProblem
from redoit.spec.scalars import plain
from redoit.spec.source import Source
from redoit.spec.spots import locate
from redoit.spec.yaml import load


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("nUll", "nUll"),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("on", "on"),
        ("n", "n"),
        ("012", 12),
        ("0o14", 12),
        ("0x1F", 31),
        ("-0b11", -3),
        ("1_000", 1000),
        ("1:30", "1:30"),
        ("0o8", "0o8"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1.2.3", "1.2.3"),
        ("-.inf", -math.inf),
        ("-", "-"),
        ("-_", "-_"),
        ("2020-01-02", datetime.date(2020, 1, 2)),
        ("2020-1-2", "2020-1-2"),
        ("2020-02-30", "2020-02-30"),
        ("2020-01-02 03:04:05", datetime.datetime(2020, 1, 2, 3, 4, 5)),
        (
            "2020-01-02T03:04:05.9999999Z",
            datetime.datetime(2020, 1, 2, 3, 4, 6, tzinfo=datetime.timezone.utc),
        ),
        ("text", "text"),
    ],
)
def test_plain_scalars(text: str, value: Any) -> None:
    found = plain(text)
    assert (type(found), found) == (type(value), value)


def value(text: str) -> Any:
    return load(Source("x.yaml", text)).value


def problem(text: str) -> SyntaxProblem:
    with pytest.raises(SyntaxProblem) as caught:
        load(Source("x.yaml", text))
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("a: '12'\nb: \"x\\n\"", {"a": "12", "b": "x\n"}),
        ("\ufeffa: 1", {"a": 1}),
        ("a: &x {k: 1, j: 2}\nb: {j: 3, <<: *x}", {"a": {"k": 1, "j": 2}, "b": {"k": 1, "j": 3}}),
        (
            "a: &x {k: 1}\nb: &y {k: 2}\nc: {<<: [*x, *y]}",
            {"a": {"k": 1}, "b": {"k": 2}, "c": {"k": 1}},
        ),
        ("'<<': 1", {"<<": 1}),
        ("{[a, b]: c}", {("a", "b"): "c"}),
        ("!!set {a, b}", {"a", "b"}),
        ("!!str 12", "12"),
        ("%YAML 1.1\n---\na: yes", {"a": True}),
    ],
)
def test_documents(text: str, expected: Any) -> None:
    assert value(text) == expected


def test_aliases_share_one_value() -> None:
    read = value("a: &x [1]\nb: *x")
    assert read["a"] is read["b"]


def test_keys_of_the_second_level_are_marked() -> None:
    loaded = load(
        Source("x.yaml", "vars: [a]\nstages:\n  train: {cmd: x}\n  'te st':\n    cmd: y\n")
    )
    assert loaded.marks == {("stages", "train"): (3, 3), ("stages", "te st"): (4, 3)}


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("a: 1\na: 2\n", "x.yaml:2:1", 'key "a" stands twice'),
        ("a: !!python/object:os.system x", "x.yaml:1:4", 'tag "!!python/object:os.system"'),
        ("a: !!int x", "x.yaml:1:4", 'tag "!!int"'),
        ("a: &a [*a]", "x.yaml:1:8", "part of what it stands for"),
        ("a: *b", "x.yaml:1:4", "has no anchor"),
        ("a: 1\n---\nb: 2", "x.yaml:2:1", "second YAML document"),
        ("[" * 500, "x.yaml:1:101", "levels deep"),
        ("- " * 5000, "x.yaml:1:201", "levels deep"),
        ("a: [1\nb: 2", "x.yaml:1:4", "bracket is not closed"),
        ("a: 'x\nb: 2", "x.yaml:1:4", "quotes are not closed"),
        ("a: b\x00", "x.yaml:1:5", "control character (U+0000)"),
        ("<<<<<<< HEAD\na: 1\n", "x.yaml:1:1", "merge conflict"),
        ("{{a: 1}: 2}", "x.yaml:1:2", "cannot be a key"),
    ],
)
def test_refused_texts(text: str, place: str, what: str) -> None:
    error = problem(text)
    assert (str(error.place), what in error.what) == (place, True), error.render()


def test_a_million_brackets_do_not_overflow_the_stack() -> None:
    assert "levels deep" in problem("[" * 1_000_000).what
    assert "levels deep" in problem("{a: " * 300_000).what


def test_billion_laughs() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]")
    assert "aliases stand for more than" in problem("\n".join(lines)).what


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(SyntaxProblem) as caught:
        Source.decode("x.yaml", b"a: 1\nb: caf\xe9\n")
    assert str(caught.value.place) == "x.yaml:2:7"


def test_line_ends_are_made_one() -> None:
    assert Source.decode("x", b"a\r\nb\rc").text == "a\nb\nc"


TEXT = "base: &b {k: 1}\nlist:\n- x\n- {<<: *b, n: [5]}\n"


@pytest.mark.parametrize(
    ("path", "key", "here"),
    [
        ((), (0, 0), (0, 0)),
        (("list",), (1, 0), (2, 0)),
        (("list", 0), (2, 2), (2, 2)),
        (("list", 1, "n", 0), (3, 15), (3, 15)),
        (("list", 1, "k"), (0, 10), (0, 13)),
        (("list", 1, "missing", 3), (3, 2), (3, 2)),
    ],
)
def test_positions(path: tuple[Any, ...], key: tuple[int, int], here: tuple[int, int]) -> None:
    found = locate(Source("x", TEXT), path)
    assert found is not None
    assert [(spot.line, spot.column) for spot in found] == [key, here]


@pytest.mark.parametrize(
    ("text", "line", "column", "length", "shown"),
    [
        ("abc", 1, 2, 1, "1 | abc\n  |  ^"),
        ("\ta: b", 1, 5, 9, "1 | \ta: b\n  | \t   ^"),
        ("a\nbb", 2, 1, 2, "2 | bb\n  | ^^"),
        ("", 1, 1, 1, "1 | \n  | ^"),
        ("abc", 2, 1, 1, None),
    ],
)
def test_excerpts(text: str, line: int, column: int, length: int, shown: str | None) -> None:
    assert Source("x", text).excerpt(line, column, length) == shown


def test_excerpt_of_a_long_line_is_cut_around_the_place() -> None:
    excerpt = Source("x", "a" * 500 + "HERE" + "b" * 500).excerpt(1, 501, 4)
    assert excerpt is not None
    shown, carets = excerpt.split("\n")
    start = carets.index("^")
    assert shown[start : start + 4] == "HERE"
    assert len(shown) < 130

"""Small pieces of text."""

from __future__ import annotations

import io

import pytest

from redoit.report.words import Paint, count, cut, duration, some, table, wants_colour, width


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0.00 s"),
        (0.424, "0.42 s"),
        (0.999, "1.0 s"),
        (2.34, "2.3 s"),
        (9.96, "10 s"),
        (41.4, "41 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (3599.7, "1 h 0 min"),
        (7500, "2 h 5 min"),
        (0, "0 s"),
        (3, "3 s"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_counts() -> None:
    assert [count(n, "stage") for n in (0, 1, 2, 1000)] == [
        "0 stages",
        "1 stage",
        "2 stages",
        "1,000 stages",
    ]


def test_long_lists_end_with_a_number() -> None:
    assert some(["a", "b", "c"], 3) == "a, b, c"
    assert some(["a", "b", "c", "d"], 3) == "a, b and 2 more"


@pytest.mark.parametrize(
    ("text", "columns", "expected"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("数据集", 6, "数据集"),
        ("数据集", 5, "数据…"),
        ("e\u0301te", 3, "e\u0301te"),
        ("abc", 0, ""),
    ],
)
def test_cut_counts_columns_of_the_terminal(text: str, columns: int, expected: str) -> None:
    assert cut(text, columns) == expected
    assert width(cut(text, columns)) <= columns


def test_table_aligns_columns() -> None:
    rows = [["Path", "n"], ["数.json", "10"], ["b", ""]]
    assert table(rows, right=frozenset({1})) == ["Path      n", "数.json  10", "b"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environ", "expected"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_colours_are_for_terminals(
    stream: io.StringIO, environ: dict[str, str], expected: bool
) -> None:
    assert wants_colour(stream, environ) is expected


def test_paint_off_changes_nothing() -> None:
    assert Paint(False).red("x") == "x"
    assert Paint(True).red("x") == "\x1b[31mx\x1b[0m"

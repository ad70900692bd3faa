"""Tables of text: aligned, in blocks for a terminal, Markdown, CSV."""

from __future__ import annotations

import pytest

from redoit.report.grid import Column, Grid, blocks, comma_separated, markdown, text

GRID = Grid(
    [
        Column("name", ["first", "二"]),
        Column("left", ["x", "yy"]),
        Column("right", ["1", "10"], str.upper, right=True),
    ],
    frozenset([1]),
    lambda line: f"<{line}>",
)


def test_text_aligns_by_width_on_a_terminal() -> None:
    assert text(GRID) == ["name   left  RIGHT", "first  x         1", "<二     yy       10>"]


@pytest.mark.parametrize("room", range(12, 40))
def test_blocks_fit_and_hold_everything(room: int) -> None:
    plain = GRID._replace(strong=str)
    lines = blocks(plain, room)
    assert max(map(len, lines)) <= room
    assert sum("LEFT" in line.upper() for line in lines) == 1
    assert sum("RIGHT" in line for line in lines) == 1
    assert sum(line.startswith("name") for line in lines) == (1 if room >= 18 else 2)


def test_a_cell_that_is_too_wide_is_cut() -> None:
    grid = Grid([Column("name", ["n" * 50]), Column("value", ["v" * 50])])
    assert blocks(grid, 30) == [
        "name             value",
        "nnnnnnnnnnnnnn…  vvvvvvvvvvvv…",
    ]


def test_control_characters_cannot_reach_the_terminal() -> None:
    assert text(Grid([Column("a", ["\x1b[31m\n"])])) == ["a", "\\x1b[31m\\n"]


def test_an_empty_grid() -> None:
    assert blocks(Grid([]), 80) == []
    assert text(Grid([Column("name", [])])) == ["name"]


def test_markdown() -> None:
    assert markdown(["a", "b"], [["1|2", "x\ny"], ["", "二二"]]) == [
        "| a    | b    |",
        "|------|------|",
        "| 1\\|2 | x\\ny |",
        "|      | 二二 |",
    ]


def test_csv() -> None:
    assert comma_separated(["a", "b"], [["1,2", 'x"\ny']]) == 'a,b\n"1,2","x""\ny"\n'

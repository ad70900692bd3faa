"""Plots: from files and fields to points."""

from __future__ import annotations

from typing import Any

import pytest

from redoit.errors import RedoitError, SyntaxProblem
from redoit.experiments.plot_data import Table, is_data, is_image, read_table
from redoit.experiments.plot_series import Line, make_series, sources

A = Table([{"n": "0", "v": "1", "w": "5"}, {"n": "1", "v": "2", "w": "6"}], "w")
B = Table([{"n": "0", "v": "3"}, {"n": "1", "v": "4"}], "v")
SHORT = Table([{"n": "0"}], "n")
TABLES = {"d/a.csv": A, "d/b.csv": B, "short.csv": SHORT}


@pytest.mark.parametrize(
    ("path", "text", "rows", "last"),
    [
        ("a.csv", "x,y\n1,2\n3,4\n", [{"x": "1", "y": "2"}, {"x": "3", "y": "4"}], "y"),
        ("a.csv", "x,y\r\n1,2\r\n", [{"x": "1", "y": "2"}], "y"),
        ("a.csv", "\ufeffx,y\n1,2\n", [{"x": "1", "y": "2"}], "y"),
        ("a.csv", 'x,y\n"1\n2",","\n\n', [{"x": "1\n2", "y": ","}], "y"),
        ("a.csv", "x,y\n1\n", [{"x": "1", "y": None}], "y"),
        ("a.csv", "x,y\n", [], "y"),
        ("a.csv", "", [], None),
        ("A.TSV", "x\ty\n1,0\t2\n", [{"x": "1,0", "y": "2"}], "y"),
        ("a.json", '[{"x": 1, "y": null}]', [{"x": 1, "y": None}], "y"),
        ("a.json", '{"k": 1, "t": [{"x": 1}], "l": [1]}', [{"x": 1}], "x"),
        (
            "a.json",
            '{"a": [{"x": 1}, {"x": 2}], "b": {"c": [{"y": 3}]}}',
            [{"x": 1, "y": 3}, {"x": 2}],
            "x",
        ),
        ("a.json", '[{"x": 1}, {"x": 1, "y": 2}]', [], None),
        ("a.json", '{"a": [{"x": 1}, {"z": 2}], "b": [{"x": 1, "y": 2}]}', [{"x": 1, "y": 2}], "x"),
        ("a.json", '{"a": [{"w": 1}, {"z": 2}], "b": [{"x": 1, "y": 2}]}', [{"x": 1, "y": 2}], "y"),
        ("a.json", '[{"x": 1, "y": 2}, {"x": 3}]', [{"x": 1, "y": 2}, {"x": 3}], "y"),
        ("a.json", "[]", [], None),
        ("a.json", "3", [], None),
        ("a.yaml", "t:\n- {x: 2020-01-02, 1: 2}\n", [{"x": "2020-01-02", "1": 2}], "1"),
        ("a.yml", "", [], None),
    ],
)
def test_rows(path: str, text: str, rows: list[dict[str, Any]], last: str | None) -> None:
    assert read_table(path, text.encode()) == Table(rows, last)


def test_rows_without_a_header() -> None:
    table = read_table("a.tsv", b"1\t2\n3\t4\n", header=False)
    assert table == Table([{"0": "1", "1": "2"}, {"0": "3", "1": "4"}], "1")


@pytest.mark.parametrize(
    ("path", "data", "what"),
    [
        ("a.csv", b"x,y\n1,2\n1,2,3\n", "line 3 of a.csv has 3 fields, but there are 2 columns"),
        ("a.csv", b"x\n\xff\n", "a.csv is not UTF-8 text"),
        ("a.csv", b"x\n" + b"1" * 200_000, "line 2 of a.csv is not as a table has it: "),
        ("a.json", b'{\n"a": }', "line 2 of a.json: this is not JSON: "),
        ("a.yaml", b"a: [\n", "line "),
        ("a.txt", b"", "'a.txt' is neither data nor an image"),
    ],
)
def test_files_that_are_no_data(path: str, data: bytes, what: str) -> None:
    with pytest.raises(RedoitError) as caught:
        read_table(path, data)
    assert caught.value.what.startswith(what)
    assert path in caught.value.what
    assert isinstance(caught.value, SyntaxProblem) or path == "a.txt"


def test_kinds_of_files() -> None:
    assert [is_image(path) for path in ("a.png", "a.SVG", "a.csv", "png")] == [1, 1, 0, 0]
    assert [is_data(path) for path in ("a.tsv", "a.YML", "a.gif", "a.py", "a")] == [1, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("name", "fields", "expected"),
    [
        # fields, x, y, x_label, y_label, lines
        ("d/b.csv", {}, ("step", "v", "step", "v", [("d/b.csv", "v")])),
        ("d/a.csv", {"x": "n"}, ("n", "w", "n", "w", [("d/a.csv", "w")])),
        ("d/a.csv", {"x": "n", "y": "v"}, ("n", "v", "n", "v", [("d/a.csv", "v")])),
        (
            "d/a.csv",
            {"y": ["v", "w"], "x_label": "", "y_label": "Y"},
            ("step", "dvc_inferred_y_value", "", "Y", [("d/a.csv", "v"), ("d/a.csv", "w")]),
        ),
        (
            "both",
            {"x": "n", "y": {"d/a.csv": "v", "d/b.csv": "v"}},
            ("n", "v", "n", "v", [("a.csv", "v"), ("b.csv", "v")]),
        ),
        (
            "both",
            {"x": "n", "y": {"d/a.csv": ["v", "w"], "d/b.csv": "v"}},
            (
                "n", "dvc_inferred_y_value", "n", "y",
                [("a.csv", "v"), ("a.csv", "w"), ("b.csv", "v")],
            ),
        ),
        (
            "apart",
            {"x": {"d/b.csv": "n"}, "y": {"d/a.csv": "v"}},
            ("n", "v", "n", "v", [("d/a.csv", "v")]),
        ),
        (
            "xs",
            {"x": {"d/a.csv": "n", "d/b.csv": "v"}, "y": {"d/a.csv": "v", "d/b.csv": "v"}},
            ("dvc_inferred_x_value", "v", "x", "v", [("a.csv", "v"), ("b.csv", "v")]),
        ),
    ],
)  # fmt: skip
def test_what_is_x_and_what_is_y(name: str, fields: dict[str, Any], expected: Any) -> None:
    series = make_series(name, fields, TABLES, "HEAD")
    assert series is not None
    x, y, x_label, y_label, lines = expected
    assert series[1:] == (x, y, x_label, y_label, tuple(Line(*line) for line in lines))
    assert len(series.points) == 2 * len(lines)
    assert all(point["rev"] == "HEAD" and x in point and y in point for point in series.points)


def test_points_of_several_lines() -> None:
    series = make_series("both", {"y": {"d/a.csv": "w", "d/b.csv": "v"}}, TABLES, "r")
    assert series is not None
    assert series.points[1:3] == [
        {
            "n": "1", "v": "2", "w": "6", "step": 1, "dvc_inferred_y_value": "6",
            "rev": "r", "filename": "a.csv", "field": "w",
        },
        {
            "n": "0", "v": "3", "step": 0, "dvc_inferred_y_value": "3",
            "rev": "r", "filename": "b.csv", "field": "v",
        },
    ]  # fmt: skip
    assert A.rows[0] == {"n": "0", "v": "1", "w": "5"}  # nothing was written into the file's rows


@pytest.mark.parametrize(
    ("name", "fields", "what"),
    [
        ("d/a.csv", {"y": "z"}, "d/a.csv has no field 'z'; it has n, v, w"),
        ("d/a.csv", {"x": "z"}, "d/a.csv has no field 'z'; it has n, v, w"),
        (
            "uneven",
            {"x": {"short.csv": "n"}, "y": {"d/a.csv": "v"}},
            "x 'n' of short.csv has 1 rows, y 'v' of d/a.csv has 2: they must have the same number",
        ),
        (
            "many",
            {"x": {"d/a.csv": "n", "d/b.csv": "n"}, "y": {"d/a.csv": "v"}},
            "x has 2 fields and y has 1 field",
        ),
    ],
)
def test_fields_that_do_not_fit(name: str, fields: dict[str, Any], what: str) -> None:
    with pytest.raises(RedoitError) as caught:
        make_series(name, fields, TABLES, "HEAD")
    assert caught.value.what == what


def test_nothing_to_draw() -> None:
    assert make_series("none.csv", {}, TABLES, "HEAD") is None
    assert make_series("none.csv", {"y": "v"}, TABLES, "HEAD") is None
    assert make_series("empty.csv", {}, {"empty.csv": Table([], "v")}, "HEAD") is None


def test_sources() -> None:
    assert sources("a.csv", {"x": "n", "y": ["v"]}) == ["a.csv"]
    assert sources("name", {"x": {"c": "n", "a": "n"}, "y": {"a": "v", "b": "v"}}) == [
        "a",
        "b",
        "c",
    ]

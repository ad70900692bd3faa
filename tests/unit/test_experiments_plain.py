"""Values of params and metrics files: as JSON, as metrics, in parts, with dotted keys."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from redoit.experiments.plain import flatten, only_metrics, pick, plain

DATA = {"lr": 0.1, "net": {"depth": 3, "width": None, "layers": [1, {"a": 2}]}, "empty": {}}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["lr"], {"lr": 0.1}),
        (["net.depth"], {"net": {"depth": 3}}),
        (["net.width"], {"net": {"width": None}}),
        (["net.depth", "lr"], {"net": {"depth": 3}, "lr": 0.1}),
        (["net.depth", "net.layers"], {"net": {"depth": 3, "layers": [1, {"a": 2}]}}),
        (["net.layers.1.a"], {"net": {"layers": [None, {"a": 2}]}}),
        (["net.layers.0", "net.layers.1"], {"net": {"layers": [1, {"a": 2}]}}),
        (["net.*th"], {"net": {"depth": 3, "width": None}}),
        (["net", "net.layers"], {"net": DATA["net"]}),
        (["nowhere", "net.nowhere", "lr.deeper", "net.layers.7"], {}),
    ],
)
def test_pick(keys: list[str], expected: Any) -> None:
    assert pick(DATA, keys) == expected


def test_plain_is_what_json_knows() -> None:
    value = {
        2: (1, 2),
        True: {3, 1, 2},
        None: datetime.date(2020, 1, 2),
        "at": datetime.datetime(2020, 1, 2, 3, 4),
        "bytes": b"x",
    }
    assert plain(value) == {
        "2": [1, 2],
        "true": [1, 2, 3],
        "null": "2020-01-02",
        "at": "2020-01-02T03:04:00",
        "bytes": "b'x'",
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3),
        (True, True),
        ("text", "text"),
        ([1, 2], None),
        (None, None),
        ({"a": 1, "l": [1], "n": None, "e": {}, "d": datetime.date(2020, 1, 2)}, {"a": 1}),
        ({"a": {"b": {"c": 0.5, "l": []}}}, {"a": {"b": {"c": 0.5}}}),
        ({5: 1}, {"5": 1}),
    ],
)
def test_only_metrics(value: Any, expected: Any) -> None:
    assert only_metrics(value) == expected


def test_flatten_keeps_lists_and_leaves_out_empty_mappings() -> None:
    assert flatten(DATA) == {
        "lr": 0.1,
        "net.depth": 3,
        "net.width": None,
        "net.layers": [1, {"a": 2}],
    }
    assert flatten(3) == {"": 3}

"""Params: keys, formats, and what is read when."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from redoit.errors import ParamsProblem, SpecError, SyntaxProblem
from redoit.model import ParamsDep, RepoPath
from redoit.project import Layout
from redoit.spec import ParamsFiles
from redoit.spec.formats import read_values
from redoit.spec.params import select
from redoit.spec.source import Source

CONTENT: dict[Any, Any] = {
    "lr": 0.1,
    "train": {"epochs": 3, "layers": [8, [4, 2]], "deep": {"x": 1}},
    1: "one",
    "flags": {True: "yes"},
    "a.b": 5,
}


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("lr", [0.1]),
        ("train.epochs", [3]),
        ("train.layers.1.0", [4]),
        ("train.layers.-1", [[4, 2]]),
        ("train.layers", [[8, [4, 2]]]),
        ("1", ["one"]),
        ("flags.True", ["yes"]),
        (".lr", [0.1]),
        ("a.b", []),
        ("missing", []),
        ("lr.x", []),
        ("train.layers.x", []),
        ("train.d*.x", [1]),
        ("l?", [0.1]),
        ("**.x", [1]),
        ("train.**.x", [1]),
        ("", [CONTENT]),
    ],
)
def test_keys(key: str, found: list[Any]) -> None:
    assert select(CONTENT, key) == found


def test_wildcards_that_are_not_clear() -> None:
    assert len(select(CONTENT, "train.*")) == 2


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("p.yaml", "a: 1e3\nb: on\n", {"a": 1000.0, "b": "on"}),
        ("p.anything", "a: 1\n", {"a": 1}),
        ("p.yaml", "", {}),
        ("p.json", '{"a": [1, null]}', {"a": [1, None]}),
        ("p.JSON", "{}", {}),
        (
            "p.toml",
            "a = 1\n[b.c]\nd = 1979-05-27\n",
            {"a": 1, "b": {"c": {"d": datetime.date(1979, 5, 27)}}},
        ),
        ("p.py", "A = 1\n", {"A": 1}),
    ],
)
def test_formats(file: str, text: str, expected: Any) -> None:
    assert read_values(Source(file, text)) == expected


@pytest.mark.parametrize(
    ("file", "text", "place"),
    [
        ("p.json", '{"a": 1,\n "b" 2}', "p.json:2:6"),
        ("p.toml", "a = 1\nb = \n", "p.toml:2:5"),
        ("p.py", "A = 1\nB = = 2\n", "p.py:2:5"),
        ("p.py", "A = " + "(" * 500, "p.py"),
        ("p.json", "[" * 100_000, "p.json:1:1"),
        ("p.yaml", "a: [1\n", "p.yaml:1:4"),
    ],
)
def test_broken_formats(file: str, text: str, place: str) -> None:
    with pytest.raises(SyntaxProblem) as caught:
        read_values(Source(file, text))
    assert str(caught.value.place).startswith(place)
    assert caught.value.hint


PYTHON = """\
import os
INT = 1
TEXT: str = "a"
DECLARED: int
SUM = 1 + 1
LIST = [1, (2, "x"), {"k": -1.5}]
CALL = os.getpid()
NAME = INT
A = B = 2
x, y = 1, 2
if True:
    HIDDEN = 1

class Train:
    lr: float = 0.1
    class Inner:
        deep = True
    def __init__(self, n):
        self.epochs = 5
        local = 1
        self.copied = n
    def other(self):
        self.never = 1

def f():
    inside = 1
"""


def test_python_is_read_and_never_run() -> None:
    assert read_values(Source("p.py", PYTHON)) == {
        "INT": 1,
        "TEXT": "a",
        "LIST": [1, (2, "x"), {"k": -1.5}],
        "Train": {"lr": 0.1, "Inner": {"deep": True}, "epochs": 5},
    }


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / ".dvc").mkdir()
    return Layout(str(tmp_path))


def dep(path: str, *keys: str) -> ParamsDep:
    return ParamsDep(RepoPath(path), path, keys)


def test_values_of_a_file(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("train: {lr: 1}\nname: x\n")
    files = ParamsFiles(layout)
    assert files.values(dep("params.yaml", "train.lr", "gone")) == {"train.lr": 1}
    assert files.values(dep("params.yaml")) == {"train": {"lr": 1}, "name": "x"}
    assert files.values(dep("missing.yaml", "a")) is None


def test_a_file_is_read_once_until_it_is_forgotten(layout: Layout, tmp_path: Path) -> None:
    path = tmp_path / "conf" / "p.yaml"
    path.parent.mkdir()
    path.write_text("a: 1\n")
    files = ParamsFiles(layout)
    assert files.values(dep("conf/p.yaml", "a")) == {"a": 1}
    path.write_text("a: 2\n")
    assert files.values(dep("conf/p.yaml", "a")) == {"a": 1}
    files.forget(RepoPath("other"))
    assert files.values(dep("conf/p.yaml", "a")) == {"a": 1}
    files.forget(RepoPath("conf"))
    assert files.values(dep("conf/p.yaml", "a")) == {"a": 2}


def test_what_json_cannot_hold_is_read_each_time(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("day: 2020-01-02\n1: one\n")
    for _ in range(2):
        values = ParamsFiles(layout).values(dep("p.yaml"))
        assert values == {"day": datetime.date(2020, 1, 2), 1: "one"}


def test_the_same_text_in_another_format_is_another_file(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("{}")
    (tmp_path / "p.json").write_text("{}")
    (tmp_path / "q.yaml").write_text("A = 1")
    (tmp_path / "q.py").write_text("A = 1")
    files = ParamsFiles(layout)
    assert files.values(dep("q.py")) == {"A": 1}
    with pytest.raises(ParamsProblem):
        files.values(dep("q.yaml"))


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("p.yaml", b"- 1\n", "must be a mapping"),
        ("p.yaml", b"a: [1\n", "not YAML"),
        ("p.yaml", b"\xff\xfe", "not UTF-8"),
        ("p.yaml", None, "is a directory"),
        ("p.yaml", b"aa: 1\nab: 2\n", "more than one value"),
    ],
)
def test_unusable_files(
    layout: Layout, tmp_path: Path, name: str, content: bytes | None, what: str
) -> None:
    if content is None:
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SpecError) as caught:
        ParamsFiles(layout).values(dep(name, "a*"))
    assert what in caught.value.what

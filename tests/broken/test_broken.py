"""Deliberately broken projects: each mistake is one error with its place and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from redoit.errors import SpecError
from redoit.project import Layout
from redoit.spec import load_index
from tests.compat.spec_oracle import SpecOracle

CASES: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("cases.yaml").read_text(encoding="utf-8")
)
PARAMS = """\
train:
  lr: 0.1
  layers: [8, 4]
name: net
flag: true
"""
each_case = pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])


def make(root: Path, case: dict[str, Any]) -> str:
    files = {"params.yaml": PARAMS, ".dvc/config": "[core]\n    no_scm = true\n", **case["files"]}
    for name, content in files.items():
        if content is None:
            continue
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(root.resolve())


@each_case
def test_names_the_mistake(case: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load_index(Layout(make(tmp_path, case)))
    error = caught.value
    assert error.what == case["error"]
    assert str(error.place) == case["at"]
    assert error.place is not None and error.place.line > 0
    assert error.hint == case["hint"]
    assert error.facts.get("stage") == case.get("stage")
    assert error.facts.get("field") == case.get("field")


@each_case
def test_points_at_it(case: dict[str, Any], tmp_path: Path) -> None:
    root = make(tmp_path, case)
    with pytest.raises(SpecError) as caught:
        load_index(Layout(root))
    error = caught.value
    assert error.place is not None
    data = (tmp_path / error.place.file).read_bytes()
    if "is not UTF-8" in error.what:
        return
    assert error.excerpt is not None
    shown, carets = error.excerpt.split("\n")
    number, _, text = shown.partition(" | ")
    assert number == str(error.place.line)
    line = data.decode().splitlines()[error.place.line - 1].rstrip()
    assert text.strip("…") in line
    start = carets.partition(" | ")[2].index("^")
    if not text.startswith("…"):
        assert start == error.place.column - 1
    assert error.render().startswith(f"error: {error.what}\n")


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 100
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.fixture(scope="module")
def oracle(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SpecOracle]:
    driver = SpecOracle(request.getfixturevalue("dvc_bin"), tmp_path_factory.mktemp("home"))
    yield driver
    driver.close()


@pytest.mark.oracle
@each_case
def test_dvc_refuses_it_too(case: dict[str, Any], oracle: SpecOracle, tmp_path: Path) -> None:
    if case.get("dvc") == "hangs":
        return
    answer = oracle.ask(root=make(tmp_path, case))
    assert ("error" in answer) == (case.get("dvc") != "reads")

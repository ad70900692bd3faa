"""The benchmarks work: every tool carries out every scenario of a small pipeline. No times are judged."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks import bench, show
from benchmarks.make_pipeline import SHAPES, pipeline


@pytest.mark.parametrize("shape", SHAPES)
def test_a_pipeline_has_its_stages_in_an_order_that_runs(shape: str) -> None:
    steps = pipeline(shape, 40)
    made: set[str] = set()
    for step in steps:
        assert all(dep.startswith("src/") or dep in made for dep in step.deps)
        made.update(step.outs)
    assert len(made) == 40
    assert [step.name for step in steps if "src/last.txt" in step.deps] == ["s39"]
    assert steps == pipeline(shape, 40)


def test_every_tool_does_every_scenario(tmp_path: Path) -> None:
    steps = pipeline("diamond", 7)
    tools = bench.tools(0.0, native=False)
    sites = [bench.Site(tool, tmp_path / tool.name, steps) for tool in tools]
    found = bench.measure(sites, bench.scenarios([], 2), repeat=1)
    assert list(found) == ["cold -j1", "cold -j2", "nothing", "one"]
    for rows in found.values():
        assert list(rows) == ["exp repro", "exp run", "doit", "ninja"]
        assert all(bench.median(samples) is not None for samples in rows.values())
    for site in sites:
        site.check()
    text = bench.table(found)
    assert all(tool.name in text for tool in tools)


def test_many_experiments_are_made_and_shown(tmp_path: Path) -> None:
    project = show.make(tmp_path, 3)
    assert project.exp("show").stdout.count("[tried-") == 3
    assert "exp show --json, again" in show.measure(2, repeat=1, dvc=False)

"""The benchmarks work: every tool carries out every scenario of a small pipeline. No times are judged."""

from __future__ import annotations

import contextlib
import json
import random
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks import pages, results
from benchmarks.__main__ import main
from benchmarks.content_suite import content_cases
from benchmarks.measure import Cannot, Case, Cell, Launcher, Sample, measure, spread
from benchmarks.pipeline_suite import SCENARIOS, pipeline_cases
from benchmarks.pipelines import SHAPES, STYLES, Recipe, distribution, make_pipeline
from benchmarks.queue_suite import queue_cases
from benchmarks.show_suite import show_cases
from benchmarks.tools import FAST, make_tools

from redoit import Project

ROOT = Path(__file__).parents[2]


# --- pipelines ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_a_pipeline_has_its_stages_in_an_order_that_runs(shape: str) -> None:
    recipe = Recipe(40, shape, directories=0.3, size="uniform:0:9")
    steps = make_pipeline(recipe).steps
    made: set[str] = set()
    for step in steps:
        assert all(dep.startswith("src/") or dep in made for dep in step.deps)
        made.add(step.out)
    assert len(made) == 40
    assert [step.name for step in steps if "src/last.txt" in step.deps] == ["s39"]
    assert steps[-1].param == "p39"
    assert steps == make_pipeline(recipe).steps
    assert {step.is_directory for step in steps} == {True, False}


def test_dense_fan_in_reads_the_whole_first_half() -> None:
    steps = make_pipeline(Recipe(8, "fan-in")).steps
    assert [len(step.reads) for step in steps] == [0, 0, 0, 0, 4, 4, 4, 4]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("3", 3, 3),
        ("uniform:1:3", 1.8, 2.2),
        ("exponential:2", 1.8, 2.2),
        ("lognormal:2:0.1", 1.9, 2.1),
    ],
)
def test_a_distribution_has_its_middle(text: str, low: float, high: float) -> None:
    draw = distribution(text, random.Random(1))
    assert low <= statistics.mean(draw() for _ in range(2000)) <= high


@pytest.mark.parametrize("text", ["normal:1", "uniform:1", "x", "lognormal:1:2:3"])
def test_there_is_no_other_distribution(text: str) -> None:
    with pytest.raises(ValueError):
        distribution(text, random.Random(1))


@pytest.mark.parametrize("style", STYLES)
def test_every_style_of_dvc_yaml_says_the_same(style: str, tmp_path: Path) -> None:
    recipe = Recipe(12, "random", style=style, files=3, directories=0.3)
    (redoit,) = make_tools(["redoit"])
    redoit.write(tmp_path, make_pipeline(recipe))
    found = {
        stage.outs[0].path: (
            stage.cmd,
            [dep.path for dep in stage.deps],
            [key for dep in stage.params for key in dep.keys],
        )
        for stage in Project(tmp_path).stages().values()
    }
    assert found == {
        step.out: (step.command, step.deps, [step.param] if step.param else [])
        for step in make_pipeline(recipe).steps
    }


# --- suites ---------------------------------------------------------------------------------------


@pytest.fixture
def launcher() -> Iterator[Launcher]:
    with Launcher() as launcher:
        yield launcher


def test_every_tool_does_every_scenario(tmp_path: Path, launcher: Launcher) -> None:
    tools = make_tools(FAST)
    pipeline = make_pipeline(Recipe(7, "diamonds", directories=0.3, size="20"))
    cases = pipeline_cases(tools, pipeline, tmp_path, launcher, scenarios=list(SCENARIOS), jobs=2)
    cells = measure(cases, rounds=1, minutes=1)
    assert [(cell.scenario, cell.tool) for cell in cells] == [
        (name, tool) for name in SCENARIOS for tool in FAST
    ]
    notes = {(cell.scenario, cell.tool): cell.note for cell in cells if not cell.samples}
    others = [tool for tool in FAST if tool != "redoit"]
    assert notes == {
        **{("restore", tool): "keeps no outputs" for tool in others},
        **{("experiment", tool): "has no such command" for tool in others},
    }
    for cell in cells:
        for sample in cell.samples:
            assert sample.seconds > 0 and sample.memory > 0
    text = results.table(cells)
    assert all(tool in text for tool in FAST) and "keeps no outputs" in text


def test_the_other_suites_are_carried_out(tmp_path: Path, launcher: Launcher) -> None:
    with contextlib.ExitStack() as ends:
        cases = [
            *show_cases(tmp_path, launcher, experiments=2, dvc=False, slow_limit=1),
            *queue_cases(tmp_path, launcher, ends, tasks=2, dvc=False, slow_limit=1),
            *content_cases(tmp_path, launcher, files=3, mib=1, dvc=False, slow_limit=1),
        ]
        cells = measure(cases, rounds=1, minutes=1)
    assert [f"{cell.suite} {cell.scenario}" for cell in cells if not cell.samples] == []
    assert {cell.suite for cell in cells} == {"show", "queue", "content"}


# --- measuring ------------------------------------------------------------------------------------


def test_a_command_is_measured_and_given_up(tmp_path: Path, launcher: Launcher) -> None:
    def run(*words: str, limit: float = 30) -> Sample:
        return launcher.run(words, tmp_path, {"PATH": "/usr/bin:/bin"}, limit)

    busy = run("sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")
    assert 0 < busy.cpu <= busy.seconds * 2
    with pytest.raises(Cannot, match=r"not finished after 0\.1 s"):
        run("sleep", "60", limit=0.1)
    with pytest.raises(RuntimeError, match="said so"):
        run("sh", "-c", "echo said so; exit 3")


def case(take: list[float | None]) -> Case:
    """A case that takes so many seconds, one after the other; None: it cannot."""
    rows = iter(take)

    def next_sample() -> Sample:
        value = next(rows)
        if value is None:
            raise Cannot("too hard")
        return Sample(value, value, 1)

    return Case("s", "scenario", "tool", 1, next_sample)


@pytest.mark.parametrize(
    ("take", "samples", "note"),
    [
        ([1, 2, 3], [1, 2, 3], None),
        ([100], [100], None),  # slow: once is enough
        ([None], [], "too hard"),
        ([1, None, 3], [1, 3], None),
    ],
)
def test_rounds_over_a_case(take: list[float | None], samples: list[float], note: str) -> None:
    (cell,) = measure([case(take)], rounds=3, minutes=1)
    assert ([sample.seconds for sample in cell.samples], cell.note) == (samples, note)


def test_a_tool_that_fails_is_told_and_loses_its_samples(
    capsys: pytest.CaptureFixture[str],
) -> None:
    samples = iter([Sample(1, 1, 1)])

    def take() -> Sample:
        for sample in samples:
            return sample
        raise RuntimeError("it said why")

    (cell,) = measure([Case("s", "cold", "tool", 1, take)], rounds=3, minutes=1)
    assert (cell.samples, cell.note) == ([], "failed")
    assert capsys.readouterr().err.count("tool, cold: it said why") == 1


def test_no_round_begins_after_its_time() -> None:
    (cell,) = measure([case([1, 2, 3])], rounds=3, minutes=0)
    assert len(cell.samples) == 1


# --- results --------------------------------------------------------------------------------------


def cell(
    seconds: list[float], tool: str = "redoit", size: int = 10, scenario: str = "nothing"
) -> Cell:
    samples = [Sample(value, value, 10.0) for value in seconds]
    return Cell("pipeline", scenario, tool, size, samples, None if samples else "keeps no outputs")


def whole(cells: list[Cell]) -> results.Results:
    settings = {
        "command": "python -m benchmarks full",
        "revision": "abc",
        "stages": 10,
        "shape": "layers",
    }
    return results.Results(results.machine(), {"redoit": "1", "ninja": "2"}, settings, cells)


def test_results_survive_being_written(tmp_path: Path) -> None:
    written = whole([cell([1, 2]), cell([], "make")])
    written.write(tmp_path / "r.json")
    assert results.read_results(tmp_path / "r.json") == written
    (tmp_path / "r.json").write_text(json.dumps({"format": 9}))
    with pytest.raises(ValueError, match="no results of this harness: format 9"):
        results.read_results(tmp_path / "r.json")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ([1.0, 1.01, 0.99], [1.5, 1.51, 1.49], "SLOWER"),
        ([1.0, 1.01, 0.99], [0.5, 0.51, 0.49], "faster"),
        ([1.0, 1.01, 0.99], [1.03, 1.04, 1.02], ""),  # under a twentieth
        ([1.0, 1.5, 0.5], [1.3, 1.9, 0.9], ""),  # within the noise
        ([1.0], [2.0], ""),  # of one sample the noise is not known
        ([1.0, 1.01, 0.99], [1.5, 1.51, 1.0], ""),  # once it was as fast as before
    ],
)
def test_only_what_is_beyond_the_noise_is_flagged(
    before: list[float], after: list[float], said: str, tmp_path: Path
) -> None:
    rows = results.changes([(cell(before), cell(after))])
    assert [row.measure for row in rows] == ["seconds", "cpu", "memory"]
    assert results.compared(rows[:1]).splitlines()[1].partition("  ")[2].split()[3:] == (
        [said] if said else []
    )
    whole([cell(before)]).write(tmp_path / "a.json")
    whole([cell(after)]).write(tmp_path / "b.json")
    code = main(["compare", str(tmp_path / "a.json"), str(tmp_path / "b.json")])
    assert code == (said == "SLOWER")


def test_compare_refuses_what_is_no_revision(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "no-such-revision", "HEAD"]) == 2
    assert "no-such-revision is neither a file nor a revision" in capsys.readouterr().err


def test_spread_is_the_standard_deviation_of_normal_noise() -> None:
    rng = random.Random(1)
    assert 1.9 < spread([rng.gauss(5, 2) for _ in range(4000)]) < 2.1


def test_a_page_gets_its_figures(tmp_path: Path) -> None:
    found = whole(
        [
            cell([0.3, 0.31, 0.32]),
            cell([0.012], "ninja"),
            cell([3.0], size=100),
            cell([], "ninja", scenario="restore"),
            cell([1.0], scenario="restore"),
        ]
    )
    page = tmp_path / "page.md"
    page.write_text("A\n<!-- figures: pipeline -->\nold\n<!-- end of figures -->\nB\n")
    for _ in range(2):
        pages.write_page(page, found)
        assert page.read_text() == (
            "A\n<!-- figures: pipeline -->\n"
            "|  | redoit | ninja |\n| --- | --- | --- |\n"
            "| nothing to do | 0.31 ± 0.015 | 0.012 (0.039 ×) |\n"
            "| all outputs restored from the cache | 1.0 | keeps no outputs |\n"
            "<!-- end of figures -->\nB\n"
        )
    page.write_text("<!-- figures: nonsense -->\n<!-- end of figures -->\n")
    with pytest.raises(ValueError, match="nonsense"):
        pages.write_page(page, found)


def test_the_pages_have_blocks_that_are_filled() -> None:
    found = whole([cell([0.3])])
    for page in ("README.md", "docs/benchmarks.md"):
        names = pages._BLOCK.findall((ROOT / page).read_text())
        assert names
        for _, name, _ in names:
            pages.BLOCKS[name](found)


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    cells = [cell([size / 1000], tool, size) for tool in FAST for size in (100, 1000)]
    whole(cells).write(tmp_path / "r.json")
    for name in ("a.svg", "b.svg"):
        assert main(["draw", str(tmp_path / "r.json"), str(tmp_path / name)]) == 0
    assert b"redoit" in (tmp_path / "a.svg").read_bytes()
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()

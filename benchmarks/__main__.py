"""Measure Redoit beside other tools: see docs/benchmarks.md.

python -m benchmarks run                          1,000 stages: Redoit, doit, ninja and make
python -m benchmarks full results.json            all tools and suites; about 40 minutes
python -m benchmarks write results.json           their figures and picture into the docs
python -m benchmarks compare main HEAD            two revisions of Redoit, or two files of results
python -m benchmarks make FOLDER --shape random   only a pipeline, for all tools
"""

from __future__ import annotations

import argparse
import contextlib
import shlex
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks import pages, picture, results
from benchmarks.content_suite import content_cases
from benchmarks.measure import Cell, Launcher, measure
from benchmarks.pipeline_suite import SCENARIOS, pipeline_cases
from benchmarks.pipelines import SHAPES, STYLES, Recipe, make_pipeline
from benchmarks.queue_suite import queue_cases
from benchmarks.revisions import ROOT, measure_revisions
from benchmarks.show_suite import show_cases
from benchmarks.tools import FAST, LARGE, NAMES, Tool, make_tools

SUITES = ("pipeline", "show", "queue", "content")
_MEMORY = Path("/dev/shm")
"""Where Linux has a file system in memory."""
BY_SIZE = ("cold, parallel", "nothing", "one source", "restore", "status", "experiment")
"""What ``full`` measures at other numbers of stages."""


@contextlib.contextmanager
def _temporary(inside: Path | None) -> Iterator[Path]:
    """A folder that goes in the end, with all that was measured in it."""
    with tempfile.TemporaryDirectory(prefix="redoit-bench-", dir=inside) as folder:
        yield Path(folder)


@contextlib.contextmanager
def _place(whole: Path) -> Iterator[tuple[Path, Launcher, contextlib.ExitStack]]:
    """A folder in ``whole`` to measure in, the launcher, and what is to be ended at the end.

    The folder stays until all is measured: removing its files slows down whoever makes files after it.
    """
    with contextlib.ExitStack() as stack:
        top = Path(tempfile.mkdtemp(dir=whole))
        launcher = stack.enter_context(Launcher())
        yield top, launcher, stack


def _run(options: argparse.Namespace) -> int:
    tools = make_tools(options.tool or FAST, native=options.native, slow_limit=options.limit)
    parts = (_suite(suite, tools, options) for suite in options.suite or ["pipeline"])
    return _keep(options, tools, parts)


def _full(options: argparse.Namespace) -> int:
    tools = make_tools(NAMES, slow_limit=options.limit)
    return _keep(options, tools, _parts(options, tools))


def _parts(options: argparse.Namespace, tools: Sequence[Tool]) -> Iterator[list[Cell]]:
    for suite in SUITES:
        yield _suite(suite, tools, options)
    fast = [tool for tool in tools if tool.name in FAST]
    for size in options.sizes:
        if size != options.stages:
            recipe = options.recipe._replace(stages=size)
            # Making 10,000 takes a minute a tool; that is taken once.
            yield _pipeline(fast, recipe, BY_SIZE, options.jobs, 3, 0.2, options.place)
    if options.largest:
        recipe = options.recipe._replace(stages=options.largest)
        few = [tool._replace(limit=options.patience) for tool in tools if tool.name in LARGE]
        scenarios = [name for name in BY_SIZE if name != "restore"]
        yield _pipeline(few, recipe, scenarios, options.jobs, 3, 1, options.place)


def _suite(suite: str, tools: Sequence[Tool], options: argparse.Namespace) -> list[Cell]:
    dvc = any(tool.name == "dvc" for tool in tools)
    if suite == "pipeline":
        scenarios = options.scenario or list(SCENARIOS)
        return _pipeline(
            tools,
            options.recipe,
            scenarios,
            options.jobs,
            options.rounds,
            options.minutes,
            options.place,
        )
    if suite == "content":
        cells = _content(options, options.place, suite, dvc=dvc)
        if options.memory is not None:
            with _temporary(options.memory) as place:
                cells += _content(options, place, "content in memory", dvc=dvc)
        return cells
    with _place(options.place) as (top, launcher, ends):
        common = {"dvc": dvc, "slow_limit": options.limit}
        if suite == "show":
            cases = show_cases(top, launcher, experiments=options.experiments, **common)
        else:
            cases = queue_cases(top, launcher, ends, tasks=options.tasks, **common)
        return measure(cases, rounds=min(3, options.rounds), minutes=options.minutes / 4)


def _content(options: argparse.Namespace, place: Path, suite: str, *, dvc: bool) -> list[Cell]:
    with _place(place) as (top, launcher, _):
        cases = content_cases(
            top,
            launcher,
            files=options.files,
            mib=options.mib,
            dvc=dvc,
            slow_limit=options.limit,
            suite=suite,
        )
        return measure(cases, rounds=min(3, options.rounds), minutes=options.minutes / 4)


def _pipeline(
    tools: Sequence[Tool],
    recipe: Recipe,
    scenarios: Sequence[str],
    jobs: int,
    rounds: int,
    minutes: float,
    place: Path,
) -> list[Cell]:
    with _place(place) as (top, launcher, _):
        pipeline = make_pipeline(recipe)
        cases = pipeline_cases(tools, pipeline, top, launcher, scenarios=scenarios, jobs=jobs)
        return measure(cases, rounds=rounds, minutes=minutes)


def _keep(options: argparse.Namespace, tools: Sequence[Tool], parts: Iterable[list[Cell]]) -> int:
    """Measure part by part. The file has what was measured so far: who stops it loses one part, not all."""
    machine = results.machine()
    settings = {
        "command": "python -m benchmarks " + shlex.join(sys.argv[1:]),
        "revision": results.revision(ROOT),
        **options.recipe._asdict(),
        "jobs": options.jobs,
        "limit": options.limit,
        "file system": results.file_system(options.place),
    }
    versions = {tool.name: tool.version for tool in tools}
    cells: list[Cell] = []
    for part in parts:
        cells += part
        if options.json:
            results.Results(machine, versions, settings, cells).write(options.json)
    print(results.table(cells))
    return 0


def _compare(options: argparse.Namespace) -> int:
    files = [Path(name) for name in (options.a, options.b)]
    if all(file.is_file() for file in files):
        pairs = results.matched(*(results.read_results(file) for file in files))
    else:
        pairs = measure_revisions(
            (options.a, options.b),
            options.recipe,
            scenarios=options.scenario or list(SCENARIOS),
            jobs=options.jobs,
            rounds=options.rounds,
            minutes=options.minutes,
        )
    rows = results.changes(pairs)
    print(results.compared(rows))
    return int(any(row.is_slower for row in rows))


def _write(options: argparse.Namespace) -> int:
    found = results.read_results(options.results)
    for page in (ROOT / "README.md", ROOT / "docs" / "benchmarks.md"):
        pages.write_page(page, found)
    picture.draw(found, ROOT / "docs" / "benchmarks.svg")
    return 0


def _table(options: argparse.Namespace) -> int:
    print(results.table(results.read_results(options.results).cells))
    return 0


def _draw(options: argparse.Namespace) -> int:
    picture.draw(results.read_results(options.results), options.picture)
    return 0


def _make(options: argparse.Namespace) -> int:
    for tool in make_tools(options.tool or NAMES):
        tool.write(options.folder / tool.name, make_pipeline(options.recipe))
    return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(required=True)

    run = commands.add_parser("run", help="measure some suites, tools and scenarios")
    run.add_argument("--suite", action="append", choices=SUITES, default=[])
    run.add_argument("--tool", action="append", choices=NAMES, default=[])
    run.add_argument("--native", action="store_true", help="Redoit with xxh128 instead of md5")
    run.add_argument("--json", type=Path, metavar="FILE", help="write all samples to this file")
    run.set_defaults(act=_run)

    full = commands.add_parser("full", help="measure everything, for the docs")
    full.add_argument("json", type=Path, metavar="FILE", help="write all samples to this file")
    full.add_argument(
        "--sizes",
        type=lambda text: [int(size) for size in text.split(",")],
        default=[100, 1000, 10_000],
        help="numbers of stages for the picture",
    )
    full.add_argument(
        "--largest",
        type=int,
        default=100_000,
        help="and this number for Redoit, doit and ninja; 0 leaves it out",
    )
    full.add_argument(
        "--patience", type=float, default=900.0, help="seconds for these three to make everything"
    )
    full.set_defaults(act=_full, scenario=[])

    for command in (run, full):
        command.add_argument("--limit", type=float, default=60.0, help="seconds for DVC, Snakemake")
        command.add_argument("--experiments", type=int, default=1000)
        command.add_argument("--tasks", type=int, default=1000)
        command.add_argument("--files", type=int, default=20_000)
        command.add_argument("--mib", type=int, default=1024)
        command.add_argument(
            "--place",
            type=Path,
            default=Path(tempfile.gettempdir()),
            help="folder to measure in, on the disk to measure",
        )
        command.add_argument(
            "--memory",
            type=Path,
            metavar="FOLDER",
            default=_MEMORY if command is full and _MEMORY.is_dir() else None,
            help="measure content once more here, on a file system in memory: without the noise of a disk",
        )

    compare = commands.add_parser("compare", help="what became slower, beyond the noise?")
    compare.add_argument("a", help="file of results, or revision of Redoit")
    compare.add_argument("b")
    compare.set_defaults(act=_compare)

    for command in (run, compare):
        command.add_argument("--scenario", action="append", choices=list(SCENARIOS), default=[])

    for command in (run, full, compare):
        command.add_argument("--jobs", type=int, default=2)
        command.add_argument("--rounds", type=int, default=7)
        command.add_argument(
            "--minutes",
            type=float,
            default=1.5,
            help="no further round begins when so many have gone since the first ended",
        )

    make = commands.add_parser("make", help="only write a pipeline, for every tool")
    make.add_argument("folder", type=Path)
    make.add_argument("--tool", action="append", choices=NAMES, default=[])
    make.set_defaults(act=_make)

    for command in (run, full, compare, make):
        command.add_argument("--stages", type=int, default=1000)
        command.add_argument("--shape", choices=SHAPES, default="layers")
        command.add_argument("--seed", type=int, default=1)
        command.add_argument("--style", choices=STYLES, default="plain")
        command.add_argument("--dvc-files", type=int, default=1, help="how many dvc.yaml")
        command.add_argument(
            "--directories", type=float, default=0.0, help="part of the stages that write one"
        )
        command.add_argument(
            "--seconds", default="0", help="of a stage: 1, uniform:1:9, lognormal:1:0.5, …"
        )
        command.add_argument("--size", default="0", help="bytes of an output, likewise")

    for name, act, text in (
        ("write", _write, "write figures and picture into the docs"),
        ("table", _table, "show results as text"),
        ("draw", _draw, "draw time against number of stages"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("results", type=Path)
        command.set_defaults(act=act)
        if name == "draw":
            command.add_argument("picture", type=Path)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    if "shape" in options:
        options.recipe = Recipe(
            options.stages,
            options.shape,
            options.seed,
            options.style,
            options.dvc_files,
            options.directories,
            options.seconds,
            options.size,
        )
    try:
        with _temporary(options.place if "place" in options else None) as place:
            options.place = place
            return int(options.act(options))
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())

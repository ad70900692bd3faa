"""Measure runs of whole pipelines: Redoit beside plain doit, ninja and, if wanted, DVC.

    python -m benchmarks.bench                       1,000 stages, all scenarios
    python -m benchmarks.bench --stages 10000 --scenario nothing --scenario one
    python -m benchmarks.bench --shape fan-in --stages 1600 --scenario nothing
    python -m benchmarks.bench --dvc 120             DVC too, each measurement at most 120 s

Tools take turns within each repetition, so that a machine that becomes slower does so for all of them;
the figure is the median. Ratios within one run count, seconds differ between machines.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.sandbox import exp_command, installed_dvc, isolated_environment, peer_environment

from benchmarks.make_pipeline import SHAPES, Step, pipeline, write_doit, write_dvc, write_ninja

PEERS = ("ninja==1.13.0", "doit==0.37.0")


@dataclass(frozen=True)
class Tool:
    """A command that brings a pipeline up to date, in a folder of its own."""

    name: str
    write: Callable[[Path, Sequence[Step]], None]
    command: Callable[[int], list[str]]
    """Jobs → command line."""
    traces: tuple[str, ...]
    """What to delete, with the outputs, to be as after a fresh clone."""
    limit: float = 600.0
    """Seconds after which a measurement is given up."""


@dataclass(frozen=True)
class Sample:
    """One measurement: wall-clock seconds and the peak resident memory in MiB; None: given up."""

    seconds: float | None
    memory: float


def tools(dvc_limit: float, native: bool) -> list[Tool]:
    """The tools to compare; the peers are installed on first use."""
    exp = str(exp_command())
    peers = peer_environment("-".join(["bench", *PEERS]).replace("==", "-"), PEERS)

    def write(folder: Path, steps: Sequence[Step]) -> None:
        write_dvc(folder, steps, native=native)

    ours = ("dvc.lock", ".dvc/cache", ".dvc/tmp")
    found = [
        Tool("exp repro", write, lambda jobs: [exp, "repro", "-q", "-j", str(jobs)], ours),
        Tool("exp run", write, lambda jobs: [exp, "run", "-q", "-j", str(jobs)], ours),
        Tool(
            "doit",
            write_doit,
            lambda jobs: [
                str(peers / "doit"),
                "-v0",
                "-r",
                "zero",
                *(("-n", str(jobs), "-P", "thread") if jobs > 1 else ()),
            ],
            (".doit.db", ".doit.db.db", ".doit.db.dat", ".doit.db.dir", ".doit.db.bak"),
        ),
        Tool(
            "ninja",
            write_ninja,
            lambda jobs: [str(peers / "ninja"), "--quiet", "-j", str(jobs)],
            (".ninja_log", ".ninja_deps"),
        ),
    ]
    if dvc_limit:
        dvc = str(installed_dvc())
        found.append(
            Tool("dvc repro", write_dvc, lambda jobs: [dvc, "repro", "-q"], ours, dvc_limit)
        )
    return found


class Site:
    """One tool with its own copy of a pipeline."""

    def __init__(self, tool: Tool, folder: Path, steps: Sequence[Step]) -> None:
        self.tool = tool
        self._folder = folder
        self._steps = len(steps)
        folder.mkdir(parents=True)
        tool.write(folder, steps)
        home = folder.with_name(folder.name + "-home")
        home.mkdir()
        self._env = isolated_environment(home)
        self._edits = 0
        self.given_up = False

    def run(self, jobs: int) -> Sample:
        """Run the tool once. Raises RuntimeError with its output if it fails."""
        with tempfile.TemporaryFile() as output:
            began = time.perf_counter()
            process = subprocess.Popen(
                self.tool.command(jobs),
                cwd=self._folder,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            memory = _wait(process, self.tool.limit)
            seconds = time.perf_counter() - began
            if memory is None:
                self.given_up = True
                return Sample(None, 0.0)
            if process.returncode:
                output.seek(0)
                text = output.read().decode(errors="replace")[-2000:]
                raise RuntimeError(f"{self.tool.name} failed in {self._folder}:\n{text}")
        return Sample(seconds, memory)

    def forget(self) -> None:
        """As after a fresh clone."""
        for name in ("out", *self.tool.traces):
            path = self._folder / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        (self._folder / "out").mkdir()

    def edit(self) -> None:
        """Change the source that only the last stage reads."""
        self._edits += 1
        (self._folder / "src" / "last.txt").write_text(f"edit {self._edits}\n")

    def check(self) -> None:
        """Raises RuntimeError unless all outputs are there: who skips work is not fast."""
        there = sum(1 for _ in (self._folder / "out").iterdir() if not _.name.startswith("."))
        if there != self._steps and not self.given_up:
            raise RuntimeError(f"{self.tool.name} left {there} of {self._steps} outputs")


def _wait(process: subprocess.Popen[bytes], limit: float) -> float | None:
    """Peak memory in MiB of the ended process; None if it had to be killed after ``limit`` seconds."""
    end = time.monotonic() + limit
    pause = 0.0005
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return (
                usage.ru_maxrss
                / (1 if sys.platform == "darwin" else 1024)
                / (1024 if sys.platform == "darwin" else 1)
            )
        if time.monotonic() > end:
            os.killpg(process.pid, 9)
            process.wait()
            return None
        time.sleep(pause)
        pause = min(pause * 1.5, 0.01)


Scenario = Callable[[Site, int], Sample]


def cold(site: Site, jobs: int) -> Sample:
    """Everything is made, as after a fresh clone."""
    site.forget()
    sample = site.run(jobs)
    site.check()
    return sample


def nothing(site: Site, jobs: int) -> Sample:
    """Nothing has changed since the last run."""
    return site.run(jobs)


def one(site: Site, jobs: int) -> Sample:
    """One source file has changed, which one stage reads."""
    site.edit()
    return site.run(jobs)


def scenarios(names: Sequence[str], jobs: int) -> dict[str, tuple[Scenario, int]]:
    """Name → (scenario, jobs), in the order in which they are measured."""
    known: dict[str, tuple[Scenario, int]] = {
        "cold -j1": (cold, 1),
        f"cold -j{jobs}": (cold, jobs),
        "nothing": (nothing, 1),
        "one": (one, 1),
    }
    return {name: row for name, row in known.items() if not names or name.split()[0] in names}


def measure(
    sites: Sequence[Site], wanted: Mapping[str, tuple[Scenario, int]], repeat: int
) -> dict[str, dict[str, list[Sample]]]:
    """Scenario → tool → samples. Every site is up to date before a scenario that needs it to be."""
    found: dict[str, dict[str, list[Sample]]] = {}
    ready: set[str] = set()
    for name, (scenario, jobs) in wanted.items():
        rows = found.setdefault(name, {site.tool.name: [] for site in sites})
        times = max(1, repeat // 2) if scenario is cold else repeat
        for site in sites:
            if scenario is not cold and site.tool.name not in ready and not site.given_up:
                site.run(jobs)
                site.run(jobs)
            ready.add(site.tool.name)
        for _ in range(times):
            for site in sites:
                if not site.given_up:
                    rows[site.tool.name].append(scenario(site, jobs))
        print(f"measured: {name}", file=sys.stderr, flush=True)
    return found


def table(found: Mapping[str, Mapping[str, Sequence[Sample]]], peer: str = "ninja") -> str:
    """The medians as text: seconds, peak memory, and how many times the peer's and doit's seconds."""
    lines = [f"{'':12} {'':10} {'seconds':>9} {'MiB':>6} {'× ' + peer:>9} {'× doit':>8}"]
    for name, rows in found.items():
        medians = {tool: median(samples) for tool, samples in rows.items()}
        for tool, samples in rows.items():
            if medians[tool] is None:
                lines.append(f"{name:12} {tool:10} {'given up':>9}")
                continue
            memory = max(sample.memory for sample in samples)
            cells = [f"{name:12} {tool:10} {medians[tool]:9.3f} {memory:6.0f}"]
            for other, width in ((peer, 9), ("doit", 8)):
                base = medians.get(other)
                cells.append(f"{medians[tool] / base:{width}.2f}" if base else f"{'':{width}}")
            lines.append(" ".join(cells))
    return "\n".join(lines)


def median(samples: Sequence[Sample]) -> float | None:
    """Seconds; None if there is no sample or one was given up."""
    seconds = [sample.seconds for sample in samples if sample.seconds is not None]
    return statistics.median(seconds) if seconds and len(seconds) == len(samples) else None


def startup(repeat: int) -> str:
    """``exp --help`` beside an empty Python program."""
    rows = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "exp --help": [str(exp_command()), "--help"],
    }
    seconds: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(max(repeat, 5)):
        for name, command in rows.items():
            began = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            seconds[name].append(time.perf_counter() - began)
    return "\n".join(
        f"{name:23} {statistics.median(values):9.3f}" for name, values in seconds.items()
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--stages", type=int, default=1000)
    parser.add_argument("--shape", choices=SHAPES, default="layers")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument(
        "--scenario", action="append", choices=("cold", "nothing", "one"), default=[]
    )
    parser.add_argument("--tool", action="append", default=[], help="only tools of these names")
    parser.add_argument("--native", action="store_true", help="Redoit with xxh128 instead of md5")
    parser.add_argument(
        "--dvc", type=float, default=0.0, metavar="SECONDS", help="DVC too, up to so long"
    )
    parser.add_argument("--json", type=Path, help="write all samples to this file")
    options = parser.parse_args()
    steps = pipeline(options.shape, options.stages, options.seed)
    top = Path(tempfile.mkdtemp(prefix="redoit-bench-"))
    try:
        sites = [
            Site(tool, top / tool.name.replace(" ", "-"), steps)
            for tool in tools(options.dvc, options.native)
            if not options.tool or tool.name in options.tool
        ]
        found = measure(sites, scenarios(options.scenario, options.jobs), options.repeat)
    finally:
        shutil.rmtree(top, ignore_errors=True)
    print(f"{options.stages:,} stages, {options.shape}, {os.cpu_count()} processors")
    print(table(found))
    print(startup(options.repeat))
    if options.json:
        rows = {
            name: {
                tool: [sample.seconds for sample in samples] for tool, samples in by_tool.items()
            }
            for name, by_tool in found.items()
        }
        settings = {key: value for key, value in vars(options).items() if key != "json"}
        options.json.write_text(
            json.dumps({"settings": settings, "seconds": rows}, indent=1) + "\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

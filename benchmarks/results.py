"""Results as JSON with the machine and the versions; two of them compared."""

from __future__ import annotations

import contextlib
import json
import math
import os
import platform
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.measure import Cell, Sample, median, spread

_FORMAT = 1


class Results(NamedTuple):
    """What one run of the harness found."""

    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    settings: Mapping[str, Any]
    cells: Sequence[Cell]

    def cell(self, suite: str, scenario: str, tool: str, size: int) -> Cell | None:
        for cell in self.cells:
            if (cell.suite, cell.scenario, cell.tool, cell.size) == (suite, scenario, tool, size):
                return cell
        return None

    def write(self, path: Path) -> None:
        rows = [
            {**cell._asdict(), "samples": [sample._asdict() for sample in cell.samples]}
            for cell in self.cells
        ]
        whole = {"format": _FORMAT, **self._asdict(), "cells": rows}
        path.write_text(json.dumps(whole, indent=1) + "\n")


def read_results(path: Path) -> Results:
    """Raises ValueError for a file that is none of ours."""
    try:
        whole = json.loads(path.read_text())
        if whole["format"] != _FORMAT:
            raise ValueError(f"format {whole['format']} instead of {_FORMAT}")
        cells = [
            Cell(**{**row, "samples": [Sample(**sample) for sample in row["samples"]]})
            for row in whole["cells"]
        ]
        return Results(whole["machine"], whole["versions"], whole["settings"], cells)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} holds no results of this harness: {error}") from None


def machine() -> dict[str, Any]:
    """What the figures depend on beside the tools. ``load`` tells how busy the machine was before."""
    return {
        "processor": _processor(),
        "processors": os.cpu_count(),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def file_system(folder: Path) -> str:
    """The kind of file system that ``folder`` lies on: ``ext4``, ``tmpfs``; empty if it cannot be known."""
    with contextlib.suppress(OSError):
        rows = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
        holding = [row for row in rows if folder.resolve().is_relative_to(row[1])]
        if holding:
            return max(holding, key=lambda row: len(row[1]))[2]
    return ""


def revision(folder: Path) -> str:
    """The revision of Redoit that the harness lies in; empty outside of Git."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


# --- as text --------------------------------------------------------------------------------------


def table(cells: Iterable[Cell], peers: Sequence[str] = ("ninja", "doit", "dvc")) -> str:
    """A line per cell: seconds with their spread, CPU, memory, and how many times a peer's seconds."""
    heads = "".join(f" {'× ' + peer:>8}" for peer in peers)
    lines = [
        f"{'scenario':22} {'size':>6} {'tool':16} {'seconds':>9} {'±':>6} {'cpu':>8} {'MiB':>6} {'n':>2}{heads}"
    ]
    found = {(c.suite, c.scenario, c.size, c.tool): c for c in cells}
    for cell in found.values():
        lead = f"{cell.scenario:22} {cell.size:>6} {cell.tool:16}"
        if not cell.samples:
            lines.append(f"{lead} {cell.note}")
            continue
        text = f"{lead} {seconds(cell):9.3f} {spread([s.seconds for s in cell.samples]):6.3f}"
        text += f" {median([s.cpu for s in cell.samples]):8.3f}"
        text += f" {max(s.memory for s in cell.samples):6.0f} {len(cell.samples):2}"
        for peer in peers:
            other = found.get((cell.suite, cell.scenario, cell.size, peer))
            ratio = f"{seconds(cell) / seconds(other):.2f}" if other and other.samples else ""
            text += f" {ratio:>8}"
        lines.append(text.rstrip())
    return "\n".join(lines)


def seconds(cell: Cell) -> float:
    """The median. The cell has samples."""
    return median([sample.seconds for sample in cell.samples])


# --- two of them ----------------------------------------------------------------------------------


class Change(NamedTuple):
    """How one case differs between two results."""

    name: str
    measure: str
    before: float
    after: float
    noise: float
    """How large a difference the spread of the samples may explain."""
    best: tuple[float, float]
    """The smallest samples: what else the machine does can only make them larger."""

    @property
    def is_slower(self) -> bool:
        return _is_more((self.before, self.after), self.noise) and _is_more(self.best)

    @property
    def is_faster(self) -> bool:
        return _is_more((self.after, self.before), self.noise) and _is_more(self.best[::-1])


def _is_more(pair: Sequence[float], noise: float = 0.0) -> bool:
    """Whether the second is larger by more than a twentieth and the noise."""
    first, second = pair
    return second - first > max(noise, 0.05 * first)


def changes(pairs: Iterable[tuple[Cell, Cell]]) -> list[Change]:
    """Seconds, CPU seconds and memory of every pair with samples on both sides."""
    found = []
    for before, after in pairs:
        if not (before.samples and after.samples):
            continue
        name = f"{before.suite}: {before.scenario}, {before.size}"
        if before.tool == after.tool:
            name += f", {before.tool}"
        for measure in Sample._fields:
            a = [getattr(sample, measure) for sample in before.samples]
            b = [getattr(sample, measure) for sample in after.samples]
            # Of one or two samples the noise is not known.
            known = min(len(a), len(b)) >= 3
            noise = 3 * max(spread(a), spread(b)) if known else math.inf
            best = min(a), min(b)
            found.append(Change(name, measure, median(a), median(b), noise, best))
    return found


def compared(rows: Sequence[Change]) -> str:
    """A line per change; the ones beyond the noise are marked."""
    width = max((len(row.name) for row in rows), default=0)
    lines = [f"{'':{width}} {'':8} {'before':>9} {'after':>9} {'ratio':>6}"]
    for row in rows:
        mark = "  SLOWER" if row.is_slower else "  faster" if row.is_faster else ""
        mark = (
            mark.replace("SLOWER", "MORE").replace("faster", "less")
            if row.measure == "memory"
            else mark
        )
        ratio = row.after / row.before if row.before else 1.0
        lines.append(
            f"{row.name:{width}} {row.measure:8} {row.before:9.3f} {row.after:9.3f} {ratio:6.2f}{mark}"
        )
    return "\n".join(lines)


def matched(before: Results, after: Results) -> list[tuple[Cell, Cell]]:
    """The cells that both results have."""
    pairs = []
    for cell in before.cells:
        other = after.cell(cell.suite, cell.scenario, cell.tool, cell.size)
        if other is not None:
            pairs.append((cell, other))
    return pairs

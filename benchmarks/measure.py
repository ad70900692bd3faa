"""Measuring commands: samples, cases, and rounds over the cases in which the tools take turns."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ONCE_ABOVE = 15.0
"""Seconds; what takes longer is measured in the first round only."""


class Sample(NamedTuple):
    """One measurement of a command."""

    seconds: float
    cpu: float
    """User and system time of it and of the processes it waited for."""
    memory: float
    """Peak of its largest process in MiB."""


class Cannot(Exception):
    """A tool has no such thing, or did not finish; the text says which."""


class Case(NamedTuple):
    """One tool in one scenario; ``take`` measures it once, or raises Cannot."""

    suite: str
    scenario: str
    tool: str
    size: int
    take: Callable[[], Sample]


class Cell(NamedTuple):
    """What came of a case."""

    suite: str
    scenario: str
    tool: str
    size: int
    samples: list[Sample]
    note: str | None = None
    """Why there are no samples."""


_COMPILING = ("PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE")


class Launcher:
    """Owns the process that starts the measured commands; see ``launcher.py``."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("launcher.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        handle, self._output = tempfile.mkstemp(prefix="redoit-bench-", suffix=".out")
        os.close(handle)

    def run(
        self,
        command: Sequence[str],
        cwd: Path,
        env: Mapping[str, str],
        limit: float,
        *,
        good: Sequence[int] = (0,),
    ) -> Sample:
        """Measure ``command``. Raises Cannot after ``limit`` seconds, RuntimeError for an exit code not ``good``."""
        order = {
            "command": list(command),
            "cwd": str(cwd),
            # Compiled modules lie beside their sources, as at their users'.
            "env": {key: text for key, text in env.items() if key not in _COMPILING},
            "limit": limit,
            "output": self._output,
        }
        assert self._process.stdin and self._process.stdout
        print(json.dumps(order), file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline())
        code = answer.pop("code")
        if code is None:
            raise Cannot(f"not finished after {limit:g} s")
        if code not in good:
            text = Path(self._output).read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{' '.join(command)} failed in {cwd} (exit {code}):\n{text}")
        return Sample(**answer)

    def __enter__(self) -> Launcher:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        os.unlink(self._output)


def measure(cases: Sequence[Case], *, rounds: int, minutes: float) -> list[Cell]:
    """Take each case once in each round, in order; none begins when ``minutes`` have gone since the first ended.

    What is slow or cannot be done is taken in the first round only. A failure is told on standard error.
    """
    end = 0.0
    cells = [Cell(c.suite, c.scenario, c.tool, c.size, []) for c in cases]
    for number in range(rounds):
        if number and time.monotonic() > end:
            break
        for i, case in enumerate(cases):
            cell = cells[i]
            if cell.note or (cell.samples and cell.samples[-1].seconds > ONCE_ABOVE):
                continue
            try:
                cell.samples.append(case.take())
            except Cannot as reason:
                # One that failed in a later round keeps what it had.
                cells[i] = cell._replace(note=None if cell.samples else str(reason))
            except RuntimeError as error:
                # Minutes of measuring are not thrown away because one tool fails.
                print(f"{case.tool}, {case.scenario}: {error}", file=sys.stderr, flush=True)
                cells[i] = cell._replace(samples=[], note="failed")
        if not number:
            end = time.monotonic() + 60 * minutes
        print(f"round {number + 1} of at most {rounds}", file=sys.stderr, flush=True)
    return cells


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def spread(values: Sequence[float]) -> float:
    """The median distance from the median, scaled to be a standard deviation of normal noise."""
    middle = median(values)
    return 1.4826 * median([abs(value - middle) for value in values])

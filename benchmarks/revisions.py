"""Two revisions of Redoit, each installed in an environment of its own, measured in one run."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.sandbox import peer_environment

from benchmarks.measure import Cell, Launcher, measure
from benchmarks.pipeline_suite import pipeline_cases
from benchmarks.pipelines import Recipe, make_pipeline
from benchmarks.tools import redoit

ROOT = Path(__file__).parents[1]


def measure_revisions(
    names: tuple[str, str],
    recipe: Recipe,
    *,
    scenarios: Sequence[str],
    jobs: int,
    rounds: int,
    minutes: float,
) -> list[tuple[Cell, Cell]]:
    """Scenarios of a pipeline with both revisions in turn. Raises ValueError for a revision that is none."""
    with contextlib.ExitStack() as stack:
        top = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="redoit-bench-")))
        launcher = stack.enter_context(Launcher())
        # The same revision twice shows the noise: its sites need different names.
        tools = [
            redoit(installed(name) / "exp", name=f"{side} {name.replace('/', '-')}")
            for side, name in zip("AB", names, strict=True)
        ]
        pipeline = make_pipeline(recipe)
        cases = pipeline_cases(tools, pipeline, top, launcher, scenarios=scenarios, jobs=jobs)
        cells = measure(cases, rounds=rounds, minutes=minutes)
    return list(zip(cells[::2], cells[1::2], strict=True))


def installed(name: str) -> Path:
    """The ``bin`` folder of an environment with that revision, made on first use."""
    done = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ValueError(f"{name} is neither a file nor a revision of Redoit")
    sha = done.stdout.strip()
    with _worktree(sha) as folder:
        return peer_environment(f"redoit-{sha[:12]}", [str(folder)])


@contextlib.contextmanager
def _worktree(sha: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="redoit-revision-") as top:
        folder = Path(top) / "redoit"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "-q", "--detach", str(folder), sha], check=True)
        try:
            yield folder
        finally:
            subprocess.run([*git, "remove", "--force", str(folder)], check=True)

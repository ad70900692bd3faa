"""Write a seeded pipeline for Redoit and DVC, for plain doit and for ninja.

    python -m benchmarks.make_pipeline --shape layers --stages 1000 FOLDER

The three descriptions say the same: the same stages, inputs, outputs and commands.
"""

from __future__ import annotations

import argparse
import random
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SHAPES = ("chain", "wide", "layers", "diamond", "fan-in")


@dataclass(frozen=True)
class Step:
    """One stage: its command concatenates ``deps`` into ``outs[0]``, and touches the other outs."""

    name: str
    deps: tuple[str, ...]
    outs: tuple[str, ...]

    @property
    def command(self) -> str:
        rest = f" && touch {' '.join(self.outs[1:])}" if len(self.outs) > 1 else ""
        # Digests, so that outputs differ from each other and stay small whatever the depth.
        return f"cat {' '.join(self.deps)} | cksum > {self.outs[0]}{rest}"


def pipeline(shape: str, stages: int, seed: int = 1) -> list[Step]:
    """The steps in an order in which they can run; the last alone reads ``src/last``.

    ``fan-in`` is dense: each of the stages in its second half reads an output of each in the first.
    """
    rng = random.Random(seed)
    width = max(1, round(stages**0.5))
    steps: list[Step] = []
    for number in range(stages):
        if shape == "chain":
            before = [number - 1] if number else []
        elif shape == "wide":
            before = []
        elif shape == "layers":
            row = number // width
            above = range((row - 1) * width, row * width)
            before = sorted(rng.sample(above, min(2, width))) if row else []
        elif shape == "diamond":
            # One opens, two stand side by side, and the next one joins them.
            before = [number - number % 3] if number % 3 else [number - 2, number - 1][:number]
        elif shape == "fan-in":
            before = list(range(stages // 2)) if number >= stages // 2 else []
        else:
            raise ValueError(f"no such shape: {shape}")
        deps = [f"out/{n}.txt" for n in before] or [f"src/{number % 50}.txt"]
        if number == stages - 1:
            deps.append("src/last.txt")
        steps.append(Step(f"s{number}", tuple(deps), (f"out/{number}.txt",)))
    return steps


def write_sources(folder: Path) -> None:
    (folder / "src").mkdir(parents=True, exist_ok=True)
    (folder / "out").mkdir(exist_ok=True)
    for name in (*range(50), "last"):
        (folder / "src" / f"{name}.txt").write_text(f"source {name}\n")


def write_dvc(folder: Path, steps: Sequence[Step], *, native: bool = False) -> None:
    """A Git repository with ``.dvc/`` and ``dvc.yaml``; ``native``: with xxh128, which DVC cannot read."""
    write_sources(folder)
    lines = ["stages:"]
    for step in steps:
        lines += [f"  {step.name}:", f"    cmd: {step.command}", "    deps:"]
        lines += [f"    - {dep}" for dep in step.deps]
        lines += ["    outs:", *(f"    - {out}" for out in step.outs)]
    (folder / "dvc.yaml").write_text("\n".join(lines) + "\n")
    (folder / ".dvc").mkdir()
    (folder / ".dvc" / "config").touch()
    (folder / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
    if native:
        (folder / ".dvc" / "redoit.toml").write_text('hash = "xxh128"\n')
    (folder / ".dvcignore").touch()
    # Else each of thousands of outputs is looked for in, and added to, a growing list.
    (folder / ".gitignore").write_text("/out\n")
    who = ["-c", "user.name=Bench", "-c", "user.email=bench@example.org"]
    for words in (
        ["init", "-q", "-b", "main"],
        ["add", "-A"],
        [*who, "commit", "-q", "-m", "pipeline"],
    ):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def write_doit(folder: Path, steps: Sequence[Step]) -> None:
    """A ``dodo.py`` with doit's own md5 checker and database."""
    write_sources(folder)
    rows = ",\n".join(f"    {(step.name, step.command, step.deps, step.outs)!r}" for step in steps)
    (folder / "dodo.py").write_text(
        f"STEPS = [\n{rows},\n]\n\n\n"
        "def task_steps():\n"
        "    for name, command, deps, outs in STEPS:\n"
        '        yield {"basename": name, "actions": [command], "file_dep": deps, "targets": outs}\n'
    )


def write_ninja(folder: Path, steps: Sequence[Step]) -> None:
    write_sources(folder)
    lines = ["rule step", "  command = $cmd", ""]
    for step in steps:
        lines += [f"build {' '.join(step.outs)}: step {' '.join(step.deps)}"]
        lines += [f"  cmd = {step.command.replace('$', '$$')}"]
    (folder / "build.ninja").write_text("\n".join(lines) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.make_pipeline", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shape", choices=SHAPES, default="layers")
    parser.add_argument("--stages", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    steps = pipeline(options.shape, options.stages, options.seed)
    for name, write in (("dvc", write_dvc), ("doit", write_doit), ("ninja", write_ninja)):
        write(options.folder / name, steps)
    print(f"{len(steps)} stages in {options.folder}/dvc, doit and ninja")


if __name__ == "__main__":
    main()

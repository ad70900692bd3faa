"""One description of a pipeline, made from a seed; ``writers`` puts it on disk for each tool."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

SHAPES = ("wide", "chain", "layers", "diamonds", "fan-in", "random")
STYLES = ("plain", "foreach", "matrix")

SOURCES = 50
"""How many source files the stages share, beside the one that only the last stage reads."""
LAST_SOURCE = "src/last.txt"
FILES_IN_DIRECTORY = 4


class Recipe(NamedTuple):
    """What a pipeline is made from; equal recipes make equal pipelines."""

    stages: int = 1000
    shape: str = "layers"
    seed: int = 1
    style: str = "plain"
    """How dvc.yaml is written: every stage by itself, or entries of ``foreach`` or ``matrix``."""
    files: int = 1
    """How many dvc.yaml the stages are spread over."""
    directories: float = 0.0
    """Which part of the stages writes a directory instead of a file."""
    seconds: str = "0"
    """Distribution of what a command takes beside its own few milliseconds."""
    size: str = "0"
    """Distribution of the bytes that each output is longer than a line."""


class Step(NamedTuple):
    """One stage: it reads outputs of earlier ones, sources and perhaps a param, and writes one output."""

    number: int
    reads: tuple[Step, ...]
    sources: tuple[str, ...]
    param: str | None
    is_directory: bool
    seconds: float
    size: int

    @property
    def name(self) -> str:
        return f"s{self.number}"

    @property
    def out(self) -> str:
        return f"out/{self.number}" + ("" if self.is_directory else ".txt")

    @property
    def deps(self) -> list[str]:
        """As dvc.yaml names them."""
        return [*(step.out for step in self.reads), *self.sources]

    @property
    def made(self) -> list[str]:
        """The files that it writes, for tools that know no directories."""
        if not self.is_directory:
            return [self.out]
        return [f"{self.out}/{number}.txt" for number in range(FILES_IN_DIRECTORY)]

    @property
    def read_files(self) -> list[str]:
        """The files that it reads."""
        return [*(path for step in self.reads for path in step.made), *self.sources]

    @property
    def command(self) -> str:
        """Without a dollar, a brace or a quote that any of the tools would want escaped but ``'``."""
        # Sums, so that outputs differ from each other and stay small whatever the depth.
        texts = [f"cat {' '.join(self.read_files)} | cksum"]
        if self.param:
            texts.append(f"grep '^{self.param}:' params.yaml")
        if self.size:
            texts.append(f"head -c {self.size} /dev/zero")
        text = texts[0] if len(texts) == 1 else f"({'; '.join(texts)})"
        line = f"{text} > {self.out}"
        if self.is_directory:
            line = f"mkdir -p {self.out} && {text} | tee {' '.join(self.made)} > /dev/null"
        return f"sleep {self.seconds:.4f} && {line}" if self.seconds else line


class Pipeline(NamedTuple):
    """Steps in an order in which they can run. The last alone reads LAST_SOURCE, and has a param of its own."""

    recipe: Recipe
    steps: tuple[Step, ...]

    @property
    def params(self) -> list[str]:
        return [step.param for step in self.steps if step.param]


def make_pipeline(recipe: Recipe) -> Pipeline:
    """The pipeline of ``recipe``. Raises ValueError for a shape, style or distribution that does not exist."""
    if recipe.shape not in SHAPES or recipe.style not in STYLES:
        raise ValueError(f"no such pipeline: {recipe.shape}, {recipe.style}")
    rng = random.Random(recipe.seed)
    seconds, size = distribution(recipe.seconds, rng), distribution(recipe.size, rng)
    steps: list[Step] = []
    for number, before in enumerate(_edges(recipe.shape, recipe.stages, rng)):
        is_last = number == recipe.stages - 1
        sources = [] if before else [f"src/{number % SOURCES}.txt"]
        if is_last:
            sources.append(LAST_SOURCE)
        steps.append(
            Step(
                number,
                tuple(steps[n] for n in before),
                tuple(sources),
                f"p{number}" if is_last or number % 10 == 0 else None,
                rng.random() < recipe.directories,
                seconds(),
                round(size()),
            )
        )
    return Pipeline(recipe, tuple(steps))


def _edges(shape: str, stages: int, rng: random.Random) -> Iterator[list[int]]:
    """For each stage, the earlier ones that it reads.

    ``fan-in`` is dense: each stage of the second half reads every one of the first. ``random`` is as grown
    projects are: mostly the stages written just before, sometimes one from long ago, and a few hubs.
    """
    width = max(1, round(stages**0.5))
    for number in range(stages):
        if shape == "wide" or number == 0:
            yield []
        elif shape == "chain":
            yield [number - 1]
        elif shape == "layers":
            row = number // width
            above = range((row - 1) * width, row * width)
            yield sorted(rng.sample(above, min(2, width))) if row else []
        elif shape == "diamonds":
            # One opens, two stand side by side, and the next one joins them.
            yield [number - number % 3] if number % 3 else [number - 2, number - 1]
        elif shape == "fan-in":
            yield list(range(stages // 2)) if number >= stages // 2 else []
        else:
            yield _grown(number, rng)


def _grown(number: int, rng: random.Random) -> list[int]:
    if rng.random() < 0.1:
        return []
    hubs = max(1, number // 40)
    found = set()
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5))):
        kind = rng.random()
        if kind < 0.15:
            found.add(rng.randrange(hubs))
        elif kind < 0.25:
            found.add(rng.randrange(number))
        else:
            found.add(max(0, number - 1 - int(rng.expovariate(0.1))))
    return sorted(found)


def distribution(text: str, rng: random.Random) -> Callable[[], float]:
    """Draws from ``5``, ``uniform:1:9``, ``exponential:MEAN`` or ``lognormal:MEDIAN:SIGMA``.

    Raises ValueError for anything else.
    """
    kind, *numbers = text.split(":")
    values = [float(number) for number in numbers]
    if kind == "uniform" and len(values) == 2:
        return lambda: rng.uniform(*values)
    if kind == "exponential" and len(values) == 1 and values[0] > 0:
        return lambda: rng.expovariate(1 / values[0])
    if kind == "lognormal" and len(values) == 2:
        median, sigma = values
        return lambda: median * rng.lognormvariate(0, sigma)
    if values:
        raise ValueError(f"no such distribution: {text}")
    fixed = float(kind)
    return lambda: fixed

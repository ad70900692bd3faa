"""Pipelines of one recipe: everything made, nothing to do, one thing changed, restored, looked at."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.sandbox import exp_command, isolated_environment

from benchmarks.measure import Cannot, Case, Launcher, Sample
from benchmarks.pipelines import LAST_SOURCE, Pipeline
from benchmarks.tools import Tool
from benchmarks.writers import write_params

SUITE = "pipeline"


class Site:
    """One tool with its own copy of a pipeline: owns what is up to date there."""

    def __init__(self, tool: Tool, folder: Path, pipeline: Pipeline, launcher: Launcher) -> None:
        self.tool = tool
        self._folder, self._pipeline, self._launcher = folder, pipeline, launcher
        folder.mkdir(parents=True)
        tool.write(folder, pipeline)
        home = folder.with_name(folder.name + "-home")
        home.mkdir()
        self._env = {**isolated_environment(home), **tool.environ}
        self._numbers = itertools.count()
        self._gone = folder.with_name(folder.name + "-gone")
        self._edits = 0
        self._is_made = False
        self._unmade: str | None = None
        """Why it cannot be brought up to date at all."""

    # --- scenarios --------------------------------------------------------------------------------

    def cold(self, jobs: int) -> Sample:
        """Everything is made, as if it never was."""
        command = self._build(jobs)
        self._forget("out", *self.tool.traces)
        (self._folder / "out").mkdir()
        self._is_made = False
        try:
            sample = self._run(command)
        except Cannot as reason:
            if jobs > 1 or self.tool.jobs is None:
                self._unmade = f"making everything is {reason}"
            raise
        self._check()
        # The first run after that may finish what this one left, such as a database in a better form.
        self._run(command)
        self._is_made = True
        return sample

    def nothing(self) -> Sample:
        """Nothing has changed since the last run."""
        self._make()
        return self._run(self._build(1))

    def one_source(self) -> Sample:
        """One source file has changed, which one stage reads."""
        self._make()
        self._edits += 1
        (self._folder / LAST_SOURCE).write_text(f"edit {self._edits}\n")
        return self._run_last()

    def one_param(self) -> Sample:
        """One value of params.yaml has changed, which one stage reads."""
        self._make()
        self._edits += 1
        write_params(self._folder, self._pipeline, self._edits)
        return self._run_last()

    def touched(self) -> Sample:
        """All sources have new modification times and the content that they had."""
        self._make()
        for path in (self._folder / "src").iterdir():
            os.utime(path)
        return self._run(self._build(1))

    def restore(self) -> Sample:
        """As after a fresh clone whose cache is full: no outputs, no private notes."""
        if self.tool.cache is None:
            raise Cannot("keeps no outputs")
        self._make()
        self._forget("out", self.tool.cache)
        (self._folder / "out").mkdir()
        self._is_made = False
        sample = self._run(self._build(1))
        self._check()
        self._is_made = True
        return sample

    def status(self) -> Sample:
        """Only tell what would run: nothing."""
        if self.tool.status is None:
            raise Cannot("has no such command")
        self._make()
        return self._run(self.tool.status, self.tool.status_codes)

    def experiment(self) -> Sample:
        """Nothing has changed; the state is recorded as an experiment, or known to be."""
        if self.tool.experiment is None:
            raise Cannot("has no such command")
        self._make()
        return self._run(self.tool.experiment)

    def help(self) -> Sample:
        """The help, or the version where there is no help."""
        return self._run(self.tool.help)

    # --- what they are made of --------------------------------------------------------------------

    def _build(self, jobs: int) -> list[str]:
        if self.tool.jobs is None and jobs > 1:
            raise Cannot("runs one stage at a time")
        return [*self.tool.build, *(self.tool.jobs(jobs) if self.tool.jobs else ())]

    def _run(self, command: Sequence[str], good: Sequence[int] = (0,)) -> Sample:
        try:
            return self._launcher.run(command, self._folder, self._env, self.tool.limit, good=good)
        except Cannot:
            # It was killed: nobody knows what it left.
            self._is_made = False
            raise

    def _run_last(self) -> Sample:
        """Bring all up to date after a change that the last stage must notice."""
        last = self._folder / self._pipeline.steps[-1].made[0]
        before = last.read_bytes()
        sample = self._run(self._build(1))
        if last.read_bytes() == before:
            self._is_made = False
            raise Cannot("does not notice it")
        return sample

    def _make(self) -> None:
        """See that all is up to date. Raises Cannot if that is too much for the tool.

        What Redoit has made is up to date for DVC too: so DVC's checks are measured where making everything
        would take it too long.
        """
        if self._is_made:
            return
        if self.tool.name == "dvc":
            self._forget(".dvc/tmp")
            done = subprocess.run(
                [str(exp_command()), "repro", "-q", "-P", "-j", "2"],
                cwd=self._folder,
                env=self._env,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise RuntimeError(f"cannot prepare {self._folder}:\n{done.stdout}{done.stderr}")
        elif self._unmade is not None:
            raise Cannot(self._unmade)
        else:
            # What was killed may have left locks and halves.
            self._forget("out", *self.tool.traces)
            (self._folder / "out").mkdir()
            try:
                for _ in range(2):
                    self._run(self._build(2 if self.tool.jobs else 1))
            except Cannot as reason:
                self._unmade = f"making everything is {reason}"
                raise Cannot(self._unmade) from None
        self._check()
        self._is_made = True

    def _forget(self, *names: str) -> None:
        """Move these out of the way, until the end of all measurements.

        For a minute after files were removed ext4 looks through their numbers whenever a file is made: whoever is measured next
        would pay for it.
        """
        for name in names:
            for path in (self._folder / name, *self._folder.glob(f"part*/{name}")):
                if os.path.lexists(path):
                    self._gone.mkdir(exist_ok=True)
                    path.rename(self._gone / str(next(self._numbers)))

    def _check(self) -> None:
        """Raises RuntimeError unless all outputs are there: who skips work is not fast."""
        steps = self._pipeline.steps
        there = sum((self._folder / path).exists() for step in steps for path in step.made)
        wanted = sum(len(step.made) for step in steps)
        if there != wanted:
            raise RuntimeError(f"{self.tool.name} left {there} of {wanted} outputs")


SCENARIOS: dict[str, Callable[[Site, int], Sample]] = {
    "cold": lambda site, jobs: site.cold(1),
    "cold, parallel": lambda site, jobs: site.cold(jobs),
    "nothing": lambda site, jobs: site.nothing(),
    "one source": lambda site, jobs: site.one_source(),
    "one param": lambda site, jobs: site.one_param(),
    "touched": lambda site, jobs: site.touched(),
    "restore": lambda site, jobs: site.restore(),
    "status": lambda site, jobs: site.status(),
    "experiment": lambda site, jobs: site.experiment(),
    "help": lambda site, jobs: site.help(),
}
"""Name → what is measured, in the order in which it is."""


def pipeline_cases(
    tools: Sequence[Tool],
    pipeline: Pipeline,
    top: Path,
    launcher: Launcher,
    *,
    scenarios: Sequence[str],
    jobs: int,
) -> list[Case]:
    """Every tool in every scenario, the tools in turn. Raises ValueError for a scenario that does not exist."""
    if wrong := set(scenarios) - set(SCENARIOS):
        raise ValueError(f"no such scenario: {', '.join(wrong)}; there are {', '.join(SCENARIOS)}")
    sites = [Site(tool, top / tool.name, pipeline, launcher) for tool in tools]

    def case(name: str, site: Site) -> Case:
        size = len(pipeline.steps)
        return Case(SUITE, name, site.tool.name, size, lambda: SCENARIOS[name](site, jobs))

    return [case(name, site) for name in SCENARIOS if name in scenarios for site in sites]

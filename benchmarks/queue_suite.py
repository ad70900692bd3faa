"""The queue: queueing ten experiments, running ten tiny ones two at a time, looking at a thousand tasks.

DVC's workers are processes of their own that may stay when their command is killed; so every process that carries
the mark of this harness in its environment is ended in the end, by its id.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
from collections.abc import Callable
from pathlib import Path

from tests.sandbox import Sandbox, dvc_sandbox, exp_command, installed_dvc

from benchmarks.measure import Cannot, Case, Launcher, Sample

PIPELINE = """\
stages:
  train:
    cmd: echo ${a} > model.txt
    params: [a]
    outs: [model.txt]
  evaluate:
    cmd: cat model.txt > metrics.json
    deps: [model.txt]
    metrics:
    - metrics.json:
        cache: false
"""
MARK = "REDOIT_BENCHMARK"


class Site:
    """A project of two tiny stages, and the tool whose queue is used."""

    def __init__(
        self,
        folder: Path,
        run: list[str],
        queue: list[str],
        launcher: Launcher,
        limit: float,
    ) -> None:
        self._project: Sandbox = dvc_sandbox(folder, folder.with_name(folder.name + "-home"))
        self._project.write("dvc.yaml", PIPELINE)
        self._project.write("params.yaml", "a: 0\n")
        self._project.write(".gitignore", "/model.txt\n")
        self._project.commit("pipeline")
        self._run_command, self._queue_command = run, queue
        self._launcher, self._limit = launcher, limit
        self._token = secrets.token_hex(8)
        self._env = {**self._project.env, MARK: self._token}
        # DVC's workers look for it there.
        self._env["PATH"] = str(Path(run[0]).parent) + os.pathsep + self._env["PATH"]
        self._next = 1
        self._many = 0

    def _run(self, command: list[str], *words: str) -> Sample:
        try:
            return self._launcher.run(
                [*command, *words], self._project.root, self._env, self._limit
            )
        except Cannot:
            # It was killed, and left workers and locks.
            self.end()
            for name in ("lock", "rwlock", "rwlock.lock"):
                (self._project.root / ".dvc" / "tmp" / name).unlink(missing_ok=True)
            raise

    def queue(self, number: int) -> Sample:
        """Queue ``number`` experiments that differ from each other and from all before."""
        start, self._next = self._next, self._next + number
        return self._run(self._run_command, "--queue", "-S", f"a=range({start},{start + number})")

    def run(self, number: int) -> Sample:
        """Run ``number`` queued experiments, two at a time."""
        self._empty()
        self.queue(number)
        return self._run(self._run_command, "--run-all", "-j", "2")

    def status(self, number: int) -> Sample:
        """Look at ``number`` queued tasks."""
        if self._many < number:
            self._empty()
            few = min(10, number)
            took = self.queue(few).seconds
            if took * number / few > self._limit:
                raise Cannot(f"queueing {few} took {took:.1f} s, so no {number:,} were queued")
            if number > few:
                self.queue(number - few)
            self._many = number
        return self._run(self._queue_command, "status")

    def _empty(self) -> None:
        self._run(self._queue_command, "remove", "--all")
        self._many = 0

    def end(self) -> None:
        """End the processes that this site's commands left behind."""
        mark = f"{MARK}={self._token}".encode()
        for entry in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if mark in entry.read_bytes().split(b"\0"):
                    os.kill(int(entry.parent.name), signal.SIGKILL)


def queue_cases(
    top: Path,
    launcher: Launcher,
    ends: contextlib.ExitStack,
    *,
    tasks: int,
    dvc: bool,
    slow_limit: float,
    exp: Path | None = None,
) -> list[Case]:
    """Queueing, running and looking; ``ends`` ends what is left of the workers."""
    ours, sites = str(exp or exp_command()), {}
    sites["redoit"] = Site(top / "queue", [ours, "run"], [ours, "queue"], launcher, 600.0)
    if dvc:
        theirs = str(installed_dvc())
        sites["dvc"] = Site(
            top / "queue-dvc", [theirs, "exp", "run"], [theirs, "queue"], launcher, slow_limit
        )
    for site in sites.values():
        ends.callback(site.end)

    def case(scenario: str, tool: str, size: int, act: Callable[[Site, int], Sample]) -> Case:
        site = sites[tool]
        return Case("queue", scenario, tool, size, lambda: act(site, size))

    rows = (
        ("queueing", min(10, tasks), Site.queue),
        ("running", min(10, tasks), Site.run),
        ("status", tasks, Site.status),
    )
    return [case(name, tool, size, act) for name, size, act in rows for tool in sites]

"""A queue of experiments worked off by several workers, of which some are killed with SIGKILL at random moments.

    python -m tests.kill.soak --experiments 200 --workers 4 --kills 30 --seed 1

In the end every experiment must be recorded exactly once and hold what it should, nothing may be left of workers, locks
and workspaces, and the user's files, edited all the while, must be as the user left them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.kill.kill import Failure
from tests.sandbox import Sandbox, dvc_sandbox, exp_command

PIPELINE = """\
stages:
  shared:
    cmd: echo start shared >> $RUNLOG; sleep 0.3; cat in.txt > shared.txt; echo end shared >> $RUNLOG
    deps: [in.txt]
    outs: [shared.txt]
  half:
    cmd: echo start half ${a} >> $RUNLOG; sleep 0.05; (cat shared.txt; echo ${a}) > half.txt; echo end half ${a} >> $RUNLOG
    deps: [shared.txt]
    params: [a]
    outs: [half.txt]
  whole:
    cmd: >-
      echo start whole ${a} ${b} >> $RUNLOG; sleep 0.5;
      echo "{\\"sum\\": $((${a} * 1000 + ${b})), \\"lines\\": $(wc -l < half.txt)}" > whole.json;
      echo end whole ${a} ${b} >> $RUNLOG
    deps: [half.txt]
    params: [a, b]
    metrics: [whole.json: {cache: false}]
"""


class Soak:
    """A project with a queue, and the one who kills its workers."""

    def __init__(self, top: Path, seed: str) -> None:
        self._random = random.Random(seed)
        self.log = top / "ran.log"
        self.log.touch()
        sandbox = dvc_sandbox(top / "repo", top / "home")
        self.project = Sandbox(sandbox.root, {**sandbox.env, "RUNLOG": str(self.log)})
        self.project.write("dvc.yaml", PIPELINE)
        self.project.write("params.yaml", "a: 0 # first\nb: 0\n")
        self.project.write("in.txt", "data\n")
        self.project.commit("soak")

    def go(self, experiments: int, workers: int, kills: int, limit: float) -> str:
        """Queue, work off, kill, and check. Raises Failure. ``limit``: seconds after which it counts as hung."""
        try:
            return self._go(experiments, workers, kills, limit)
        finally:
            for pid in self._workers():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _go(self, experiments: int, workers: int, kills: int, limit: float) -> str:
        project = self.project
        rows = max(experiments // 10, 1)
        columns = experiments // rows
        project.exp("run", "--queue", "-q", "-S", f"a=range({rows})", "-S", f"b=range({columns})")
        edits = {"notes.txt": "mine\n", "in.txt": "edited while it runs\n"}
        project.exp("queue", "start", "-q", "-j", str(workers))
        began = time.monotonic()
        left = kills
        while self._states()["success"] < rows * columns:
            for path, text in edits.items():
                project.write(path, text)
            if time.monotonic() - began > limit:
                raise Failure(f"hung:\n{project.exp('queue', 'status')}")
            if left and (known := self._status()["workers"]):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(str(self._random.choice(known)["pid"])), signal.SIGKILL)
                    left -= 1
            project.exp("queue", "start", "-q", "-j", str(workers))
            time.sleep(self._random.uniform(0, 0.3))
        if left == kills:
            raise Failure("no worker was killed: give it more experiments")
        self._check(rows, columns, kills - left, edits)
        return f"{rows * columns} experiments, {kills - left} kills: right in {time.monotonic() - began:.0f} s"

    def _status(self) -> dict[str, list[dict[str, object]]]:
        status: dict[str, list[dict[str, object]]] = json.loads(
            self.project.exp("queue", "status", "--json").stdout
        )
        return status

    def _states(self) -> Counter[object]:
        states = Counter(task["state"] for task in self._status()["tasks"])
        if states["failed"]:
            raise Failure(f"an experiment failed:\n{self.project.exp('queue', 'status')}")
        return states

    def _workers(self) -> list[int]:
        """Worker processes of this project, known to the queue or not."""
        wanted = [b"redoit.cli.worker", os.fsencode(self.project.root)]
        found = []
        for process in Path("/proc").iterdir():
            if process.name.isdigit():
                with contextlib.suppress(OSError):
                    words = (process / "cmdline").read_bytes().split(b"\0")
                    if all(word in words for word in wanted):
                        found.append(int(process.name))
        return found

    def _check(self, rows: int, columns: int, kills: int, edits: dict[str, str]) -> None:
        project = self.project
        deadline = time.monotonic() + 30
        while self._workers() and time.monotonic() < deadline:
            time.sleep(0.1)
        wrong = []
        refs = project.git("for-each-ref", "--format=%(refname)", "refs/exps").splitlines()
        found = Counter(
            tuple(json.loads(project.git("show", f"{ref}:whole.json")).values()) for ref in refs
        )
        wanted = Counter({(a * 1000 + b, 2): 1 for a in range(rows) for b in range(columns)})
        if found != wanted:
            wrong.append(f"experiments: {found - wanted} too many, {wanted - found} missing")
        ran = Counter(self.log.read_text().splitlines())
        if ran["start shared"] > 1 + kills:
            wrong.append(f"the shared stage ran {ran['start shared']} times for {kills} kills")
        half = sum(number for line, number in ran.items() if line.startswith("end half"))
        if half > rows + kills:
            wrong.append(f"'half' ran {half} times for {rows} values and {kills} kills")
        if workers := self._workers():
            wrong.append(f"workers left: {workers}")
        for place in (".dvc/tmp/exps", ".dvc/tmp/redoit/workers", ".git/worktrees"):
            folder = project.root / place
            if folder.exists() and (names := sorted(os.listdir(folder))):
                wrong.append(f"left in {place}: {names}")
        if leftover := project.git("for-each-ref", "refs/redoit"):
            wrong.append(f"refs left: {leftover}")
        for path, text in edits.items():
            if project.read(path) != text:
                wrong.append(f"{path} has changed")
        status = project.git("status", "--porcelain")
        if status != " M in.txt\n?? notes.txt":
            wrong.append(f"git status: {status!r}")
        if wrong:
            raise Failure("\n".join(wrong))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.kill.soak", description=__doc__)
    parser.add_argument("--experiments", type=int, default=200)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", default="1")
    options = parser.parse_args()
    exp_command()
    top = Path(tempfile.mkdtemp(prefix="redoit-soak-"))
    try:
        print(Soak(top, options.seed).go(options.experiments, options.workers, options.kills, 1800))
    except Failure as failure:
        print(failure, f"what is left: {top}", sep="\n")
        return 1
    shutil.rmtree(top)
    return 0


if __name__ == "__main__":
    sys.exit(main())

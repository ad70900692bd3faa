"""Kill a run with SIGKILL at a random moment; then the next run must be right and repeat nothing.

What a stage had reached when the run died is taken from a log that its command writes outside of the
project: ``start NAME`` first and ``end NAME`` last. A stage whose command had ended may still have
been on its way into the cache, and only then may it run again: a run of N jobs has at most N
stages under way, so more than that lost, or one lost whose dependent had started, is a failure.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.compat.oracle import bad_objects, cache, differences, workspace
from tests.sandbox import Result, Sandbox, exp_command, isolated_environment, run

STEP = r"""#!/bin/sh
# step NAME PAUSE DEP... -o OUT...
# Writes each OUT from the content of all DEPs, in two halves with a pause between.
name=$1 pause=$2; shift 2
echo "start $name" >> "$RUNLOG"
deps=
while [ "$1" != -o ]; do deps="$deps $1"; shift; done
shift
sum=$(for dep in $deps; do find "$dep" -type f | LC_ALL=C sort | xargs cat; done | cksum | cut -d' ' -f1)
for out; do
  case $out in
    *.dir) mkdir -p "$out/inside"
           for n in 1 2 3 4 5 6 7 8 9; do echo "$n $sum" > "$out/$n"; done
           sleep "$pause"
           for n in 1 2 3 4 5 6 7 8 9; do echo "$n $name" > "$out/inside/$n"; done;;
    *.big) head -c 3000000 /dev/zero > "$out"; sleep "$pause"; echo "$sum" >> "$out";;
    *.json) printf '{"sum": ' > "$out"; sleep "$pause"; echo "$sum}" >> "$out";;
    *) printf '%s' "$name " > "$out"; sleep "$pause"; echo "$sum" >> "$out";;
  esac
done
echo "end $name" >> "$RUNLOG"
"""

STAGES: dict[str, tuple[list[str], list[str]]] = {
    "one": (["src/one"], ["one.out"]),
    "two": (["src/two"], ["two.dir"]),
    "three": (["src/three"], ["three.big"]),
    "left": (["one.out", "two.dir"], ["left.out", "left.dir"]),
    "middle": (["two.dir/1", "src/one"], ["middle.out"]),
    "right": (["three.big"], ["right.out"]),
    "same": (["src/constant"], ["same.out"]),
    "join": (["left.out", "middle.out"], ["join.dir"]),
    "score": (["join.dir"], ["score.json"]),
    "wide": (["right.out", "same.out"], ["wide.big"]),
    "report": (["score.json", "wide.big", "left.dir"], ["report.out"]),
    "alone": (["src/two"], ["alone.out"]),
}
"""Stage → (deps, outs)."""


def dependents(name: str) -> set[str]:
    """Stages that directly read what ``name`` writes."""
    outs = STAGES[name][1]
    return {
        other
        for other, (deps, _) in STAGES.items()
        if any(dep == out or dep.startswith(f"{out}/") for dep in deps for out in outs)
    }


@dataclass(frozen=True)
class Start:
    """A project as it is before the run that is killed, and what an uninterrupted run makes of it."""

    name: str
    folder: Path
    command: tuple[str, ...]
    seconds: float
    """How long the uninterrupted run took."""
    workspace: dict[str, str]
    cache: dict[str, str]

    @property
    def jobs(self) -> int:
        return int(self.command[self.command.index("-j") + 1])


COMMANDS = (("repro", "-j", "1"), ("repro", "-j", "2"), ("run", "-j", "2"))
STARTS = ("fresh", "edited", "edited back")
WAYS = ("with its commands", "alone, commands end", "alone, next run at once")
"""Who is killed: exp and the commands it runs, or exp alone; then its commands go on as orphans."""


class Failure(AssertionError):
    """A run after a kill was not right; says how to repeat it."""


class Site:
    """A folder with all Starts, from which each trial takes a copy."""

    def __init__(self, top: Path) -> None:
        self.top = top
        tools = top / "bin"
        tools.mkdir(parents=True)
        (tools / "step").write_text(STEP)
        (tools / "step").chmod(0o755)
        (top / "home").mkdir()
        self.env = isolated_environment(top / "home")
        self.env["PATH"] = f"{tools}{os.pathsep}{self.env['PATH']}"
        self.starts = [
            self._prepare(name, command, number)
            for number, (name, command) in enumerate((n, c) for n in STARTS for c in COMMANDS)
        ]

    def exp(self, root: Path, *args: str, code: int | None = 0) -> Result:
        return Sandbox(root, self.environment(root)).exp(*args, code=code)

    def environment(self, root: Path) -> dict[str, str]:
        return {**self.env, "RUNLOG": str(log_of(root))}

    def _prepare(self, name: str, command: tuple[str, ...], number: int) -> Start:
        root = self.top / f"start-{number}"
        _make_project(root, self.env)
        if name != "fresh":
            self.exp(root, "repro")
            _edit(root)
        if name == "edited back":
            self.exp(root, "repro")
            _edit(root, back=True)
        log_of(root).unlink(missing_ok=True)
        example = self.top / f"done-{number}"
        shutil.copytree(root, example, symlinks=True)
        began = time.monotonic()
        self.exp(example, *command)
        seconds = time.monotonic() - began
        return Start(name, root, command, seconds, workspace(example), cache(example))

    def trial(self, seed: str) -> str:
        """One kill, and the run after it. Returns what happened; raises Failure."""
        rng = random.Random(seed)
        start, way = rng.choice(self.starts), rng.choice(WAYS)
        # A third of them at the end, where the lock file, the journal and the experiment are written.
        earliest = 0.7 if rng.random() < 0.33 else 0.0
        moment = rng.uniform(earliest, 1.05) * start.seconds
        place = self.top / f"trial-{seed}"
        root = place / "project"
        shutil.copytree(start.folder, root, symlinks=True)
        told = f"seed {seed}: {start.name}, exp {' '.join(start.command)}, killed {way}, after {moment:.3f} s"
        try:
            reached = self._kill(root, start, way, moment)
            told += f", {reached}"
            self._check(root, start, way)
        except AssertionError as error:
            raise Failure(f"{told}\n(its folder: {place})\n{error}") from None
        shutil.rmtree(place)
        return told

    def _kill(self, root: Path, start: Start, way: str, moment: float) -> str:
        process = subprocess.Popen(
            [str(exp_command()), *start.command],
            cwd=root,
            env=self.environment(root),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(moment)
        # Stopped first, so that it starts no command between the look and the kill.
        process.send_signal(signal.SIGSTOP)
        commands = descendants(process.pid)
        process.kill()
        if way == WAYS[0]:
            for pid in commands:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        process.wait()
        if way != WAYS[2]:
            wait_for(commands)
        started, ended = progress(root)
        return f"{len(ended)} ended, {len(started - ended)} under way"

    def _check(self, root: Path, start: Start, way: str) -> None:
        started, ended = progress(root)
        finished: set[str] = set()
        if way != WAYS[2]:  # else the commands that go on make it a moving picture
            finished = up_to_date(json.loads(self.exp(root, "status", "--json").stdout))
        log_of(root).unlink(missing_ok=True)
        second = self.exp(root, *start.command, code=None)
        assert second.code == 0, f"the next run failed\n{second}"
        again, _ = progress(root)
        assert not again & finished, (
            f"up to date in `exp status`, and run: {again & finished}\n{second}"
        )
        if way != WAYS[2]:
            lost = again & ended
            under_way = (started - ended) | lost
            assert len(under_way) <= start.jobs, (
                f"had finished, and was run again: {lost}\n{second}"
            )
        for name in again & ended:
            early = dependents(name) & started
            assert not early, (
                f"{name} was run again, though {early} had used what it wrote\n{second}"
            )
        _require_equal("workspace", workspace(root), start.workspace)
        _require_equal("cache", cache(root), start.cache)
        assert not bad_objects(root), (
            f"objects with other content than their name: {bad_objects(root)}"
        )
        log_of(root).unlink(missing_ok=True)
        third = self.exp(root, "repro")
        assert not log_of(root).exists(), f"the run after the next had something to do\n{third}"
        if start.command[0] == "run":
            self._check_experiment(root, second)

    def _check_experiment(self, root: Path, second: Result) -> None:
        refs = run(
            ["git", "for-each-ref", "--format=%(refname)", "refs/exps"], cwd=root, env=self.env
        )
        names = [line.rpartition("/")[2] for line in refs.stdout.split()]
        assert len(names) == 1, f"experiments: {names}\n{second}"
        run(["git", "fsck", "--strict"], cwd=root, env=self.env)
        locks = [path.name for path in (root / ".git").rglob("*.lock")]
        assert not locks, f"lock files left in .git: {locks}"


def _require_equal(what: str, found: dict[str, str], wanted: dict[str, str]) -> None:
    lines = differences(found, wanted)
    assert not lines, "\n".join([f"{what} is not that of an uninterrupted run", *lines])


def up_to_date(status: dict[str, list[dict[str, str]]]) -> set[str]:
    """Names of the stages that ``exp status --json`` calls up to date."""
    return {row["stage"] for row in status["stages"] if row["state"] == "up to date"}


def log_of(root: Path) -> Path:
    """Where the commands of the project at ``root`` note their starts and ends."""
    return root.with_name(f"{root.name}-ran")


def progress(root: Path) -> tuple[set[str], set[str]]:
    """(stages whose command had started, stages whose command had ended) since the log was emptied."""
    log = log_of(root)
    lines = log.read_text().splitlines() if log.exists() else []
    marks = [line.split() for line in lines]
    return {m[1] for m in marks if m[0] == "start"}, {m[1] for m in marks if m[0] == "end"}


def descendants(pid: int) -> list[int]:
    """Processes that ``pid`` has started, and theirs, as long as their parents live."""
    parents: dict[int, int] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # The name in parentheses may hold anything, also spaces and parentheses.
                fields = Path(entry.path, "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
    found, front = [], [pid]
    while front:
        front = [child for child, parent in parents.items() if parent in front]
        found += front
    return found


def wait_for(pids: Iterable[int], seconds: float = 20.0) -> None:
    """Wait until none of ``pids`` is left. Raises AssertionError after ``seconds``."""
    end = time.monotonic() + seconds
    left = list(pids)
    while left:
        left = [pid for pid in left if _alive(pid)]
        assert time.monotonic() < end, f"still there after {seconds} s: {left}"
        time.sleep(0.005)


def _alive(pid: int) -> bool:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[0] != "Z"


def _make_project(root: Path, env: dict[str, str]) -> None:
    root.mkdir(parents=True)
    stages = {}
    for number, (name, (deps, outs)) in enumerate(STAGES.items()):
        pause = 0.01 + 0.01 * (number % 4)
        stages[name] = {
            "cmd": f"step {name} {pause:.2f} {' '.join(deps)} -o {' '.join(outs)}",
            "deps": deps,
            "outs": [{out: {"cache": False}} if out.endswith(".json") else out for out in outs],
        }
    files = {
        "dvc.yaml": yaml.safe_dump({"stages": stages}, sort_keys=False),
        ".dvc/config": "",
        ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
        ".dvcignore": "",
        **{f"src/{name}": f"{name}\n" for name in ("one", "two", "three", "constant")},
    }
    for path, text in files.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text)
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "start"]):
        run(["git", *words], cwd=root, env=env)


def _edit(root: Path, *, back: bool = False) -> None:
    for name in ("one", "three"):
        (root / "src" / name).write_text(f"{name}\n" if back else f"{name} edited\n")

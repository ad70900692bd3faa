"""Random pipelines and random histories, run by ``exp repro`` and by a real DVC side by side.

    python -m tests.compat.fuzz --cases 200 --seed 1

After each run both copies of the project are compared: which stages ran and in which order, which
were restored from the run cache and which skipped, the exit code's class, every file of the
workspace (``dvc.lock``, ``.gitignore`` and ``.dvc`` files byte for byte), and every file of the cache. After
the last run ``dvc status`` must say the same of both, and each tool must find nothing to do in
what the other has left. A failing case is repeated with ``--only SEED``; ``--shrink`` makes it small.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import itertools
import os
import random
import re
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.compat import fuzz_cases, fuzz_model
from tests.compat.fuzz_cases import EDITS, Op, Run, World
from tests.compat.oracle import (
    Decisions,
    Oracle,
    bad_objects,
    cache,
    differences,
    dvc_decisions,
    oracle,
    our_decisions,
    workspace,
)
from tests.sandbox import Result, Sandbox, installed_dvc, isolated_environment, run


@dataclass(frozen=True)
class Case:
    """A seed, or what is left of it after shrinking."""

    seed: str
    steps: tuple[Op, ...]
    dropped: frozenset[str] = frozenset()
    """Entries of the first dvc.yaml that are left out."""

    @classmethod
    def of(cls, seed: str) -> Case:
        return cls(seed, tuple(fuzz_cases.history(seed)))


class Mismatch(AssertionError):
    """The two tools differ: in what, after which steps, and what both printed."""

    def __init__(self, what: str, story: Sequence[str]) -> None:
        super().__init__("\n".join([*story, "", what]))
        self.what = what


@dataclass
class Side:
    """One copy of the project and the tool that works on it."""

    name: str
    root: Path
    env: dict[str, str]
    log: Path
    executed: list[str] = field(default_factory=list)

    def commands_run(self) -> list[str]:
        """Addresses of the stages whose command was run since the last call, in order."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return lines


def check(case: Case, place: Path, dvc: Oracle) -> int:
    """Carry out one case in the folder ``place`` (made, and removed if it passes); the number of runs.

    Raises Mismatch.
    """
    story = [
        f"seed {case.seed}"
        + (f", without {', '.join(sorted(case.dropped))}" if case.dropped else "")
    ]
    model = fuzz_model.without(fuzz_cases.project(case.seed), case.dropped)
    ours, dvcs = _set_up(place, model, dvc)
    world = World(model, (ours.root, dvcs.root), place / "salt")
    runs = 0
    for op in case.steps:
        if op.kind in EDITS:
            before = world.model.copy()
            said = EDITS[op.kind][1](world, random.Random(op.seed))
            for root in world.roots:
                fuzz_model.write(root, world.model, before)
            story.append(f"  {op.kind}: {said}" if said else f"  {op.kind}")
            continue
        request = fuzz_cases.choose_run(op, world.model)
        story.append(f"  {request}")
        runs += 1
        _compare_run(request, ours, dvcs, world, dvc, story)
        world.past.append((world.model.copy(), fuzz_cases.locks(ours.root, world.model)))
    _compare_end(ours, dvcs, world, dvc, story)
    _make_removable(place)
    shutil.rmtree(place)
    return runs


def _set_up(place: Path, model: fuzz_model.Model, dvc: Oracle) -> tuple[Side, Side]:
    """Two equal projects; what ``dvc add`` does is done once, before they are copied."""
    place.mkdir(parents=True)
    tools = place / "bin"
    tools.mkdir()
    (tools / "mk").write_text(fuzz_model.MK)
    (tools / "mk").chmod(0o755)
    (place / "salt").write_text("salt\n")
    sides = []
    for name in ("ours", "dvcs"):
        env = isolated_environment(place / f"home-{name}")
        env["PATH"] = f"{tools}{os.pathsep}{env['PATH']}"
        env["SALT"] = str(place / "salt")
        env["RUNLOG"] = str(place / f"ran-{name}")
        Path(env["HOME"]).mkdir()
        sides.append(Side(name, place / name, env, Path(env["RUNLOG"])))
    ours, dvcs = sides
    root = dvcs.root
    root.mkdir()
    run(["git", "init", "-q", "-b", "main"], cwd=root, env=dvcs.env)
    for path, text in {
        ".dvc/config": model.config,
        ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
        ".dvcignore": "",
    }.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text)
    fuzz_model.write(root, dataclasses.replace(model.copy(), stages=[]))
    for path in model.data:
        dvc("add", "-q", path, cwd=root, env=dvcs.env)
    fuzz_model.write(root, model, dataclasses.replace(model.copy(), stages=[]))
    shutil.rmtree(root / ".dvc/tmp", ignore_errors=True)
    shutil.copytree(root, ours.root, symlinks=True)
    if "symlink" in model.config:
        # Links into the cache must lead into each copy's own.
        for link in ours.root.rglob("*"):
            if link.is_symlink():
                target = str(link.readlink()).replace(str(dvcs.root), str(ours.root))
                link.unlink()
                link.symlink_to(target)
    return ours, dvcs


def _compare_run(
    request: Run, ours: Side, dvcs: Side, world: World, dvc: Oracle, story: list[str]
) -> None:
    theirs = dvc("repro", *request.args, cwd=dvcs.root / request.cwd, env=dvcs.env, code=None)
    # Side by side, a stage may finish after another has failed, and may look for an object before
    # an equal one is made elsewhere, so: only where none fails and no object is missing.
    world.objects_missing |= "--no-commit" in request.args
    jobs = request.jobs if theirs.code == 0 and not world.objects_missing else 1
    if jobs > 1:
        story[-1] += f"  -j {jobs}"
    words = ("repro", "-v", "-j", str(jobs), *request.args)
    here = Sandbox(ours.root, ours.env).exp(*words, cwd=request.cwd, code=None)
    if request.dry and _cannot_foresee(here, theirs):
        return
    _require_class(here, theirs, story)
    order, their_order = ours.commands_run(), dvcs.commands_run()
    if jobs > 1:
        order, their_order = sorted(order), sorted(their_order)
    if order != their_order:
        raise Mismatch(f"commands run: ours {order}, DVC's {their_order}\n{here}\n{theirs}", story)
    mine, other = our_decisions(here), dvc_decisions(theirs).seen_from(request.cwd)
    if request.dry:
        # Without having run what comes before, DVC looks into the run cache with digests of old;
        # of frozen stages it says nothing.
        frozen = [a for stage in world.model.stages if stage.frozen for a in stage.addresses()]
        mine, other = mine.without_restored(frozen).merged(), other.merged()
    for kind in (known.name for known in dataclasses.fields(Decisions)):
        a, b = sorted(set(getattr(mine, kind))), sorted(set(getattr(other, kind)))
        if a != b:
            raise Mismatch(f"{kind}: ours {a}, DVC's {b}\n{here}\n{theirs}", story)
    if theirs.code:
        _level_failure(ours, dvcs, world, theirs)
    # Links share their files' modes with the cache, where DVC takes away the executable's now and then.
    modes = "link" not in world.model.config
    trees = [workspace(side.root, modes=modes) for side in (ours, dvcs)]
    caches = [cache(side.root, modes=modes) for side in (ours, dvcs)]
    world.were_frozen.update(
        a for stage in world.model.stages if stage.frozen for a in stage.addresses()
    )
    caches = [_without_runs_of(world.were_frozen, each) for each in caches]
    _require_equal("workspace", *trees, story, here, theirs)
    _require_equal("cache", *caches, story, here, theirs)


def _without_runs_of(addresses: Iterable[str], found: dict[str, str]) -> dict[str, str]:
    """A cache without run-cache entries of these stages: DVC makes them of outs that were edited by hand."""
    marks = [f"mk '{address}'" for address in addresses]
    return {
        name: text for name, text in found.items() if not any(m in name or m in text for m in marks)
    }


def _cannot_foresee(here: Result, theirs: Result) -> bool:
    """A dry run of DVC asks for the run cache's key before it has what the stage would read."""
    return here.code == 0 and "No such file or directory" in theirs.stderr


def _level_failure(ours: Side, dvcs: Side, world: World, theirs: Result) -> None:
    """Bring both copies to one state where, after a failure, DVC leaves less than we do.

    It deletes the outs of a stage before it finds that a dep or a param is missing, and takes back
    what it has added to ``.gitignore`` even for the stages that were done.
    """
    failed = set(re.findall(r"'([^' ]+)'", theirs.stderr.rpartition("failed to reproduce")[2]))
    for stage in world.model.stages:
        for address, (_, values) in zip(stage.addresses(), stage.members(), strict=True):
            for out in stage.outs:
                path = out.path.format(**values)
                if address in failed and not (dvcs.root / path).exists():
                    fuzz_cases.remove(ours.root / path)
    for path in ours.root.rglob(".gitignore"):
        other = dvcs.root / path.relative_to(ours.root)
        lines = set(other.read_text().splitlines()) if other.exists() else set()
        if lines <= set(path.read_text().splitlines()) and ".dvc" not in path.parts:
            shutil.copyfile(path, other)


def _require_class(here: Result, theirs: Result, story: Sequence[str]) -> None:
    if (here.code == 0) != (theirs.code == 0):
        raise Mismatch(
            f"exit codes: ours {here.code}, DVC's {theirs.code}\n{here}\n{theirs}", story
        )
    if "this is a bug" in here.stderr:
        raise Mismatch(f"a bug of ours\n{here}", story)


def _require_equal(
    what: str, mine: dict[str, str], other: dict[str, str], story: Sequence[str], *results: Result
) -> None:
    if lines := differences(mine, other):
        raise Mismatch("\n".join([f"{what} differs", *lines, *map(str, results)]), story)


def _compare_end(ours: Side, dvcs: Side, world: World, dvc: Oracle, story: list[str]) -> None:
    """What each tool says of what the other has left."""
    if bad := bad_objects(ours.root):
        raise Mismatch(f"objects whose content is not their name: {bad}", story)
    status = {
        side.name: dvc("status", cwd=side.root, env=side.env, code=None) for side in (ours, dvcs)
    }
    if status["ours"].stdout != status["dvcs"].stdout:
        raise Mismatch(f"dvc status: ours\n{status['ours']}DVC's\n{status['dvcs']}", story)
    here = Sandbox(dvcs.root, dvcs.env).exp("repro", "-v", "-P", "--dry", code=None)
    theirs = dvc("repro", "-P", "--dry", cwd=ours.root, env=ours.env, code=None)
    if _cannot_foresee(here, theirs):
        return
    _require_class(here, theirs, story)
    mine, other = our_decisions(here).merged(), dvc_decisions(theirs).merged()
    if mine != other:
        raise Mismatch(
            f"of the other's project: we say {mine}, DVC says {other}\n{here}\n{theirs}", story
        )
    everything_ran = "up to date" in status["dvcs"].stdout
    if everything_ran and (other.executed or other.restored):
        raise Mismatch(f"up to date, but dvc repro would run {other}", story)


def _make_removable(place: Path) -> None:
    for folder, folders, _ in os.walk(place):
        for name in folders:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755)


# Shrinking


def shrink(case: Case, place: Path, dvc: Oracle) -> Case:
    """A smaller case that still fails, by leaving out steps and stages one after the other."""
    numbers = itertools.count()

    def fails(smaller: Case) -> bool:
        try:
            check(smaller, place / f"shrink{next(numbers)}", dvc)
        except Mismatch:
            return True
        except Exception:  # noqa: BLE001 (a case that cannot be set up is no smaller case)
            return False
        return False

    best, again = case, True
    while again:
        again = False
        for smaller in _smaller(best):
            if fails(smaller):
                best, again = smaller, True
                break
    return best


def _smaller(case: Case) -> Iterable[Case]:
    for size in (8, 4, 2, 1):
        for start in range(0, len(case.steps), size):
            steps = case.steps[:start] + case.steps[start + size :]
            if steps != case.steps and any(op.kind not in EDITS for op in steps):
                yield dataclasses.replace(case, steps=steps)
    for stage in fuzz_cases.project(case.seed).stages:
        if stage.name not in case.dropped:
            yield dataclasses.replace(case, dropped=case.dropped | {stage.name})


# The command


def _worker(
    seeds: Sequence[str], top: Path, shrinking: bool, deadline: float
) -> list[tuple[str, int, str]]:
    """(seed, runs, failure's text) of each case that was carried out."""
    done = []
    with oracle(installed_dvc()) as dvc:
        for seed in seeds:
            if time.monotonic() > deadline:
                break
            case = Case.of(seed)
            runs, failure = 0, ""
            try:
                runs = check(case, top / seed, dvc)
            except Mismatch as mismatch:
                failure = str(mismatch)
                if shrinking:
                    failure = _shrunk(case, top / f"{seed}-small", dvc)
            except Exception:  # noqa: BLE001 (told with its seed; the other cases go on)
                failure = f"seed {seed}\n{traceback.format_exc()}"
            done.append((seed, runs, failure))
            print(failure or f"{seed}: {runs} runs, equal", flush=True)
    return done


def _shrunk(case: Case, place: Path, dvc: Oracle) -> str:
    small = shrink(case, place, dvc)
    shutil.rmtree(place, ignore_errors=True)
    try:
        check(small, place, dvc)
    except Mismatch as mismatch:
        return f"{mismatch}\n(shrunk; its folder: {place})"
    return f"seed {case.seed}: it did not fail again"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.compat.fuzz", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1, help="of the first case; the others follow")
    parser.add_argument("--only", action="append", help="one seed of a case, as printed")
    parser.add_argument("--shrink", action="store_true", help="make each failing case small")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--minutes", type=float, default=600.0, help="stop after about so long")
    options = parser.parse_args()
    seeds = options.only or [str(options.seed + number) for number in range(options.cases)]
    top = Path(tempfile.mkdtemp(prefix="redoit-fuzz-"))
    began = time.monotonic()
    installed_dvc()
    jobs = min(options.jobs, len(seeds))
    deadline = began + options.minutes * 60
    with concurrent.futures.ProcessPoolExecutor(jobs) as pool:
        parts = [
            pool.submit(_worker, seeds[start::jobs], top, options.shrink, deadline)
            for start in range(jobs)
        ]
        done = [row for part in parts for row in part.result()]
    failed = [seed for seed, _, failure in done if failure]
    runs = sum(number for _, number, _ in done)
    print(
        f"{len(done)} cases, {runs} runs in {time.monotonic() - began:.0f} s: "
        f"{len(done) - len(failed)} equal, {len(failed)} not {' '.join(failed)}"
    )
    if failed:
        print(f"what is left of them: {top}")
    else:
        shutil.rmtree(top, ignore_errors=True)
    return int(bool(failed) or len(done) < len(seeds))


if __name__ == "__main__":
    sys.exit(main())

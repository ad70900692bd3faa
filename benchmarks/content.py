"""Measure content: a directory of many files and one large file, as outputs of a stage.

    python -m benchmarks.content
    python -m benchmarks.content --files 2000 --mib 100 --dvc

``commit`` is a run whose command makes the output by renaming what lies ready, so that what is left is the
tool's own work: digests, the cache, links. ``check`` is a run with nothing to do, ``checkout`` one
that brings the deleted output back from the cache. ``cp`` is the system's, of the same content.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.sandbox import exp_command, installed_dvc, isolated_environment

from benchmarks.make_pipeline import write_dvc

PIPELINE = """\
stages:
  make:
    cmd: cat version > /dev/null && mv ready made
    deps: [version]
    outs: [made]
"""


def make_directory(place: Path, files: int) -> None:
    """``files`` files of 1 to 4 KiB in folders of 200, random but equal for equal numbers."""
    rng = random.Random(files)
    for number in range(files):
        folder = place / f"{number // 200}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.bin").write_bytes(rng.randbytes(rng.randint(1024, 4096)))


def make_file(place: Path, mib: int) -> None:
    """One file of ``mib`` MiB."""
    rng = random.Random(mib)
    block = rng.randbytes(1 << 20)
    with place.open("wb") as file:
        for number in range(mib):
            file.write(number.to_bytes(8, "big") + block[8:])


class Site:
    """A project with one stage, and a tool that runs it."""

    def __init__(
        self, folder: Path, content: Path, command: Sequence[str], *, native: bool
    ) -> None:
        self._root, self._content, self._command = folder, content, command
        home = folder.with_name(folder.name + "-home")
        home.mkdir(parents=True)
        folder.mkdir()
        self._env = isolated_environment(home)
        write_dvc(folder, [], native=native)
        (folder / "dvc.yaml").write_text(PIPELINE)
        (folder / ".gitignore").write_text("/made\n/ready\n")
        self._version = 0

    def _run(self) -> float:
        began = time.perf_counter()
        done = subprocess.run(
            self._command,
            cwd=self._root,
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - began
        if done.returncode:
            raise RuntimeError(f"{self._command} failed:\n{done.stdout}{done.stderr}")
        return seconds

    def commit(self) -> float:
        self._version += 1
        (self._root / "version").write_text(f"{self._version}\n")
        for name in ("made", "ready", ".dvc/cache"):
            remove(self._root / name)
        copy(self._content, self._root / "ready")
        return self._run()

    def check(self) -> float:
        return self._run()

    def checkout(self) -> float:
        remove(self._root / "made")
        seconds = self._run()
        if not (self._root / "made").exists():
            raise RuntimeError(f"{self._command} did not bring the output back")
        return seconds


class Copies:
    """The system's ``cp``, for comparison."""

    def __init__(self, folder: Path, content: Path) -> None:
        self._content, self._target = content, folder

    def commit(self) -> float:
        remove(self._target)
        began = time.perf_counter()
        copy(self._content, self._target)
        return time.perf_counter() - began


def copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-r", str(source), str(target)], check=True)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        subprocess.run(["rm", "-rf", str(path)], check=True)
    else:
        path.unlink(missing_ok=True)


def measure(sites: dict[str, Site | Copies], repeat: int) -> list[str]:
    """A line per action and tool: the median of its seconds."""
    found: dict[tuple[str, str], list[float]] = {}
    for _ in range(repeat):
        for action in ("commit", "check", "checkout"):
            for name, site in sites.items():
                act: Callable[[], float] | None = getattr(site, action, None)
                if act is not None:
                    found.setdefault((action, name), []).append(act())
    base = statistics.median(found[("commit", "cp")])
    return [
        f"{action:9} {name:16} {statistics.median(values):8.3f} s {statistics.median(values) / base:7.2f} × cp"
        for (action, name), values in found.items()
    ]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.content",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--dvc", action="store_true")
    options = parser.parse_args()
    top = Path(tempfile.mkdtemp(prefix="redoit-content-", dir=os.environ.get("TMPDIR")))
    exp = [str(exp_command()), "repro", "-q"]
    try:
        for title, make, size in (
            (f"a directory of {options.files:,} files", make_directory, options.files),
            (f"one file of {options.mib:,} MiB", make_file, options.mib),
        ):
            content = top / make.__name__
            make(content, size)
            sites: dict[str, Site | Copies] = {
                "cp": Copies(top / "copy", content),
                "exp, xxh128": Site(top / f"{make.__name__}-xxh", content, exp, native=True),
                "exp, md5": Site(top / f"{make.__name__}-md5", content, exp, native=False),
            }
            if options.dvc:
                dvc = [str(installed_dvc()), "repro", "-q"]
                sites["dvc"] = Site(top / f"{make.__name__}-dvc", content, dvc, native=False)
            print("\n".join([title, *measure(sites, options.repeat)]), flush=True)
            for path in top.iterdir():
                remove(path)
    finally:
        shutil.rmtree(top, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

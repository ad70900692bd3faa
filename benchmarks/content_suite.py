"""Content: a directory of many files and one large file, as outputs of a stage.

``commit`` is a run whose command makes the output by renaming what lies ready, so that what is left is the
tool's own work: digests, the cache, links. ``check`` is a run with nothing to do, ``checkout`` one
that brings the deleted output back from the cache. ``cp`` is the system's, of the same content.
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.sandbox import exp_command, installed_dvc, isolated_environment

from benchmarks.measure import Cannot, Case, Launcher, Sample
from benchmarks.writers import make_project

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
        self,
        folder: Path,
        content: Path,
        command: Sequence[str],
        launcher: Launcher,
        *,
        native: bool,
        limit: float,
    ) -> None:
        self._root, self._content, self._command = folder, content, command
        self._launcher, self._limit = launcher, limit
        home = folder.with_name(folder.name + "-home")
        home.mkdir(parents=True)
        folder.mkdir()
        self._env = isolated_environment(home)
        (folder / "dvc.yaml").write_text(PIPELINE)
        (folder / ".gitignore").write_text("/made\n/ready\n")
        (folder / "version").write_text("0\n")
        make_project(folder, native=native)
        self._version = 0
        self._is_made = False

    def _run(self) -> Sample:
        return self._launcher.run(self._command, self._root, self._env, self._limit)

    def commit(self) -> Sample:
        self._version += 1
        (self._root / "version").write_text(f"{self._version}\n")
        for name in ("made", "ready", ".dvc/cache"):
            remove(self._root / name)
        copy(self._content, self._root / "ready")
        self._is_made = False
        sample = self._run()
        self._is_made = True
        return sample

    def check(self) -> Sample:
        self._need()
        return self._run()

    def checkout(self) -> Sample:
        self._need()
        remove(self._root / "made")
        sample = self._run()
        if not (self._root / "made").exists():
            raise RuntimeError(f"{self._command} did not bring the output back")
        return sample

    def _need(self) -> None:
        if not self._is_made:
            raise Cannot("the commit did not finish")


class Copies:
    """The system's ``cp``, for comparison."""

    def __init__(self, folder: Path, content: Path, launcher: Launcher) -> None:
        self._content, self._target, self._launcher = content, folder, launcher

    def commit(self) -> Sample:
        remove(self._target)
        command = ["cp", "-r", str(self._content), str(self._target)]
        return self._launcher.run(command, self._target.parent, {}, 600)


def copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-r", str(source), str(target)], check=True)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        subprocess.run(["rm", "-rf", str(path)], check=True)
    else:
        path.unlink(missing_ok=True)


def content_cases(
    top: Path,
    launcher: Launcher,
    *,
    files: int,
    mib: int,
    dvc: bool,
    slow_limit: float,
    exp: Path | None = None,
) -> list[Case]:
    """Every action on a directory of ``files`` files and on a file of ``mib`` MiB."""
    ours = [str(exp or exp_command()), "repro", "-q"]
    cases = []
    kinds: tuple[tuple[str, Callable[[Path, int], None], int], ...] = (
        ("directory", make_directory, files),
        ("file", make_file, mib),
    )
    for kind, make, size in kinds:
        if not size:
            continue
        content = top / f"{kind}-content"
        make(content, size)

        def site(
            name: str, command: Sequence[str], native: bool, limit: float, *, beside: Path = content
        ) -> Site:
            folder = beside.with_name(f"{beside.name}-{name}")
            return Site(folder, beside, command, launcher, native=native, limit=limit)

        sites: dict[str, Site | Copies] = {
            "cp": Copies(top / f"{kind}-copy", content, launcher),
            "redoit, xxh128": site("xxh", ours, True, 600),
            "redoit, md5": site("md5", ours, False, 600),
        }
        if dvc:
            theirs = [str(installed_dvc()), "repro", "-q"]
            sites["dvc"] = site("dvc", theirs, False, slow_limit)
        for action in ("commit", "check", "checkout"):
            for tool, place in sites.items():
                take: Callable[[], Sample] | None = getattr(place, action, None)
                if take is not None:
                    cases.append(Case("content", f"{kind}: {action}", tool, size, take))
    return cases

"""Content: a directory of many files and one large file, put under `.dvc` files.

``add`` puts it into an empty cache, ``check`` looks whether it is as recorded, ``checkout`` brings it back
after it has gone; ``one more`` adds the directory again with one more file in it. ``in a run``: the content is the
output of a stage, whose command makes it by renaming what lies ready. ``cp`` is the system's, of the same content.

Nothing of many files is deleted while it is measured: ext4 is slow to give the inodes of files that were
deleted in the last minutes to new ones, and whoever comes next would be charged for that. For the same reason all that
was written before is on disk when the clock starts.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

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


_MANY = 500
"""Files whose removal would slow down what comes next."""


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


class Attic:
    """Owns a folder for what is no longer wanted; it goes with all that is measured."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()
        folder.mkdir()

    def take(self, path: Path) -> None:
        """Make ``path`` go; missing is fine. What has few files goes at once: kept, large ones would fill the disk."""
        if not path.is_dir() or path.is_symlink():
            path.unlink(missing_ok=True)
        elif sum(len(names) for _, _, names in os.walk(path)) > _MANY:
            path.rename(self._folder / f"{next(self._numbers)}")
        else:
            shutil.rmtree(path)


class Place(NamedTuple):
    """Where a tool is measured, and on what. ``content`` lies on the same file system as ``folder``."""

    folder: Path
    content: Path
    launcher: Launcher
    attic: Attic
    limit: float


class Tool(NamedTuple):
    """The words of a tool for each action."""

    add: Sequence[str]
    check: Sequence[str]
    checkout: Sequence[str]
    run: Sequence[str]
    native: bool = False


def _ours(exp: Path, *, native: bool) -> Tool:
    words = [[*name.split(), "-q"] for name in ("data add made", "data checkout", "repro")]
    add, checkout, run = ([str(exp), *each] for each in words)
    return Tool(add, [str(exp), "data", "status"], checkout, run, native)


def _dvc() -> Tool:
    dvc = str(installed_dvc())
    return Tool(
        [dvc, "add", "-q", "made"],
        [dvc, "data", "status"],
        [dvc, "checkout", "-q"],
        [dvc, "repro", "-q"],
    )


class Site:
    """A project of one tool."""

    def __init__(self, place: Place, tool: Tool) -> None:
        self._root, self._content, self._launcher, self._attic, self._limit = place
        self._tool = tool
        home = self._root.with_name(self._root.name + "-home")
        home.mkdir(parents=True)
        self._root.mkdir()
        self._env = isolated_environment(home)
        (self._root / ".gitignore").write_text("/made\n/ready\n")
        (self._root / "version").write_text("0\n")
        make_project(self._root, native=tool.native)
        self._made = self._root / "made"
        self._rounds = 0
        self._is_made = False

    def add(self) -> Sample:
        self._empty()
        copy(self._content, self._made)
        sample = self._run(self._tool.add)
        self._is_made = True
        return sample

    def check(self) -> Sample:
        self._need()
        return self._run(self._tool.check)

    def one_more(self) -> Sample:
        self._need()
        (self._made / "0" / f"more-{self._rounds}").write_text(f"{self._rounds}\n")
        return self._run(self._tool.add)

    def checkout(self) -> Sample:
        self._need()
        self._attic.take(self._made)
        sample = self._run(self._tool.checkout)
        if not self._made.exists():
            raise RuntimeError(f"{self._tool.checkout} did not bring the content back")
        return sample

    def in_a_run(self) -> Sample:
        self._empty()
        (self._root / "dvc.yaml").write_text(PIPELINE)
        copy(self._content, self._root / "ready")
        (self._root / "version").write_text(f"{self._rounds}\n")
        return self._run(self._tool.run)

    def _empty(self) -> None:
        self._rounds += 1
        for name in ("made", "made.dvc", "ready", "dvc.yaml", "dvc.lock", ".dvc/cache", ".dvc/tmp"):
            self._attic.take(self._root / name)
        self._is_made = False

    def _run(self, command: Sequence[str]) -> Sample:
        os.sync()
        return self._launcher.run(command, self._root, self._env, self._limit)

    def _need(self) -> None:
        if not self._is_made:
            raise Cannot("adding it did not finish")


class Copies:
    """The system's ``cp``, for comparison."""

    def __init__(self, place: Place) -> None:
        self._target, self._content, self._launcher, self._attic, self._limit = place

    def add(self) -> Sample:
        self._attic.take(self._target)
        command = ["cp", "-r", str(self._content), str(self._target)]
        os.sync()
        return self._launcher.run(command, self._target.parent, {}, self._limit)

    checkout = in_a_run = add


def copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-r", str(source), str(target)], check=True)


_LONG = 600.0
"""Seconds that `cp` and Redoit may take."""


def content_cases(
    top: Path,
    launcher: Launcher,
    *,
    files: int,
    mib: int,
    dvc: bool,
    slow_limit: float,
    exp: Path | None = None,
    suite: str = "content",
) -> list[Case]:
    """Every action on a directory of ``files`` files and on a file of ``mib`` MiB, on the file system of ``top``."""
    ours = exp or Path(exp_command())
    attic = Attic(top / "attic")
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

        def place(name: str, limit: float = _LONG, *, beside: Path = content) -> Place:
            folder = beside.with_name(f"{beside.name}-{name}")
            return Place(folder, beside, launcher, attic, limit)

        sites: dict[str, Site | Copies] = {
            "cp": Copies(place("cp")),
            "redoit, xxh128": Site(place("xxh"), _ours(ours, native=True)),
            "redoit, md5": Site(place("md5"), _ours(ours, native=False)),
        }
        if dvc:
            sites["dvc"] = Site(place("dvc", slow_limit), _dvc())
        for action in ("add", "check", "one more", "checkout", "in a run"):
            if (kind, action) == ("file", "one more"):
                continue
            for tool, site in sites.items():
                take: Callable[[], Sample] | None = getattr(site, action.replace(" ", "_"), None)
                if take is not None:
                    cases.append(Case(suite, f"{kind}: {action}", tool, size, take))
    return cases

"""The tools that are compared: how each is installed, asked and made to forget."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.sandbox import DVC_VERSION, exp_command, installed_dvc, peer_environment

from benchmarks import writers
from benchmarks.pipelines import Pipeline

NINJA, DOIT, SNAKEMAKE = "1.13.0", "0.37.0", "9.27.1"
NAMES = ("redoit", "doit", "dvc", "snakemake", "ninja", "make")
FAST = ("redoit", "doit", "ninja", "make")
"""Those that are measured at 10,000 stages too."""
LARGE = ("redoit", "doit", "ninja")
"""Those that are measured at 100,000 stages."""

Words = list[str]


class Tool(NamedTuple):
    """What brings a pipeline up to date. None: it has no such command."""

    name: str
    version: str
    write: Callable[[Path, Pipeline], None]
    build: Words
    jobs: Callable[[int], Words] | None
    """Options for so many jobs; None: it can only run one stage at a time."""
    help: Words
    status: Words | None = None
    status_codes: tuple[int, ...] = (0,)
    experiment: Words | None = None
    """Run and record."""
    traces: tuple[str, ...] = ()
    """What to delete, with the outputs, to be as if it never ran."""
    cache: str | None = None
    """What to delete, with the outputs, to be as after a fresh clone whose cache is full; None: it keeps no outputs."""
    limit: float = 600.0
    """Seconds after which a measurement is given up."""
    environ: Mapping[str, str] = {}


def make_tools(
    names: Sequence[str], *, exp: Path | None = None, native: bool = False, slow_limit: float = 60.0
) -> list[Tool]:
    """The tools of these names; peers are installed on first use. ``slow_limit`` is that of DVC and Snakemake.

    Raises ValueError for a name that does not exist, and AssertionError for what cannot be installed.
    """
    if wrong := set(names) - set(NAMES):
        raise ValueError(f"no such tool: {', '.join(sorted(wrong))}; there are {', '.join(NAMES)}")
    makers: dict[str, Callable[[], Tool]] = {
        "redoit": lambda: redoit(exp or exp_command(), native=native),
        "doit": _doit,
        "dvc": lambda: _dvc(slow_limit),
        "snakemake": lambda: _snakemake(slow_limit),
        "ninja": _ninja,
        "make": _make,
    }
    return [makers[name]() for name in names]


_DVC_TRACES = ("dvc.lock", ".dvc/cache", ".dvc/tmp")


def redoit(exp: Path, *, name: str = "redoit", native: bool = False) -> Tool:
    """Redoit as the command ``exp``."""

    def write(folder: Path, pipeline: Pipeline) -> None:
        writers.write_dvc(folder, pipeline, native=native)

    return Tool(
        name,
        _version([str(exp), "--version"]),
        write,
        [str(exp), "repro", "-q", "-P"],
        lambda jobs: ["-j", str(jobs)],
        [str(exp), "--help"],
        status=[str(exp), "status"],
        experiment=[str(exp), "run", "-q", "-P"],
        traces=_DVC_TRACES,
        cache=".dvc/tmp",
    )


def _dvc(limit: float) -> Tool:
    dvc = str(installed_dvc())
    return Tool(
        "dvc",
        DVC_VERSION,
        writers.write_dvc,
        [dvc, "repro", "-q", "-P"],
        None,
        [dvc, "--help"],
        status=[dvc, "status"],
        experiment=[dvc, "exp", "run", "-q", "-P"],
        traces=_DVC_TRACES,
        cache=".dvc/tmp",
        limit=limit,
        # The workers of its queue look for it there.
        environ={"PATH": f"{Path(dvc).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"},
    )


def _peers() -> Path:
    kind = f"bench-ninja-{NINJA}-doit-{DOIT}-{_python()}"
    return peer_environment(kind, [f"ninja=={NINJA}", f"doit=={DOIT}"])


def _doit() -> Tool:
    doit = str(_peers() / "doit")
    return Tool(
        "doit",
        DOIT,
        writers.write_doit,
        [doit, "-v0", "-r", "zero"],
        lambda jobs: ["-n", str(jobs), "-P", "thread"] if jobs > 1 else [],
        [doit, "help"],
        status=[doit, "list", "-s", "-q"],
        traces=(".doit.db", ".doit.db.db", ".doit.db.dat", ".doit.db.dir", ".doit.db.bak"),
    )


def _snakemake(limit: float) -> Tool:
    bin_folder = peer_environment(
        f"bench-snakemake-{SNAKEMAKE}-{_python()}", [f"snakemake=={SNAKEMAKE}"]
    )
    snakemake = str(bin_folder / "snakemake")
    return Tool(
        "snakemake",
        SNAKEMAKE,
        writers.write_snakemake,
        [snakemake, "--quiet", "all"],
        lambda jobs: ["-c", str(jobs)],
        [snakemake, "--help"],
        status=[snakemake, "--quiet", "all", "-n"],
        traces=(".snakemake",),
        limit=limit,
        environ={"PATH": f"{bin_folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"},
    )


def _ninja() -> Tool:
    ninja = str(_peers() / "ninja")
    return Tool(
        "ninja",
        NINJA,
        writers.write_ninja,
        [ninja, "--quiet"],
        lambda jobs: ["-j", str(jobs)],
        [ninja, "--version"],
        status=[ninja, "-n", "--quiet"],
        traces=(".ninja_log", ".ninja_deps"),
    )


def _make() -> Tool:
    make = shutil.which("gmake") or shutil.which("make")
    if make is None:
        raise AssertionError("GNU make is not installed")
    return Tool(
        "make",
        _version([make, "--version"]),
        writers.write_make,
        [make, "-s"],
        lambda jobs: ["-j", str(jobs)],
        [make, "--version"],
        status=[make, "-q"],
        status_codes=(0, 1),
    )


def _version(command: Sequence[str]) -> str:
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"\d+(?:\.\d+)+\S*", text)
    return found[0] if found else text.strip()


def _python() -> str:
    return f"py{sys.version_info.major}.{sys.version_info.minor}"

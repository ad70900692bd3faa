"""What every test above unit level needs: isolated environments, real Git projects, real commands.

Nothing here knows pytest, so that the long checks (``python -m tests.compat.fuzz``,
``python -m tests.kill``) use the same pieces as the suite.
"""

from __future__ import annotations

import atexit
import fcntl
import functools
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.preloaded import FIXED, preloaded

DVC_VERSION = "3.67.1"

_KEPT = ("PATH", "LD_LIBRARY_PATH", "TMPDIR", "SYSTEMROOT", "SSL_CERT_FILE", "PYTHONPATH")
"""Variables of the caller that a test's commands may see; everything else is set or absent."""


@dataclass(frozen=True)
class Result:
    """The end of one command: its text output and exit code."""

    args: tuple[str, ...]
    stdout: str
    stderr: str
    code: int

    def __str__(self) -> str:
        return f"$ {' '.join(self.args)}  (exit {self.code})\n{self.stdout}{self.stderr}"


def isolated_environment(home: Path) -> dict[str, str]:
    """Environment variables for commands under test: nothing of the user's own configuration."""
    env = {key: os.environ[key] for key in _KEPT if key in os.environ}
    env["PATH"] = str(Path(sys.executable).parent) + os.pathsep + env.get("PATH", os.defpath)
    env.update(
        HOME=str(home),
        XDG_CONFIG_HOME=str(home / ".config"),
        XDG_CACHE_HOME=str(home / ".cache"),
        SHELL="/bin/sh",
        LC_ALL="C.UTF-8",
        TZ="UTC",
        # Compiled modules are shared by all tests, and never lie in a project under test.
        PYTHONPYCACHEPREFIX=str(Path(tempfile.gettempdir()) / "redoit-tests-pycache"),
        GIT_CONFIG_NOSYSTEM="1",
        GIT_CONFIG_GLOBAL=os.devnull,
        GIT_AUTHOR_NAME="Ada Author",
        GIT_AUTHOR_EMAIL="ada@example.org",
        GIT_COMMITTER_NAME="Ada Author",
        GIT_COMMITTER_EMAIL="ada@example.org",
        DVC_NO_ANALYTICS="1",
        DVC_GLOBAL_CONFIG_DIR=str(home / "dvc-global"),
        DVC_SYSTEM_CONFIG_DIR=str(home / "dvc-system"),
        DVC_SITE_CACHE_DIR=str(home / "dvc-site"),
    )
    return env


def run(
    args: Sequence[str | os.PathLike[str]],
    *,
    cwd: Path,
    env: Mapping[str, str],
    code: int | None = 0,
    stdin: str = "",
    timeout: float = 300.0,
) -> Result:
    """Run a command to its end. Raises AssertionError with its output unless it exits with ``code``.

    ``code`` None accepts any exit code.
    """
    words = tuple(os.fspath(arg) for arg in args)
    done = subprocess.run(
        words,
        cwd=cwd,
        env=env,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return _accepted(Result(words, done.stdout, done.stderr, done.returncode), code)


def _accepted(result: Result, code: int | None) -> Result:
    if code is not None and result.code != code:
        raise AssertionError(f"expected exit code {code}\n{result}")
    return result


def exp_command() -> Path:
    """The ``exp`` of the environment that runs the tests. Raises AssertionError if there is none."""
    path = Path(sys.executable).parent / "exp"
    if not path.exists():
        raise AssertionError(
            f"{path} is missing: install the project first (pip install -e '.[test]')"
        )
    return path


@dataclass(frozen=True)
class Sandbox:
    """A folder ``root`` with an environment in which ``exp``, ``git`` and ``dvc`` run on it."""

    root: Path
    env: Mapping[str, str]

    def write(self, path: str, content: str | bytes) -> Path:
        """Write a file (text is dedented by nobody); folders are made as needed."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def exp(
        self, *args: str, code: int | None = 0, cwd: str = "", stdin: str = "", **env: str
    ) -> Result:
        """Run ``exp ARGS`` in ``cwd`` (relative to the root) with extra variables ``env``.

        Its process is forked from one in which all modules are loaded; ``program`` starts a new one.
        """
        words = (str(exp_command()), *args)
        if any(name.startswith(FIXED) for name in env):
            return self.command(*words, code=code, cwd=cwd, stdin=stdin, **env)
        full = {**self.env, **env}
        ended = preloaded(full).run(words, self.root / cwd, full, stdin, timeout=300)
        return _accepted(Result(words, *ended), code)

    def program(self, *args: str, code: int | None = 0) -> Result:
        """Run ``exp ARGS`` as a shell does: in a process of its own from the start."""
        return self.command(str(exp_command()), *args, code=code)

    def git(self, *args: str, code: int | None = 0, cwd: str = "") -> str:
        """Run ``git ARGS``; its standard output without the last newline."""
        return self.command("git", *args, code=code, cwd=cwd).stdout.rstrip("\n")

    def command(
        self, *args: str, code: int | None = 0, cwd: str = "", stdin: str = "", **env: str
    ) -> Result:
        """Run any command in the sandbox."""
        return run(args, cwd=self.root / cwd, env={**self.env, **env}, code=code, stdin=stdin)

    def copy(self, root: Path) -> Sandbox:
        """The same at ``root``, to be changed alone."""
        shutil.copytree(self.root, root, symlinks=True)
        return Sandbox(root.resolve(), self.env)

    def commit(self, message: str = "snapshot", *, at: int | None = None) -> str:
        """Put everything under Git; the new commit's sha.

        ``at`` (seconds since 1970) is its time, where the order of commits within a second matters.
        """
        self.git("add", "-A")
        time = {} if at is None else {"GIT_COMMITTER_DATE": f"{at} +0000"}
        self.command("git", "commit", "-q", "--allow-empty", "-m", message, **time)
        return self.git("rev-parse", "HEAD")


def git_sandbox(root: Path, home: Path) -> Sandbox:
    """An empty Git repository at ``root`` (made if missing)."""
    root.mkdir(parents=True, exist_ok=True)
    home.mkdir(parents=True, exist_ok=True)
    sandbox = Sandbox(root.resolve(), isolated_environment(home))
    sandbox.git("init", "-q", "-b", "main")
    return sandbox


def dvc_sandbox(root: Path, home: Path) -> Sandbox:
    """A Git repository with one commit: the files that ``dvc init`` makes."""
    home.mkdir(parents=True, exist_ok=True)
    shutil.copytree(_dvc_template(), root, dirs_exist_ok=True)
    return Sandbox(root.resolve(), isolated_environment(home))


@functools.cache
def _dvc_template() -> Path:
    """Such a repository to be copied, which is faster than making it."""
    top = Path(tempfile.mkdtemp(prefix="redoit-tests-"))
    atexit.register(shutil.rmtree, top, ignore_errors=True)
    sandbox = git_sandbox(top / "repo", top / "home")
    shutil.rmtree(sandbox.root / ".git/hooks", ignore_errors=True)
    sandbox.write(".dvc/config", "")
    sandbox.write(".dvc/.gitignore", "/config.local\n/tmp\n/cache\n")
    sandbox.write(".dvcignore", "")
    sandbox.commit("init", at=1_500_000_000)
    return sandbox.root


def installed_dvc() -> Path:
    """The ``dvc`` command of a real DVC in an environment of its own; made on first use.

    ``REDOIT_DVC`` names another one. Raises AssertionError with pip's output if it cannot be installed.
    """
    if named := os.environ.get("REDOIT_DVC"):
        path = Path(named)
        if not path.exists():
            raise AssertionError(f"REDOIT_DVC names {path}, which does not exist")
        return path
    kind = f"dvc-{DVC_VERSION}-py{sys.version_info.major}.{sys.version_info.minor}"
    return peer_environment(kind, [f"dvc=={DVC_VERSION}"]) / "dvc"


def peer_environment(kind: str, requirements: Sequence[str]) -> Path:
    """The ``bin`` folder of a virtual environment with ``requirements``, shared by all checkouts.

    It lies in the user's cache folder (``REDOIT_TEST_CACHE`` or ``~/.cache/redoit-tests``), is made
    under a lock and believed only when complete.
    """
    named = os.environ.get("REDOIT_TEST_CACHE")
    cache = Path(named) if named else Path.home() / ".cache" / "redoit-tests"
    cache.mkdir(parents=True, exist_ok=True)
    place = cache / kind
    complete = place / "complete"
    with (cache / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            shutil.rmtree(place, ignore_errors=True)
            venv.create(place, with_pip=True, symlinks=True)
            pip = [
                str(place / "bin" / "python"),
                "-m",
                "pip",
                "install",
                "-q",
                "--disable-pip-version-check",
            ]
            done = subprocess.run(
                [*pip, *requirements], capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise AssertionError(f"cannot install {requirements}:\n{done.stdout}{done.stderr}")
            complete.write_text("\n".join(requirements) + "\n")
    return place / "bin"

"""Fixtures for every test that runs a real command."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Protocol

import pytest

from tests.sandbox import (
    Result,
    Sandbox,
    dvc_sandbox,
    exp_command,
    git_sandbox,
    installed_dvc,
    isolated_environment,
    run,
)


class RunExp(Protocol):
    """``exp(*args, cwd=..., check=...)`` → Result; ``check`` demands exit code 0."""

    def __call__(self, *args: str, cwd: Path, check: bool = True, stdin: str = "") -> Result: ...


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """A test run in the background of a shell ignores Ctrl-C, and its commands would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def dvc_bin() -> Path:
    """The ``dvc`` of a real, pinned DVC outside of the environment under test."""
    return installed_dvc()


@pytest.fixture
def clean_env(tmp_path: Path) -> dict[str, str]:
    """Environment for commands: an own HOME, no configuration of the user's."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    return isolated_environment(home)


@pytest.fixture
def repo(tmp_path: Path) -> Sandbox:
    """An empty Git repository."""
    return git_sandbox(tmp_path / "repo", tmp_path / "home")


@pytest.fixture
def project(tmp_path: Path) -> Sandbox:
    """A Git repository that ``dvc init`` was run in, with one commit."""
    return dvc_sandbox(tmp_path / "repo", tmp_path / "home")


@pytest.fixture
def exp(clean_env: dict[str, str]) -> RunExp:
    """Runs the installed ``exp`` as a user would."""

    def call(*args: str, cwd: Path, check: bool = True, stdin: str = "") -> Result:
        return run(
            [exp_command(), *args], cwd=cwd, env=clean_env, code=0 if check else None, stdin=stdin
        )

    return call

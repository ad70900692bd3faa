"""Fixtures for every test that runs a real command."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import WorkStealingScheduling

from tests.compat.oracle import Oracle, oracle
from tests.sandbox import Sandbox, dvc_sandbox, git_sandbox, installed_dvc, isolated_environment


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> WorkStealingScheduling | None:
    """Give each process of ``-n`` tests that follow each other: what a module shares is made in one of them.

    Who has done its own takes from the others.
    """
    return WorkStealingScheduling(config, log) if config.getoption("dist") == "load" else None


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """A test run in the background of a shell ignores Ctrl-C, and its commands would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def dvc_bin() -> Path:
    """The ``dvc`` of a real, pinned DVC outside of the environment under test."""
    return installed_dvc()


@pytest.fixture(scope="session")
def dvc(dvc_bin: Path) -> Iterator[Oracle]:
    """That DVC in one process for all tests; each of its commands is a fork that leaves nothing in it."""
    with oracle(dvc_bin) as process:
        yield process


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

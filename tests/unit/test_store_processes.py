"""Slices of work spread over forked processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from redoit.errors import StoreError
from redoit.model import RepoPath
from redoit.store import processes
from redoit.store import scan as store_scan
from redoit.store.processes import FEWEST, SLICE, in_slices
from redoit.store.scan import scan

MANY = 2 * FEWEST + 1
TWO = {"processors": lambda: 2, "_can_fork": lambda: True}


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The processes that are forked during the test."""
    pids: list[int] = []
    real = os.fork

    def noted() -> int:
        pid = real()
        if pid:
            pids.append(pid)
        return pid

    monkeypatch.setattr(os, "fork", noted)
    return pids


def require_gone(pids: list[int]) -> None:
    """They have ended, and have been waited for."""
    for pid in pids:
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in TWO.items():
        monkeypatch.setattr(processes, name, value)


def squares(part: slice) -> list[tuple[int, int]]:
    return [(number * number, os.getpid()) for number in range(MANY)[part]]


def collect(act: processes.Act, count: int = MANY) -> dict[int, tuple[int, int]]:
    found: dict[int, tuple[int, int]] = {}
    for part, rows in in_slices(count, act):
        for number, row in zip(range(count)[part], rows, strict=True):
            assert number not in found
            found[number] = row
    return found


def test_all_is_done_once() -> None:
    found = collect(squares)
    assert {number: row[0] for number, row in found.items()} == {n: n * n for n in range(MANY)}


def test_a_forked_process_takes_part_and_is_gone_in_the_end(
    tmp_path: Path, forked: list[int]
) -> None:
    helped = tmp_path / "helped"

    def act(part: slice) -> list[tuple[int, int]]:
        if os.getpid() == parent:
            while not helped.exists():  # it must get its turn
                os.sched_yield()
        else:
            helped.touch()
        return squares(part)

    parent = os.getpid()
    pids = {pid for _, pid in collect(act).values()}
    assert pids == {parent, *forked}
    assert len(pids) == 2
    require_gone(forked)


def test_what_is_little_is_done_here() -> None:
    count = 2 * FEWEST - 1
    found = collect(lambda part: [(0, os.getpid()) for _ in range(count)[part]], count)
    assert {pid for _, pid in found.values()} == {os.getpid()}


def test_more_than_there_are_tickets() -> None:
    count = processes._TICKETS * SLICE + 1
    found = collect(lambda part: [(number, 0) for number in range(count)[part]], count)
    assert len(found) == count


def test_an_error_is_raised_here() -> None:
    def act(part: slice) -> list[tuple[int, int]]:
        if part.start == MANY // SLICE * SLICE:
            raise StoreError("the disk is full", hint="make room")
        return squares(part)

    with pytest.raises(StoreError, match="the disk is full"):
        collect(act)


def test_what_a_killed_process_did_is_done_again() -> None:
    def act(part: slice) -> list[tuple[int, int]]:
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return squares(part)

    parent = os.getpid()
    assert {pid for _, pid in collect(act).values()} == {parent}


def test_who_stops_listening_leaves_no_process(forked: list[int]) -> None:
    for _ in in_slices(MANY, squares):
        break
    assert forked
    require_gone(forked)


KILLED = """
    import os, signal, sys
    from redoit.store import processes
    processes.processors = lambda: 2
    parent = os.getpid()
    log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def act(part):
        if os.getpid() == parent:
            os.kill(parent, signal.SIGKILL)
        os.write(log, b"x")
        while os.getppid() == parent:
            os.sched_yield()
        return []

    list(processes.in_slices(5000, act))
"""


def test_a_killed_parent_stops_them(tmp_path: Path) -> None:
    log = tmp_path / "log"
    source, sink = os.pipe()
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(log)], check=False, pass_fds=(sink,)
    )
    os.close(sink)
    assert ended.returncode == -signal.SIGKILL
    assert os.read(source, 1) == b"", "ends when the last of them has gone"
    os.close(source)
    assert len(log.read_bytes()) <= 1, "no further slice was begun"


def test_several_processes_list_a_directory_as_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(300):
        file = tmp_path / f"d/{number % 3}/{number}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * number)
    os.symlink("../0/3", tmp_path / "d/1/symlink")
    os.link(tmp_path / "d/0/3", tmp_path / "d/2/hardlink")
    alone = scan(str(tmp_path / "d"), RepoPath("d"), None)
    asked: list[int] = []
    monkeypatch.setattr(store_scan, "FEWEST_LOOKS", 100)
    monkeypatch.setattr(processes, "_can_fork", lambda: asked.append(1) or True)
    assert scan(str(tmp_path / "d"), RepoPath("d"), None) == alone
    assert asked
    assert alone.names == sorted(alone.names) and len(alone.names) == 302
    assert alone.links == {"1/symlink", "2/hardlink", "0/3"}
    assert alone.size == sum(range(300)) + 3 + 3

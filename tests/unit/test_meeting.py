"""One of several runs that want the same stage is alone with it; nobody waits for the dead."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from redoit.engine.meeting import Meeting

HOLD = """
import sys, threading
from redoit.engine.meeting import Meeting
with Meeting(sys.argv[1], ranges=sys.argv[2] == "True").alone("key", threading.Event(), lambda: None):
    print("held", flush=True)
    sys.stdin.read()
"""


def fail() -> None:
    raise AssertionError("nobody else is there")


@pytest.fixture(params=[True, False], ids=["bytes", "files"])
def ranges(request: pytest.FixtureRequest) -> bool:
    """Whether the locks are on bytes of one file, which Linux alone has, or on files."""
    if request.param and sys.platform != "linux":
        pytest.skip("locks on bytes are Linux's")
    return bool(request.param)


@pytest.fixture
def meeting(tmp_path: Path, ranges: bool) -> Meeting:
    return Meeting(str(tmp_path / "made" / "meet"), ranges=ranges)


def test_alone_without_others(meeting: Meeting, ranges: bool, tmp_path: Path) -> None:
    for _ in range(2):
        with (
            meeting.alone("a", threading.Event(), fail) as held,
            meeting.alone("b", threading.Event(), fail) as other,
        ):
            assert held
            assert other
    # One file for all keys, or none that is left.
    assert os.listdir(tmp_path / "made") == (["meet"] if ranges else [])


def test_one_at_a_time(meeting: Meeting) -> None:
    inside: list[int] = []
    most: list[int] = []

    def enter(number: int) -> None:
        for _ in range(5):
            with meeting.alone("key", threading.Event(), lambda: None) as held:
                assert held
                inside.append(number)
                most.append(len(inside))
                inside.remove(number)

    threads = [threading.Thread(target=enter, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 20


def test_waits_and_is_told(meeting: Meeting) -> None:
    told = threading.Event()
    came: list[bool] = []

    def second() -> None:
        with meeting.alone("key", threading.Event(), told.set) as held:
            came.append(held)

    with meeting.alone("key", threading.Event(), fail):
        thread = threading.Thread(target=second)
        thread.start()
        assert told.wait(30)
        assert came == []
    thread.join(30)
    assert came == [True]


def test_an_interrupted_run_stops_waiting(meeting: Meeting) -> None:
    stopped = threading.Event()
    with (
        meeting.alone("key", threading.Event(), fail),
        meeting.alone("key", stopped, stopped.set) as held,
    ):
        assert not held


def test_nobody_waits_for_a_killed_process(tmp_path: Path, ranges: bool) -> None:
    path = str(tmp_path / "meet")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, path, str(ranges)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with Meeting(path, ranges=ranges).alone("key", threading.Event(), process.kill) as held:
            assert held

"""One of several runs that want the same stage is alone with it; nobody waits for the dead."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from redoit.engine.meeting import Meeting

HOLD = """
import sys, threading
from redoit.engine.meeting import Meeting
with Meeting(sys.argv[1]).alone("key", threading.Event(), lambda: None):
    print("held", flush=True)
    sys.stdin.read()
"""


def fail() -> None:
    raise AssertionError("nobody else is there")


def test_alone_without_others(tmp_path: Path) -> None:
    meeting = Meeting(str(tmp_path / "meet"))
    for _ in range(2):
        with (
            meeting.alone("a", threading.Event(), fail) as held,
            meeting.alone("b", threading.Event(), fail) as other,
        ):
            assert held
            assert other
    assert os.listdir(tmp_path / "meet") == []


def test_one_at_a_time(tmp_path: Path) -> None:
    meeting = Meeting(str(tmp_path))
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


def test_waits_and_is_told(tmp_path: Path) -> None:
    meeting = Meeting(str(tmp_path))
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


def test_an_interrupted_run_stops_waiting(tmp_path: Path) -> None:
    meeting = Meeting(str(tmp_path))
    stopped = threading.Event()
    with (
        meeting.alone("key", threading.Event(), fail),
        meeting.alone("key", stopped, stopped.set) as held,
    ):
        assert not held


def test_nobody_waits_for_a_killed_process(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with Meeting(str(tmp_path)).alone("key", threading.Event(), process.kill) as held:
            assert held

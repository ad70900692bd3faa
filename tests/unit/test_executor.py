"""Running commands: output by lines, endings, and nothing left behind."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from redoit.engine.executor import LONGEST_LINE, LocalProcesses, shell_prefix


def run(command: str, tmp_path, executor=None) -> tuple[int, list[bytes]]:
    lines: list[bytes] = []
    code = (executor or LocalProcesses("/bin/sh")).run(
        command, str(tmp_path), dict(os.environ), lines.append
    )
    return code, lines


@pytest.mark.parametrize(
    ("command", "code", "lines"),
    [
        ("true", 0, []),
        ("exit 3", 3, []),
        ("echo a; echo b >&2", 0, [b"a\n", b"b\n"]),
        ("printf 'a\\n\\nb'", 0, [b"a\n", b"\n", b"b\n"]),
        ("kill -9 $$", -9, []),
        ("printf x; exit 1", 1, [b"x\n"]),
    ],
)
def test_output_comes_by_lines(command, code, lines, tmp_path):
    assert run(command, tmp_path) == (code, lines)


def test_long_output_is_complete(tmp_path):
    code, lines = run("seq 1 100000", tmp_path)
    assert code == 0
    assert lines == [b"%d\n" % i for i in range(1, 100001)]


def test_output_without_line_ends_does_not_pile_up(tmp_path):
    _, lines = run(f"head -c {3 * LONGEST_LINE} /dev/zero", tmp_path)
    assert len(lines) >= 2
    assert b"".join(lines).count(b"\0") == 3 * LONGEST_LINE


def test_what_stays_in_the_background_is_not_waited_for(tmp_path):
    began = time.monotonic()
    code, lines = run("sleep 30 & echo $!", tmp_path)
    os.kill(int(lines[0]), signal.SIGKILL)
    assert code == 0
    assert time.monotonic() - began < 15


def test_stop_ends_the_command_and_all_it_started(tmp_path):
    executor = LocalProcesses("/bin/sh")
    started = threading.Event()
    lines: list[bytes] = []
    codes: list[int] = []

    def take(line: bytes) -> None:
        lines.append(line)
        started.set()

    command = "sh -c 'echo $$; sleep 60; true'; true"
    thread = threading.Thread(
        target=lambda: codes.append(executor.run(command, str(tmp_path), dict(os.environ), take))
    )
    thread.start()
    assert started.wait(30)
    executor.stop(signal.SIGTERM)
    thread.join(30)
    assert codes == [-signal.SIGTERM]
    inner = int(lines[0])
    for _ in range(300):
        if not _alive(inner):
            break
        time.sleep(0.01)
    assert not _alive(inner)


def test_after_stop_nothing_new_begins(tmp_path):
    executor = LocalProcesses("/bin/sh")
    executor.stop(signal.SIGTERM)
    assert run("touch made", tmp_path, executor)[0] == -signal.SIGTERM
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("shell", "prefix"),
    [
        ("/bin/sh", ["/bin/sh", "-c"]),
        ("/usr/bin/bash", ["/usr/bin/bash", "--noprofile", "--norc", "-c"]),
        ("/bin/zsh", ["/bin/zsh", "--no-rcs", "-c"]),
    ],
)
def test_the_shell_reads_none_of_its_files(shell, prefix):
    assert shell_prefix(shell) == prefix


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

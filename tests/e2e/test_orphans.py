"""What a killed run left running is ended by the next one; what a run that ended left running is not."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from tests.sandbox import Sandbox, exp_command


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def pid_in(path: Path) -> int:
    deadline = time.monotonic() + 60
    while not (path.exists() and path.read_text().endswith("\n")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return int(path.read_text())


def test_orphans_of_a_killed_run_are_ended(project: Sandbox, tmp_path: Path) -> None:
    first, daemon = tmp_path / "first", tmp_path / "daemon"
    project.write("dvc.yaml", (
        "stages:\n  serve:\n"
        f"    cmd: setsid sleep 300 > /dev/null 2>&1 & echo $! > {daemon}; echo > served\n    outs: [served]\n"
    ))  # fmt: skip
    project.exp("repro", "serve")
    served = pid_in(daemon)
    text = f"test -e {first} && echo new > out.txt || {{ sleep 300 & echo $! > {first}; wait; echo old > out.txt; }}"
    project.write("dvc.yaml", f"stages:\n  slow:\n    cmd: '{text}'\n    outs: [out.txt]\n")
    process = subprocess.Popen(
        [str(exp_command()), "repro", "-q"],
        cwd=project.root,
        env=dict(project.env),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    orphan = pid_in(first)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert is_alive(orphan)
    project.exp("repro")
    assert not is_alive(orphan)
    assert project.read("out.txt") == "new\n"
    assert is_alive(served), "a run that ended well may leave a server running"
    os.kill(served, signal.SIGKILL)
    assert (project.root / ".dvc/tmp/redoit/lock").read_bytes() == b""

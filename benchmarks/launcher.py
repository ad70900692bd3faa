"""A small process that starts the measured commands.

The kernel counts to a new process the memory of the one that it was forked from. So commands are started from here,
where little is loaded, and not from the harness. Reads a JSON object per line, answers with one.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from typing import Any


def launch(order: dict[str, Any]) -> dict[str, Any]:
    """Run ``order["command"]``; seconds, CPU seconds and peak MiB of it, and its exit code: None if given up."""
    with open(order["output"], "wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            order["command"],
            cwd=order["cwd"],
            env=order["env"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        given_up = not _ends_within(process.pid, order["limit"])
        if given_up:
            os.killpg(process.pid, signal.SIGKILL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    return {
        "code": None if given_up else process.returncode,
        "seconds": seconds,
        "cpu": usage.ru_utime + usage.ru_stime,
        "memory": usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10),
    }


def _ends_within(pid: int, limit: float) -> bool:
    """Wait for the process, without reaping it. A look now and then would see the end of a short command late."""
    if hasattr(os, "pidfd_open"):
        handle = os.pidfd_open(pid)
        try:
            return bool(select.select([handle], [], [], limit)[0])
        finally:
            os.close(handle)
    end = time.monotonic() + limit
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() > end:
            return False
        time.sleep(0.001)
    return True


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(launch(json.loads(line))), flush=True)

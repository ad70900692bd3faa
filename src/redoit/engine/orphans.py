"""Commands that a killed run left behind: found by a mark in their environment, and ended."""

from __future__ import annotations

import contextlib
import os
import signal

MARK = "REDOIT_RUN"
"""Variable by which the commands of a run, and all that they start, are known."""


def mark_of(root: str) -> str:
    """A new value of the mark for a run in the workspace ``root``."""
    return f"{root}:{os.getpid()}-{os.urandom(6).hex()}"


def end_commands(mark: str) -> None:
    """Kill every process of the run ``mark``, or of all runs in the workspace ``mark`` and below it.

    They would go on writing what the next run writes anew. Where there is no ``/proc``, nothing is found.
    """
    wanted = f"{MARK}={mark}".encode("utf-8", "surrogateescape")
    with contextlib.suppress(FileNotFoundError), os.scandir("/proc") as processes:
        for process in processes:
            if process.name.isdigit() and int(process.name) != os.getpid():
                with contextlib.suppress(OSError):  # it has ended, or is another user's
                    with open(f"/proc/{process.name}/environ", "rb") as file:
                        variables = file.read().split(b"\0")
                    if any(_is(variable, wanted) for variable in variables):
                        os.kill(int(process.name), signal.SIGKILL)


def _is(variable: bytes, wanted: bytes) -> bool:
    return variable.startswith(wanted) and variable[len(wanted) : len(wanted) + 1] in b":/"

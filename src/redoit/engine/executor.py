"""Running a stage's command: the seam behind which a cluster may stand one day.

``LocalProcesses`` runs it by the user's shell, in a session of its own, so that the command and all it
starts can be ended together.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from typing import Protocol

Sink = Callable[[bytes], None]
"""Takes one whole line of output, newline included."""

LONGEST_LINE = 1 << 20
"""Bytes after which output without a line end is handed over all the same."""

GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL when a run is interrupted."""

LOOK_UP = 1.0
"""Seconds after which a thread that waits looks up. Python calls the handler of a signal between two of the main thread's steps: of
one that comes between the last step and the waiting itself nothing would be noticed until the waiting is over.
"""
_LOOK_UP_MS = int(LOOK_UP * 1000)


class Executor(Protocol):
    """Runs one command at a time per calling thread."""

    def run(self, command: str, cwd: str, env: Mapping[str, str], sink: Sink | None) -> int:
        """Run ``command`` in ``cwd`` (absolute) and wait. Returns the exit code, negative for a signal.

        ``sink`` takes the output line by line; None lets the command write to our own stdout and stderr.
        Raises OSError if it cannot be started.
        """

    def stop(self, sig: int) -> None:
        """End everything that runs; ``run`` then returns. Safe in a signal handler."""


class LocalProcesses:
    """The commands running on this machine: owns their process groups."""

    def __init__(self, shell: str | None = None) -> None:
        self._prefix = shell_prefix(shell or os.environ.get("SHELL") or "/bin/sh")
        self._running: set[int] = set()
        self._stopped: int = 0

    def run(self, command: str, cwd: str, env: Mapping[str, str], sink: Sink | None) -> int:
        if self._stopped:
            return -self._stopped
        pipe = subprocess.PIPE if sink else None
        with subprocess.Popen(
            [*self._prefix, command],
            cwd=cwd,
            env=env,
            # Several commands at a time cannot share what a user types.
            stdin=subprocess.DEVNULL if sink else None,
            stdout=pipe,
            stderr=subprocess.STDOUT if sink else None,
            start_new_session=True,
        ) as process:
            self._running.add(process.pid)
            try:
                if self._stopped:
                    # The signal came between the check above and the registration.
                    _signal_group(process.pid, self._stopped)
                if sink:
                    assert process.stdout is not None
                    _drain(process, process.stdout.fileno(), sink)
                else:
                    _wait(process)
                return process.wait()
            except BaseException:
                # KeyboardInterrupt where no handler of ours is installed: take the command along.
                self.stop(signal.SIGTERM)
                raise
            finally:
                self._running.discard(process.pid)

    def stop(self, sig: int) -> None:
        self._stopped = sig
        for pid in list(self._running):
            _signal_group(pid, sig)
        if sig != signal.SIGKILL and self._running:
            timer = threading.Timer(GRACE, self._kill)
            timer.daemon = True
            timer.start()

    def _kill(self) -> None:
        for pid in list(self._running):
            _signal_group(pid, signal.SIGKILL)


def shell_prefix(shell: str) -> list[str]:
    """The words before a command line: the shell, without its start-up files, as far as it knows how."""
    name = os.path.basename(shell).lower()
    options = {"bash": ["--noprofile", "--norc"], "zsh": ["--no-rcs"]}.get(name, [])
    return [shell, *options, "-c"]


def _signal_group(pid: int, sig: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, sig)


def _drain(process: subprocess.Popen[bytes], handle: int, sink: Sink) -> None:
    """Hand over output by lines until the command has ended.

    The end of the command counts, not the end of the pipe: what it leaves running in the background
    may hold the pipe open for ever.
    """
    rest = b""
    poll = select.poll()
    poll.register(handle, select.POLLIN | select.POLLHUP)
    ended = _end_of(process.pid)
    if ended is not None:
        poll.register(ended, select.POLLIN)
    try:
        over = False
        while not over:
            ready = dict(poll.poll(_LOOK_UP_MS if ended is not None else 50))
            over = (ended in ready) if ended is not None else process.poll() is not None
            if over:
                os.set_blocking(handle, False)
            if handle in ready or over:
                rest, closed = _read_lines(handle, rest, sink, to_the_end=over)
                if closed:
                    break
    finally:
        if ended is not None:
            os.close(ended)
    if rest:
        sink(rest + b"\n")


def _wait(process: subprocess.Popen[bytes]) -> None:
    """Wait until the command has ended, where that can be done while one looks up."""
    ended = _end_of(process.pid)
    if ended is None:
        return
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    try:
        while not poll.poll(_LOOK_UP_MS):
            pass
    finally:
        os.close(ended)


def _end_of(pid: int) -> int | None:
    """A handle that becomes readable when the process ends; None where there is no such thing."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def _read_lines(handle: int, rest: bytes, sink: Sink, *, to_the_end: bool) -> tuple[bytes, bool]:
    """Read once, or all there is. Returns the unfinished last line, and whether the pipe is closed."""
    while True:
        try:
            data = os.read(handle, 65536)
        except BlockingIOError:
            return rest, False
        if not data:
            return rest, True
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            sink(line + b"\n")
        if len(rest) > LONGEST_LINE:
            sink(rest + b"\n")
            rest = b""
        if not to_the_end:
            return rest, False

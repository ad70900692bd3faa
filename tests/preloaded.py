"""``exp`` in forks of a process that has imported what it needs: what a start costs is paid once."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.exp_driver import ANSWER, LENGTH, received

DRIVER = Path(__file__).with_name("exp_driver.py")
FIXED = ("PYTHON", "LC_", "LANG", "TZ")
"""Beginnings of the variables that Python looks at when it starts."""


class Ended(NamedTuple):
    """What a command printed, and its exit code, or -N after signal N."""

    stdout: str
    stderr: str
    code: int


class Preloaded:
    """One process that forks for each command, one at a time."""

    def __init__(self, fixed: Mapping[str, str]) -> None:
        self._connection, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, str(DRIVER), str(theirs.fileno())],
                env={"PATH": os.environ.get("PATH", os.defpath), "HOME": os.devnull, **fixed},
                # Pipes, as its children's will be: Python asks once what kind they are.
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                pass_fds=[theirs.fileno()],
            )

    def run(
        self, argv: Sequence[str], cwd: Path, env: Mapping[str, str], stdin: str, timeout: float
    ) -> Ended:
        """Carry out ``argv``, which begins with ``exp``. Raises TimeoutError when it had to be killed."""
        request = json.dumps({"argv": list(argv), "cwd": str(cwd), "env": dict(env)}).encode()
        (theirs_in, feed), (out, theirs_out), (err, theirs_err) = os.pipe(), os.pipe(), os.pipe()
        streams = [theirs_in, theirs_out, theirs_err]
        socket.send_fds(self._connection, [b"+"], streams)
        for stream in streams:
            os.close(stream)
        self._connection.sendall(LENGTH.pack(len(request)) + request)
        pid = self._answer()
        try:
            _feed(feed, stdin.encode())
            stdout, stderr = _read(out, err, time.monotonic() + timeout)
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise
        finally:
            code = self._answer()
        return Ended(_text(stdout), _text(stderr), code)

    def _answer(self) -> int:
        answer = received(self._connection, ANSWER.size)
        if not answer:
            raise AssertionError(f"the driver of exp ended: {self._process.communicate()}")
        (number,) = ANSWER.unpack(answer)
        return int(number)

    def close(self) -> None:
        self._connection.close()
        self._process.communicate(timeout=30)


def preloaded(env: Mapping[str, str]) -> Preloaded:
    """The process whose children are as if they had been started with ``env``; each thread has its own."""
    fixed = {name: value for name, value in env.items() if name.startswith(FIXED)}
    return _started((os.getpid(), threading.get_ident()), tuple(sorted(fixed.items())))


@functools.cache
def _started(user: tuple[int, int], fixed: tuple[tuple[str, str], ...]) -> Preloaded:
    made = Preloaded(dict(fixed))
    atexit.register(made.close)
    return made


def _feed(stream: int, data: bytes) -> None:
    assert len(data) <= 4096, "more than every pipe holds"
    with open(stream, "wb", buffering=0) as feed, contextlib.suppress(BrokenPipeError):
        feed.write(data)


def _read(out: int, err: int, deadline: float) -> tuple[bytes, bytes]:
    """Both to their ends."""
    parts: dict[int, list[bytes]] = {out: [], err: []}
    with selectors.DefaultSelector() as selector:
        for stream in parts:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(deadline - time.monotonic())
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                if part := os.read(key.fd, 65536):
                    parts[key.fd].append(part)
                else:
                    selector.unregister(key.fd)
                    os.close(key.fd)
    return b"".join(parts[out]), b"".join(parts[err])


def _text(data: bytes) -> str:
    return data.decode().replace("\r\n", "\n").replace("\r", "\n")

"""Where lines go: standard output and standard error, one writer at a time."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import IO


class Screen:
    """Two streams that several threads write whole lines to.

    A stream that nobody reads any more (a closed pipe) is given up silently: a run is not worth
    less because ``head`` has seen enough.
    """

    def __init__(self, out: IO[str], err: IO[str]) -> None:
        self.out = out
        self.err = err
        self.lock = threading.RLock()

    def line(self, text: str, *, error: bool = False) -> None:
        """Print one line (or several, with newlines inside)."""
        self.raw(text.encode("utf-8", "surrogateescape") + b"\n", error=error)

    def raw(self, data: bytes, *, error: bool = False) -> None:
        """Print bytes that end with a newline, as they are."""
        with self.lock:
            write(self.err if error else self.out, data)

    def ask(self, question: str) -> str:
        """Print ``question`` and return the answer, stripped; empty at the end of input."""
        with self.lock:
            write(self.out, question.encode("utf-8", "replace"))
            try:
                return input().strip()
            except EOFError:
                write(self.out, b"\n")
                return ""


def write(stream: IO[str], data: bytes) -> None:
    """Write ``data`` behind what was written as text, and flush."""
    try:
        binary = getattr(stream, "buffer", None)
        if binary is None:
            stream.write(data.decode("utf-8", "backslashreplace"))
        else:
            stream.flush()
            binary.write(data)
        stream.flush()
    except BrokenPipeError:
        abandon(stream)


def abandon(stream: IO[str]) -> None:
    """Let everything written to a closed pipe vanish from now on, what is waiting to be written too.

    Python would raise again at the next flush, at its exit at the latest; and a stage's command, which
    inherits the stream, would be killed by SIGPIPE.
    """
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)

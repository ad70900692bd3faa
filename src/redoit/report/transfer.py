"""Transfers on a terminal: one line that is drawn again, with files, bytes, rate and time left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import IO

from redoit.report.words import count, duration, is_terminal

_EVERY = 0.2
"""Seconds between two drawings."""
_PATIENCE = 2.0
"""Seconds before the time left is worth guessing."""


class TransferCount:
    """A Meter that counts; owns the numbers of the transfer that is going on. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._verb = ""
        self._files = self._all_files = self._bytes = 0
        self._all_bytes: int | None = None
        self._began = 0.0
        self.active = False

    def begin(self, verb: str, files: int, size: int | None) -> None:
        with self._lock:
            self._verb = {"get": "Getting", "send": "Sending"}.get(verb, verb)
            self._files, self._bytes = 0, 0
            self._all_files, self._all_bytes = files, size
            self._began = self._clock()
            self.active = True
            self._changed(force=True)

    def moved(self, size: int) -> None:
        with self._lock:
            self._files += 1
            self._bytes += size
            self._changed()

    def ended(self) -> None:
        with self._lock:
            self.active = False
            self._changed(force=True)

    def text(self) -> str:
        """How the transfer stands now, on one line."""
        passed = self._clock() - self._began
        total = f" of {size_text(self._all_bytes)}" if self._all_bytes else ""
        parts = [
            f"{self._verb} {self._files:,} of {count(self._all_files, 'file')}",
            f"{size_text(self._bytes)}{total}",
        ]
        if passed > 0 and self._bytes:
            parts.append(f"{size_text(int(self._bytes / passed))}/s")
        share = self._bytes / self._all_bytes if self._all_bytes else self._files / self._all_files
        if passed > _PATIENCE and 0 < share < 1:
            parts.append(f"{duration(int(passed / share - passed))} left")
        return ", ".join(parts)

    def _changed(self, *, force: bool = False) -> None:
        """The numbers have changed; called with the lock held."""


class TransferLine(TransferCount):
    """A TransferCount that draws on ``stream`` if that is a terminal, and is silent otherwise."""

    def __init__(
        self, stream: IO[str], *, quiet: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(clock)
        self._stream = stream
        self._draws = not quiet and is_terminal(stream)
        self._drawn = 0.0

    def _changed(self, *, force: bool = False) -> None:
        now = self._clock()
        if self._draws and (force or now - self._drawn >= _EVERY):
            self._drawn = now
            text = self.text() if self.active else ""
            self._stream.write(f"\r{text}\x1b[K")
            self._stream.flush()


def size_text(size: int) -> str:
    """A number of bytes for people: ``1.5 MB``."""
    number, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if number < 1000:
            break
        number, unit = number / 1000, larger
    return f"{number:,.0f} {unit}" if unit == "B" or number >= 100 else f"{number:.1f} {unit}"

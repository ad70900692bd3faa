"""The journal: traces of stages that finished in a run whose ``dvc.lock`` is not yet written.

One line each, appended as soon as a stage ends: 16 hex digits (xxh3-64 of the rest), a space, and
JSON. A line whose digits do not fit, and everything after it, is the torn tail of a killed process:
readers stop there, the next writer cuts it off. The kinds of lines:

    {"boot": ID}                              records below were written in this boot of the machine
    {"file": F, "stage": S, "base": B, "deps": D, "rest": R}   a trace, as the two texts of its record;
                                              both null: the stage was forgotten
    {"synced": true}                          every object named above is on the disk

``base`` is the digest of the record that ``dvc.lock`` had for the stage (null: none). If ``dvc.lock``
has something else by now (a checkout, a run of DVC, or the journal folded in), that is newer, and
the line is not believed.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from dataclasses import dataclass
from typing import Any

import xxhash

from redoit.errors import TraceError
from redoit.model import RepoPath
from redoit.trace.record import Record

_FIELDS = frozenset(("file", "stage", "base", "deps", "rest"))
_SUM = 16
"""Hex digits at the start of a line."""


def digest_record(record: Record | None) -> str | None:
    """Identity of a stage's record in ``dvc.lock``; None for none."""
    return None if record is None else str(xxhash.xxh3_64_hexdigest("".join(record).encode()))


@dataclass(frozen=True, slots=True)
class Line:
    """A stage's trace as the journal has it. ``durable``: the objects it names are surely on the disk."""

    file: RepoPath
    stage: str
    base: str | None
    record: Record | None
    durable: bool


class Journal:
    """Owns the journal file: what it held when it was opened, and the end to append to."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._handle: int | None = None
        self._boot = _boot_id()
        self.lines: list[Line] = []
        """Believable lines, in the order written, as of the opening."""
        self._length = 0
        self._read()

    def _read(self) -> None:
        try:
            with open(self._path, "rb") as file:
                text = file.read()
        except FileNotFoundError:
            return
        except OSError as error:
            raise _unusable(self._path, error) from error
        found: list[tuple[str | None, dict[str, Any]]] = []
        boot: str | None = None
        synced = 0
        for line in text.splitlines(keepends=True):
            data = _checked(line)
            if data is None:
                break
            self._length += len(line)
            if "boot" in data:
                boot = data["boot"]
            elif "synced" in data:
                synced = len(found)
            elif data.keys() >= _FIELDS:
                found.append((boot, data))
        for number, (written, data) in enumerate(found):
            durable = number < synced or written == self._boot
            record = None if data["deps"] is None else Record(data["deps"], data["rest"])
            self.lines.append(Line(data["file"], data["stage"], data["base"], record, durable))

    def append(self, file: RepoPath, stage: str, base: str | None, record: Record | None) -> None:
        """Write a line; when this returns it survives the end of this process. Thread-safe. Raises TraceError."""
        deps, rest = record or (None, None)
        line = _line({"file": file, "stage": stage, "base": base, "deps": deps, "rest": rest})
        with self._lock:
            self._write(line)

    def sync(self) -> None:
        """Wait until the lines are on the disk. The objects they name must be there already."""
        with self._lock:
            if self._handle is not None:
                self._write(_line({"synced": True}))
                os.fsync(self._handle)

    def empty(self) -> None:
        """Forget all lines: ``dvc.lock`` has them."""
        with self._lock:
            self.lines.clear()
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None
            self._length = 0
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)

    def _write(self, line: bytes) -> None:
        try:
            if self._handle is None:
                self._open()
            assert self._handle is not None
            # One call, at the end of the file: a kill leaves the whole line or a part of it.
            written = os.write(self._handle, line)
            if written != len(line):
                os.ftruncate(self._handle, self._length)
                raise OSError(28, "no space left on device")
            self._length += written
        except OSError as error:
            raise _unusable(self._path, error) from error

    def _open(self) -> None:
        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        self._handle = os.open(
            self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666
        )
        os.ftruncate(self._handle, self._length)  # the torn tail
        header = _line({"boot": self._boot})
        os.write(self._handle, header)
        self._length += len(header)


def _line(data: dict[str, Any]) -> bytes:
    text = json.dumps(data, separators=(",", ":")).encode()
    return f"{xxhash.xxh3_64_hexdigest(text)} ".encode() + text + b"\n"


def _checked(line: bytes) -> dict[str, Any] | None:
    """The data of a whole line, or None if it is torn."""
    text = line[_SUM + 1 : -1]
    if line[-1:] != b"\n" or line[:_SUM] != xxhash.xxh3_64_hexdigest(text).encode():
        return None
    try:
        data = json.loads(text)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def _boot_id() -> str:
    """Names the time since the machine started; where the system has no name for it, never the same."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return os.urandom(8).hex()


def _unusable(path: str, error: OSError) -> TraceError:
    return TraceError(
        "the journal of this run cannot be used",
        facts={"file": path, "reason": error.strerror or error},
        hint="make room on the disk, or make the folder writable",
    )

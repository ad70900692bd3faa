"""Every stage's last trace: the ``dvc.lock`` files plus the journal of the run in progress."""

from __future__ import annotations

import os
import posixpath
import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from redoit.errors import TraceError
from redoit.files import write_atomic
from redoit.model import PIPELINE_FILE, Address, RepoPath, Stage, Trace, address_of
from redoit.project import Layout
from redoit.trace.journal import Journal, digest_record
from redoit.trace.lockfile import LockText, Recorded, change, read_text
from redoit.trace.record import Record, decode, decode_deps, encode

_KIND = "locks"
_VERSION = "3"


class Traces:
    """Every stage's last trace: ``dvc.lock`` files plus the journal of the run in progress; doit's database.

    ``index_files`` are the ``dvc.yaml`` files. Raises TraceError with file and line for a lock file
    that cannot be read. Nothing is written before ``record``.
    """

    def __init__(self, layout: Layout, index_files: Iterable[RepoPath]) -> None:
        self._layout = layout
        self._mutex = threading.Lock()
        kept = layout.kept.get(_KIND, _VERSION)
        self._kept: dict[str, Any] = kept if isinstance(kept, dict) else {}
        self._stale = False
        self._locks: dict[RepoPath, Mapping[str, Record]] = {}
        """What every lock file has for its stages."""
        self._records: dict[Address, Record] = {}
        self._deps = cache(decode_deps)
        """Stages that have the same deps share them."""
        self._traces: dict[Address, Trace] = {}
        self._pending: dict[RepoPath, dict[str, Recorded | None]] = {}
        self.unsafe: set[Address] = set()
        """Stages whose trace was written before a power cut: the objects of their outs may be torn."""
        for file in index_files:
            self._load(file)
        if self._stale:
            self._keep()
        self._journal = Journal(os.path.join(layout.tmp, "journal"))
        self._replay()

    def _load(self, file: RepoPath) -> None:
        lock = self._read(file)
        self._locks[file] = lock.records
        if file == PIPELINE_FILE:
            self._records.update(lock.records)  # type: ignore[arg-type]
        else:
            for name, record in lock.records.items():
                self._records[address_of(file, name)] = record

    def _read(self, file: RepoPath) -> LockText:
        path = lock_path(file)
        try:
            with open(self._layout.abspath(path), "rb") as handle:
                text = handle.read()
        except FileNotFoundError:
            return LockText(b"")
        except OSError as error:
            raise TraceError(f"{path} cannot be read", facts={"reason": error.strerror}) from error
        state = self._kept.get(path)
        lock = read_text(text, path, state)
        if text and not lock.is_state(state):
            self._kept[path] = lock.state()
            self._stale = True
        return lock

    def _replay(self) -> None:
        """Take over what a killed run had recorded."""
        for line in self._journal.lines:
            lock = self._locks.get(line.file)
            if lock is None or digest_record(lock.get(line.stage)) != line.base:
                continue
            address = address_of(line.file, line.stage)
            new = (
                None
                if line.record is None
                else Recorded(decode(line.record, self._deps), line.record)
            )
            self._remember(line.file, line.stage, address, new)
            if line.durable or new is None:
                self.unsafe.discard(address)
            else:
                self.unsafe.add(address)

    def _remember(self, file: RepoPath, name: str, address: Address, new: Recorded | None) -> None:
        self._pending.setdefault(file, {})[name] = new
        if new is None:
            self._records.pop(address, None)
            self._traces.pop(address, None)
        else:
            self._records[address] = new.record
            self._traces[address] = new.trace

    def get(self, address: Address) -> Trace | None:
        """The trace of a stage of a ``dvc.yaml``, or None if it never ran."""
        trace = self._traces.get(address)
        if trace is None:
            record = self._records.get(address)
            if record is None:
                return None
            trace = self._traces[address] = decode(record, self._deps)
        return trace

    def record(self, stage: Stage, trace: Trace) -> None:
        """Remember ``trace``; from here on it survives the end of this process. Thread-safe.

        Raises TraceError if the journal cannot be written, or a param's value cannot be recorded.
        """
        self._append(stage.file, stage.name, stage.address, trace)

    def addresses(self) -> list[Address]:
        """Every stage that has a trace, also those that are in no ``dvc.yaml`` any more."""
        return list(self._records)

    def pending(self) -> list[Address]:
        """The stages whose traces are in the journal, not yet in ``dvc.lock``."""
        with self._mutex:
            return [
                address_of(file, name)
                for file, changes in self._pending.items()
                for name, new in changes.items()
                if new is not None
            ]

    def forget(self, address: Address) -> None:
        """Drop the trace of a stage: it never ran."""
        if address in self._records:
            self._append(*self._split(address), address, None)

    def _append(self, file: RepoPath, name: str, address: Address, trace: Trace | None) -> None:
        new = None if trace is None else Recorded(trace, encode(trace))
        with self._mutex:  # held for both: `write` empties the journal of what it has seen
            lock = self._locks.get(file)
            base = digest_record(lock.get(name) if lock else None)
            self._journal.append(file, name, base, new.record if new else None)
            self._remember(file, name, address, new)
            self.unsafe.discard(address)

    def _split(self, address: Address) -> tuple[RepoPath, str]:
        """File and name of a stage; the inverse of ``address_of``."""
        end = address.find(f"{PIPELINE_FILE}:")
        while end >= 0:
            end += len(PIPELINE_FILE)
            file = RepoPath(address[:end])
            if file in self._locks and file != PIPELINE_FILE:
                return file, address[end + 1 :]
            end = address.find(f"{PIPELINE_FILE}:", end)
        return PIPELINE_FILE, address

    def sync(self) -> None:
        """Wait until what was recorded is on the disk. The objects must be there already."""
        self._journal.sync()

    def write(self, order: Sequence[Address] = ()) -> None:
        """Put everything recorded into the ``dvc.lock`` files, new stages in ``order``; the journal is then empty.

        Raises TraceError if a file cannot be written; then the journal still has everything.
        """
        with self._mutex:
            pending = {file: dict(changes) for file, changes in self._pending.items()}
            names: dict[RepoPath, list[str]] = {file: [] for file in pending}
            for address in order:
                file, name = self._split(address)
                if file in names:
                    names[file].append(name)
            for file, changes in pending.items():
                self._write_lock(file, changes, names[file])
            self._pending.clear()
            self._journal.empty()
            self._keep()

    def _write_lock(
        self, file: RepoPath, changes: dict[str, Recorded | None], order: list[str]
    ) -> None:
        path = lock_path(file)
        old = self._read(
            file
        )  # DVC, or a checkout by a stage's command, may have written it meanwhile
        new = change(old, changes, order)
        if new is not old:
            target = self._layout.abspath(path)
            try:
                if new.text:
                    write_atomic(target, new.text, staging=self._layout.tmp)
                else:
                    os.unlink(target)
            except OSError as error:
                raise TraceError(
                    f"{path} cannot be written",
                    facts={"reason": error.strerror},
                    hint="nothing is lost: make room or make it writable, and run again",
                ) from error
            self._kept[path] = new.state()
            self._stale = True
        self._locks[file] = new.records

    def _keep(self) -> None:
        if self._stale:
            paths = {lock_path(file) for file in self._locks}
            gone = [
                p
                for p in self._kept
                if p not in paths and not os.path.exists(self._layout.abspath(p))
            ]
            for path in gone:
                del self._kept[path]
            self._layout.kept.keep(_KIND, _VERSION, self._kept)
            self._stale = False


def kept_locks(layout: Layout) -> dict[str, Any]:
    """Path of a lock file → its ``LockText.state`` at the last reading of the workspace."""
    return layout.kept.get(_KIND, _VERSION) or {}


def lock_path(file: RepoPath) -> RepoPath:
    """The lock file beside a ``dvc.yaml``."""
    return RepoPath(posixpath.splitext(file)[0] + ".lock")

"""The run cache: traces by what went in, so that the outs of any earlier run can be restored.

In md5 projects its files are DVC's own: ``<cache>/runs/<k[:2]>/<k>/<v>`` holds one trace as YAML, where
``k`` and ``v`` are SHA-256 of canonical JSON, of the trace with only the paths of its outs, and of the
whole trace. Sizes do not count. xxh128 projects have the same in ``<cache>/runs-xxh128``, where DVC
does not look.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
from collections.abc import Mapping
from typing import Any

from redoit.errors import SpecError, TraceError
from redoit.model import Algo, Entry, Stage, Trace
from redoit.project import Layout
from redoit.spec.source import Source
from redoit.spec.yaml import load
from redoit.store.drafts import Drafts, write_all
from redoit.trace.emit import emit_block
from redoit.trace.record import BadEntry, entry_data, lock_data, trace_of_lock

_NOT_COUNTED = ("size", "nfiles")


class RunCache:
    """Finds and saves traces by their inputs; owns the folder ``runs`` of the cache. Thread-safe."""

    def __init__(self, layout: Layout) -> None:
        self.algo = layout.algo
        name = "runs" if layout.algo is Algo.MD5 else f"runs-{layout.algo.value}"
        self._folder = os.path.join(layout.cache_dir, name)
        self._drafts = Drafts(os.path.join(layout.cache_dir, ".redoit"))
        self._modes = (0o2775, 0o664) if layout.config.cache_shared else None
        self.warnings: list[str] = []
        """One line for each entry that could not be read, for the user."""

    def applies(self, stage: Stage) -> bool:
        """Whether runs of ``stage`` can be told apart by what goes in: it reads and writes something, inside the project."""
        return (
            bool(stage.cmd and (stage.deps or stage.params) and stage.outs)
            and not stage.always_changed
            and all(dep.text for dep in stage.deps)
            and not any(
                out.persist or os.path.isabs(out.path) or os.path.isabs(out.text)
                for out in stage.outs
            )
        )

    def key(self, stage: Stage, inputs: Trace) -> str | None:
        """What all runs with this command, these deps and params, and outs at these paths have in common.

        None if they cannot be told apart from others.
        """
        if not self.applies(stage) or _has_gaps(inputs):
            return None
        try:
            return _digest({**_inputs(inputs), "outs": sorted(out.text for out in stage.outs)})
        except (TypeError, ValueError):
            return None  # dates and the like: DVC cannot name such a run either

    def find(self, stage: Stage, inputs: Trace) -> list[Trace]:
        """Traces of earlier runs with the command, deps and params of ``inputs``, the newest first.

        ``inputs.outs`` is not looked at. Whether the objects of the outs still exist is for the caller to check.
        """
        key = self.key(stage, inputs)
        if key is None:
            return []
        paths = sorted(out.text for out in stage.outs)
        folder = self._of_key(key)
        try:
            with os.scandir(folder) as entries:
                found = [(entry.stat().st_mtime_ns, entry.path) for entry in entries]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise _unusable(folder, error) from error
        found.sort(reverse=True)
        traces = [self._read(path) for _, path in found]
        return [trace for trace in traces if trace and _same_inputs(trace, inputs, paths)]

    def save(self, stage: Stage, trace: Trace) -> None:
        """Keep ``trace``, whose objects must be in the cache. Does nothing if the cache has it, or cannot.

        Raises TraceError if the cache cannot be written.
        """
        key = self.key(stage, trace)
        if key is None or any(entry.oid is None for entry in trace.outs):
            return
        value = _digest({**_inputs(trace), "outs": _entries(trace.outs)})
        path = os.path.join(self._of_key(key), value)
        with contextlib.suppress(OSError):
            if os.stat(path).st_size:
                return
        try:
            self._write(path, emit_block(lock_data(trace)).encode("utf-8", "surrogatepass"))
        except OSError as error:
            raise _unusable(path, error) from error

    # --- for remotes ------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """What its folder is called, in the cache and in a remote."""
        return os.path.basename(self._folder)

    def entries(self) -> dict[str, str]:
        """Name → path of every entry; names begin with that of the folder."""
        found: dict[str, str] = {}
        for folder, _, files in os.walk(self._folder):
            for file in files:
                path = os.path.join(folder, file)
                name = f"{self.name}/{os.path.relpath(path, self._folder)}"
                if is_entry_name(name):
                    found[name] = path
        return found

    def trace_at(self, path: str) -> Trace | None:
        """The trace in the entry at ``path``; None if it cannot be read."""
        try:
            with open(path, "rb") as file:
                return trace_of_lock(load(Source.decode(path, file.read())).value)
        except (OSError, SpecError, BadEntry):
            return None

    def adopt(self, place: str, name: str) -> bool:
        """Make the file ``place`` the entry ``name``, if that is its content. Raises TraceError."""
        trace = self.trace_at(place)
        if trace is None:
            return False
        try:
            data = _inputs(trace)
            key = _digest({**data, "outs": sorted([entry.path for entry in trace.outs])})
            value = _digest({**data, "outs": _entries(trace.outs)})
        except (TypeError, ValueError):
            return False
        if name != f"{self.name}/{key[:2]}/{key}/{value}":
            return False
        path = os.path.join(self._of_key(key), value)
        try:
            with open(place, "rb") as file:
                self._write(path, file.read())
        except OSError as error:
            raise _unusable(path, error) from error
        return True

    def _of_key(self, key: str) -> str:
        return os.path.join(self._folder, key[:2], key)

    def _write(self, path: str, text: bytes) -> None:
        folder = os.path.dirname(path)
        try:
            draft = self._drafts.new(folder, 0o666)
        except FileNotFoundError:
            self._make(folder)
            draft = self._drafts.new(folder, 0o666)
        with draft:
            write_all(draft.handle, text)
            if self._modes:
                os.fchmod(draft.handle, self._modes[1])
            if not draft.publish(path):  # what has the name is empty, or just as good
                draft.replace(path)

    def _make(self, folder: str) -> None:
        if os.path.isdir(folder):
            return
        self._make(os.path.dirname(folder))
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder)
        if self._modes:
            with contextlib.suppress(OSError):
                os.chmod(folder, self._modes[0])

    def _read(self, path: str) -> Trace | None:
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):
                return None
            with open(path, "rb") as file:
                return trace_of_lock(load(Source.decode(path, file.read())).value)
        except FileNotFoundError:
            return None
        except (OSError, SpecError, BadEntry):
            # Torn by a power cut: of no use to anyone, and in the way of the next `save`.
            self.warnings.append(f"an entry of the run cache cannot be read and is removed: {path}")
            with contextlib.suppress(OSError):
                os.unlink(path)
            return None


_ENTRY_NAME = re.compile(r"runs(?:-xxh128)?/([0-9a-f]{2})/(\1[0-9a-f]{62})/[0-9a-f]{64}")


def is_entry_name(name: str) -> bool:
    """Whether a file of a remote is named like an entry of the run cache."""
    return _ENTRY_NAME.fullmatch(name) is not None


def _has_gaps(trace: Trace) -> bool:
    """Whether something of what goes in has no digest or no value."""
    return any(entry.oid is None for entry in trace.deps) or not all((trace.params or {}).values())


def _inputs(trace: Trace) -> dict[str, Any]:
    """The part of the lock entry that says what went in, without what does not count."""
    data = lock_data(Trace(trace.cmd, params=_without(trace.params or {})))
    if trace.deps:
        data["deps"] = _entries(trace.deps)
    return data


def _entries(entries: tuple[Entry, ...]) -> list[dict[str, Any]]:
    items = sorted(entries, key=lambda entry: entry.path)
    return [entry_data(Entry(e.path, e.oid, e.algo, isexec=e.isexec)) for e in items]


def _without(value: Any) -> Any:
    # DVC leaves out these keys wherever they stand, params included.
    if type(value) is dict or isinstance(value, Mapping):
        return {key: _without(item) for key, item in value.items() if key not in _NOT_COUNTED}
    if type(value) in (list, tuple):
        return [_without(item) for item in value]
    return value


_encode = json.JSONEncoder(sort_keys=True).encode


def _digest(data: Mapping[str, Any]) -> str:
    return hashlib.sha256(_encode(data).encode()).hexdigest()


def _same_inputs(trace: Trace, inputs: Trace, outs: list[str]) -> bool:
    """Whether an entry is what its name says, and has the params that the name leaves out too."""
    return (
        sorted(entry.path for entry in trace.outs) == outs
        and _encode(trace.params or {}) == _encode(inputs.params or {})
        and _encode(_inputs(trace)) == _encode(_inputs(inputs))
    )


def _unusable(path: str, error: OSError) -> TraceError:
    return TraceError(
        "the run cache cannot be used",
        facts={"path": path, "reason": error.strerror or error},
        hint="make room on the disk, or make the cache writable; --no-run-cache does without",
    )

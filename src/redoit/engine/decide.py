"""Must a stage run? A pure function of the stage, its trace, and a view of the present.

Nothing here touches the disk: what is asked of it goes through View, so that a test can hand in a table.
The model is that of verifying traces in "Build Systems à la Carte" (Mokhov, Mitchell, Peyton Jones, 2018).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from redoit.model import Dep, Entry, ParamsDep, Reason, RepoPath, Stage, Trace, Why

MISSING = "missing"


class View(Protocol):
    """What the decision asks of the present."""

    def exists(self, path: RepoPath) -> bool:
        """Whether there is a file or directory."""

    def matches(self, path: RepoPath, entry: Entry) -> bool:
        """Whether the content of ``path`` is the one recorded."""

    def cached(self, entry: Entry) -> bool:
        """Whether the cache holds the content recorded."""

    def may_lack(self, path: RepoPath, entry: Entry) -> bool:
        """Whether it is no reason to run that the recorded content of ``path`` is not here."""

    def may_be_part(self, path: RepoPath, entry: Entry) -> bool:
        """Whether it is no reason to run that of the recorded directory ``path`` only a part is here."""

    def digest(self, path: RepoPath) -> str | None:
        """The present oid, for telling; None if missing."""

    def params(self, dep: ParamsDep) -> Mapping[str, Any] | None:
        """The present values, dotted key → value; None if the file is missing."""


def all_reasons(stage: Stage, trace: Trace | None, view: View) -> Iterator[Reason]:
    """Every reason why ``stage`` must run, lazily, cheap ones first. None: it is up to date."""
    yield from standing_reasons(stage, trace, view)
    if trace is not None and not stage.frozen:
        yield from deps_reasons(stage.deps, trace.deps, view)


def deps_reasons(
    deps: tuple[Dep, ...], recorded: tuple[Entry, ...], view: View
) -> Iterator[Reason]:
    """The reasons that come from files that a stage reads, last seen as ``recorded``."""
    entries = {entry.path: entry for entry in recorded}
    for dep in deps:
        reason = dep_reason(dep.path, entries.get(dep.text), view)
        if reason:
            yield reason


def standing_reasons(stage: Stage, trace: Trace | None, view: View) -> Iterator[Reason]:
    """The reasons that do not come from files that the stage reads: command, params, outs, flags."""
    if trace is None:
        # A frozen stage is only asked for its outs; without any there is nothing to record.
        if stage.outs or not stage.frozen:
            yield Reason(Why.NEVER_RAN, stage.address)
        return
    if not stage.is_data and command(stage.cmd) != command(trace.cmd):
        yield Reason(Why.COMMAND_CHANGED, stage.address, trace.cmd, stage.cmd)
    if not stage.frozen:
        if stage.is_callback or stage.always_changed:
            yield Reason(Why.ALWAYS, stage.address)
        yield from _params_reasons(stage, trace, view)
    yield from _outs_reasons(stage, trace, view)


def command(cmd: object) -> object:
    """A command in one form for comparing: one line stays text, several become a list."""
    return list(cmd) if isinstance(cmd, (tuple, list)) else cmd


def entries_of(deps: tuple[Dep, ...], recorded: tuple[Entry, ...]) -> dict[RepoPath, Entry]:
    """The entries that a trace recorded, by the paths of ``deps``."""
    by_text = {entry.path: entry for entry in recorded}
    return {dep.path: by_text[dep.text] for dep in deps if dep.text in by_text}


def dep_reason(path: RepoPath, entry: Entry | None, view: View) -> Reason | None:
    """Why the dep ``path``, last seen as ``entry``, makes its stage run; None if it does not."""
    if not view.exists(path):
        if entry is not None and view.may_lack(path, entry):
            return None
        return Reason(Why.DEP_MISSING, path, entry.oid if entry else None, MISSING)
    if entry is None or entry.oid is None:
        return Reason(Why.DEP_NEW, path, None, view.digest(path))
    if not view.matches(path, entry) and not view.may_be_part(path, entry):
        return Reason(Why.DEP_CHANGED, path, entry.oid, view.digest(path))
    return None


def same_record(one: Entry, other: Entry) -> bool:
    """Whether two records may be of the same content. By two digests they may, unless their sizes differ."""
    if one.oid is None or other.oid is None:
        return False
    if one.oid == other.oid:
        return True
    if one.algo is other.algo:
        return False
    sizes = {size for size in (one.size, other.size) if size is not None}
    return len(sizes) < 2 and one.oid.endswith(".dir") == other.oid.endswith(".dir")


def _params_reasons(stage: Stage, trace: Trace, view: View) -> Iterator[Reason]:
    recorded = trace.params or {}
    for dep in stage.params:
        then = recorded.get(dep.text)
        now = view.params(dep)
        if now is None:
            yield Reason(Why.PARAMS_FILE_MISSING, dep.path)
            continue
        if then is None:
            yield Reason(Why.PARAM_NEW, dep.path, None, dict(now))
            continue
        keys = dep.keys or tuple(dict.fromkeys((*now, *then)))
        for key in keys:
            subject = f"{dep.path}:{key}"
            if key not in now:
                yield Reason(Why.PARAM_MISSING, subject, then.get(key), None)
            elif key not in then:
                yield Reason(Why.PARAM_NEW, subject, None, now[key])
            elif plain(now[key]) != plain(then[key]):
                yield Reason(Why.PARAM_CHANGED, subject, then[key], now[key])


def plain(value: Any) -> Any:
    """A Python params file may hold tuples and sets, which the lock file holds as lists."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value


def _outs_reasons(stage: Stage, trace: Trace, view: View) -> Iterator[Reason]:
    entries = {entry.path: entry for entry in trace.outs}
    for out in stage.outs:
        entry = entries.get(out.text)
        known = entry is not None and entry.oid is not None
        if not view.exists(out.path):
            if entry is None or not known or not view.may_lack(out.path, entry):
                yield Reason(Why.OUT_MISSING, out.path)
        elif entry is None or not known:
            yield Reason(Why.OUT_NEW, out.path)
        elif not view.matches(out.path, entry):
            if not view.may_be_part(out.path, entry):
                yield Reason(Why.OUT_CHANGED, out.path, entry.oid, view.digest(out.path))
        elif out.cache and not view.cached(entry) and not view.may_lack(out.path, entry):
            yield Reason(Why.OUT_NOT_CACHED, out.path, entry.oid)

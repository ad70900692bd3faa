"""Carrying out one stage: restore it, or run its command; then record what it read and wrote.

Runs in a worker thread, any number of stages at a time.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Event
from typing import NamedTuple

from redoit.engine.absent import restore_absent
from redoit.engine.executor import Executor, Sink
from redoit.engine.meeting import Meeting
from redoit.engine.session import Session
from redoit.engine.supply import Supply
from redoit.errors import (
    CommandFailed,
    Interrupted,
    MissingDep,
    MissingOut,
    ParamsProblem,
    SpecError,
    StageError,
)
from redoit.model import Entry, Outcome, OutKind, Stage, Trace, Why
from redoit.profile import Phase, Phases, Unprofiled
from redoit.spec.paths import is_outside


class Means(NamedTuple):
    """What every stage of one run is carried out with."""

    session: Session
    executor: Executor
    environ: Mapping[str, str]
    """The environment of the commands, without what differs from stage to stage."""
    show_command: Callable[[Stage, str], None]
    sink: Callable[[Stage], Sink | None]
    """Where a stage's output goes; None: straight to our own stdout and stderr."""
    interrupted: Event
    """Set when the run is to end."""
    meeting: Meeting
    waiting: Callable[[Stage], None]
    """Told when another run is just running the same stage with the same inputs."""
    dry: bool = False
    commit: bool = True
    use_run_cache: bool = True
    profile: Phases = Unprofiled()
    supply: Supply | None = None
    """Where missing data come from (``--pull``)."""


def carry_out(stage: Stage, means: Means, *, forced: bool) -> tuple[Outcome, Trace | None]:
    """Bring ``stage`` up to date. Returns what was done and the new trace (None in a dry run).

    Raises StageError, StoreError, SpecError or Interrupted; then the old trace stays as it was.
    """
    session = means.session
    if stage.is_data or stage.frozen:
        return _record_as_it_is(stage, means)
    if not forced:
        pulled = _pull_outs(stage, means)
        if pulled:
            return pulled
    if not means.dry:
        check_outs(stage, session)
        if means.supply is not None:
            means.supply.deps(stage)
    if forced or means.dry:
        return (not forced and _restore(stage, means)) or _run(stage, means)
    _check_reads(stage, session)
    with _alone(stage, means):
        return _restore(stage, means) or _run(stage, means)


@contextlib.contextmanager
def _alone(stage: Stage, means: Means) -> Iterator[None]:
    """Keep other runs from running the same stage with the same inputs at the same time.

    What this run keeps of it, they will find. Raises Interrupted if the run is to end before its turn.
    """
    key = None
    if means.use_run_cache and _is_kept(stage, means):
        key = means.session.run_cache.key(stage, _inputs(stage, means.session))
    if key is None:
        yield
        return
    with means.meeting.alone(key, means.interrupted, lambda: means.waiting(stage)) as held:
        if not held:
            raise Interrupted(f"stage '{stage.address}' was interrupted while it waited")
        yield


def _is_kept(stage: Stage, means: Means) -> bool:
    """Whether a run of ``stage`` goes into the run cache: all that it writes is in the cache then."""
    kept = means.commit and all(out.cache or out.kind is not OutKind.OUT for out in stage.outs)
    return kept and means.session.run_cache.applies(stage)


def _run(stage: Stage, means: Means) -> tuple[Outcome, Trace | None]:
    for line in commands(stage):
        means.show_command(stage, line)
    if means.dry:
        return Outcome.RAN, None
    _run_commands(stage, means)
    with means.profile.phase(Phase.COMMIT):
        trace = _record(stage, means)
        _keep_for_later(stage, trace, means)
    return Outcome.RAN, trace


def commands(stage: Stage) -> list[str]:
    """The stage's command lines, one after the other; text of several lines is several commands."""
    if isinstance(stage.cmd, str):
        return [line for line in stage.cmd.splitlines() if line.strip()]
    return list(stage.cmd or ())


def _check_reads(stage: Stage, session: Session) -> None:
    """Raise MissingDep or ParamsProblem naming everything that is not there.

    A forced stage runs all the same, as in DVC: its command may make what is missing.
    """
    missing = [dep.path for dep in stage.deps if not session.exists(dep.path)]
    if missing:
        raise MissingDep(
            f"stage '{stage.address}' cannot run: {_these(missing, 'dep')} not there",
            place=stage.place,
            facts={"missing": ", ".join(missing)},
            hint="create it, get it from the cache or a remote, or correct the deps of the stage",
        )
    partly = [dep.path for dep in stage.deps if session.lack(dep.path)]
    if partly:
        raise MissingDep(
            f"stage '{stage.address}' cannot run: the dep '{partly[0]}' is not all there",
            place=stage.place,
            facts={"in part": ", ".join(partly)},
            hint="--pull gets the rest of it from a remote, `exp data checkout` from the cache",
        )
    _params_values(stage, session)


def check_outs(stage: Stage, session: Session) -> None:
    """Raise StageError or StoreError for an out that the cache cannot keep."""
    kept = [out.path for out in stage.outs if out.cache]
    for path in kept:
        if is_outside(path):
            raise StageError(
                f"stage '{stage.address}' has an out outside of the project, which the cache does not keep",
                place=stage.place,
                facts={"out": path},
                hint="write `cache: false` for it, or put it into the project",
            )
    session.store.check_untracked(kept)


def _these(paths: Sequence[str], noun: str) -> str:
    return f"the {noun} '{paths[0]}' is" if len(paths) == 1 else f"{len(paths)} {noun}s are"


def _params_values(stage: Stage, session: Session) -> dict[str, dict[str, object]]:
    """The params as ``dvc.lock`` has them. Raises ParamsProblem if a file or a key is missing."""
    values: dict[str, dict[str, object]] = {}
    for dep in stage.params:
        now = session.params(dep)
        if now is None:
            raise ParamsProblem(
                f"the params file '{dep.path}' of stage '{stage.address}' is not there",
                place=stage.place,
                hint="create it, or correct the params of the stage",
            )
        missing = [key for key in dep.keys if key not in now]
        if missing:
            raise ParamsProblem(
                f"stage '{stage.address}' reads params that '{dep.path}' does not have",
                place=stage.place,
                facts={"missing": ", ".join(missing)},
                hint="add them to the file, or remove them from the stage",
            )
        values[dep.text] = dict(now)
    return values


# --- restoring ------------------------------------------------------------------------------------


def _pull_outs(stage: Stage, means: Means) -> tuple[Outcome, Trace | None] | None:
    """The outs of a stage with which nothing is wrong but that data are missing; None if they are nowhere."""
    session, supply = means.session, means.supply
    if supply is None or session.trace(stage) is None or not supply.is_only_missing(stage):
        return None
    if any(is_outside(out.path) for out in stage.outs):
        return None
    if means.dry:
        supply.served.add(stage.address)
        return Outcome.RESTORED, None
    recorded = [(out, entry) for out, entry in session.out_entries(stage) if entry is not None]
    if not supply.outs([(out, entry) for out, entry in recorded if out.cache]):
        return None
    for out, entry in recorded:
        if not session.matches(out.path, entry):
            if not session.cached(entry):
                return None
            session.store.checkout(out.path, entry, copy=not out.cache)
    supply.served.add(stage.address)
    return Outcome.RESTORED, session.trace(stage)


def _restore(stage: Stage, means: Means) -> tuple[Outcome, Trace | None] | None:
    """Outputs of an earlier run with the same command and inputs, from the cache; None if there are none."""
    session = means.session
    # Outside of the project, nothing is written but by commands.
    if not session.run_cache.applies(stage) or any(is_outside(out.path) for out in stage.outs):
        return None
    if means.dry:
        try:
            _check_reads(stage, session)
        except (SpecError, StageError):
            # A stage that would run before this one may write what is missing.
            return None
    for outs in _earlier_outs(stage, means):
        if not _alive(stage, outs, session) and not _fetched(stage, outs, means):
            continue
        if means.dry:
            return Outcome.RESTORED, None
        with means.profile.phase(Phase.RESTORE):
            for out in stage.outs:
                if session.look.is_executable(out.path) and not (
                    outs[out.text].isexec or out.persist
                ):
                    session.store.remove(out.path)  # else it would stay executable
                session.store.checkout(out.path, outs[out.text], copy=not out.cache)
            session.written(stage)
            trace = trace_now(stage, [outs[out.text] for out in stage.outs], session)
            _keep_for_later(stage, trace, means)
        return Outcome.RESTORED, trace
    return None


def _earlier_outs(stage: Stage, means: Means) -> Iterator[dict[str, Entry]]:
    """Outs by text of runs that read the same: the last one first, then those of the run cache."""
    session = means.session
    last = session.trace(stage)
    if last is not None and _reads_the_same(stage, session):
        yield {entry.path: entry for entry in last.outs}
    if means.use_run_cache:
        if means.supply is not None and not means.dry:
            means.supply.runs()
        for trace in session.run_cache.find(stage, _inputs(stage, session)):
            yield {entry.path: entry for entry in trace.outs}


def _reads_the_same(stage: Stage, session: Session) -> bool:
    from_outs = (Why.OUT_MISSING, Why.OUT_CHANGED, Why.OUT_NEW, Why.OUT_NOT_CACHED)
    return all(reason.kind in from_outs for reason in session.reasons(stage))


def _alive(stage: Stage, outs: Mapping[str, Entry], session: Session) -> bool:
    """Whether the cache has every out of ``stage``."""
    for out in stage.outs:
        entry = outs.get(out.text)
        if entry is None or entry.oid is None or not session.cached(entry):
            return False
    return True


def _fetched(stage: Stage, outs: Mapping[str, Entry], means: Means) -> bool:
    """Whether a remote gave the outs of an earlier run."""
    found = [(out, outs[out.text]) for out in stage.outs if out.text in outs]
    return (
        means.supply is not None
        and not means.dry
        and len(found) == len(stage.outs)
        and all(entry.oid is not None for _, entry in found)
        and means.supply.outs(found)
    )


def _inputs(stage: Stage, session: Session) -> Trace:
    """What the stage would read now, as a trace without outs. Raises MissingDep, ParamsProblem."""
    return Trace(_lock_command(stage), _dep_entries(stage, session), _params_values(stage, session))


def _lock_command(stage: Stage) -> str | list[str] | None:
    return list(stage.cmd) if isinstance(stage.cmd, tuple) else stage.cmd


def _dep_entries(stage: Stage, session: Session) -> tuple[Entry, ...]:
    entries = []
    for dep in stage.deps:
        content = session.look.content(dep.path)
        if content is None:
            raise MissingDep(
                f"the dep '{dep.path}' of stage '{stage.address}' is not there",
                place=stage.place,
                hint="create it, or correct the deps of the stage",
            )
        entries.append(content.entry(dep.text))
    return tuple(entries)


# --- running --------------------------------------------------------------------------------------


def _run_commands(stage: Stage, means: Means) -> None:
    session = means.session
    wdir = session.layout.abspath(stage.wdir)
    if not os.path.isdir(wdir):
        raise StageError(
            f"stage '{stage.address}' cannot run: its working directory is not there",
            place=stage.place,
            facts={"wdir": stage.wdir},
            hint="create the directory, or correct wdir",
        )
    for out in stage.outs:
        if not out.persist:
            session.store.remove(out.path)
        elif out.cache:
            session.store.unprotect(out.path)
    environ = {**means.environ, "DVC_STAGE": stage.address}
    environ.setdefault("DVC_ROOT", session.layout.root)
    try:
        for line in commands(stage):
            _run_command(stage, line, wdir, environ, means)
    finally:
        # Also after a failure: what lies there now is not what was seen before.
        session.written(stage)


def _run_command(
    stage: Stage, line: str, wdir: str, environ: Mapping[str, str], means: Means
) -> None:
    if means.interrupted.is_set():
        raise Interrupted(f"stage '{stage.address}' was interrupted")
    try:
        with means.profile.phase(Phase.COMMAND):
            code = means.executor.run(line, wdir, environ, means.sink(stage))
    except OSError as error:
        raise CommandFailed(
            f"stage '{stage.address}' could not be started: {error.strerror}",
            place=stage.place,
            facts={"command": line, "shell": environ.get("SHELL", "/bin/sh")},
            hint="check that the shell named by the variable SHELL exists",
        ) from error
    if code and means.interrupted.is_set():
        raise Interrupted(f"stage '{stage.address}' was interrupted")
    if code:
        raise CommandFailed(
            f"stage '{stage.address}' failed: its command {_ending(code)}",
            place=stage.place,
            facts={"command": line, "in": stage.wdir or "."},
            hint="see its output above; the outs of earlier runs are still in the cache",
        )


def _ending(code: int) -> str:
    if code > 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


# --- recording ------------------------------------------------------------------------------------


def _record(stage: Stage, means: Means) -> Trace:
    """Put the outs into the cache and say what was read and written. Raises MissingOut and others."""
    session = means.session
    missing = [out.path for out in stage.outs if not session.exists(out.path)]
    if missing:
        raise MissingOut(
            f"stage '{stage.address}' ended well, but {_these(missing, 'out')} not there",
            place=stage.place,
            facts={"missing": ", ".join(missing)},
            hint="let the command write it, or correct the outs of the stage",
        )
    outs = [
        session.store.commit(out.path, cached=out.cache and means.commit).entry(out.text)
        for out in stage.outs
    ]
    return trace_now(stage, outs, session)


def trace_now(stage: Stage, outs: Sequence[Entry], session: Session) -> Trace:
    """The trace of a stage that is now as it should be."""
    if stage.is_data:
        return Trace(None, outs=tuple(outs))
    inputs = _inputs(stage, session)
    return Trace(inputs.cmd, inputs.deps, inputs.params, tuple(outs))


def _keep_for_later(stage: Stage, trace: Trace, means: Means) -> None:
    """A run-cache entry, and in the cache also those metrics and plots that Git keeps."""
    if not _is_kept(stage, means):
        return
    for out in stage.outs:
        if not out.cache:
            means.session.store.keep(out.path)
    means.session.run_cache.save(stage, trace)


def _record_as_it_is(stage: Stage, means: Means) -> tuple[Outcome, Trace | None]:
    """Data and frozen stages: what lies in the workspace is right; only if it is gone, the cache is asked."""
    session = means.session
    restored = restore_absent(stage, session, means.supply, dry=means.dry)
    outcome = Outcome.RESTORED if restored else Outcome.COMMITTED
    trace = session.trace(stage)
    unchanged = restored and (means.dry or _is_as_recorded(stage, session))
    if unchanged and means.supply is not None:
        means.supply.served.add(stage.address)
    if means.dry:
        return outcome, None
    if unchanged and trace is not None:
        # Recorded anew, it would get other digests in the place of DVC 2's.
        return outcome, trace
    if means.supply is not None:
        means.supply.deps(stage)  # what a frozen stage read is recorded too
    return outcome, _record(stage, means)


def _is_as_recorded(stage: Stage, session: Session) -> bool:
    return all(
        entry is not None and session.matches(out.path, entry)
        for out, entry in session.out_entries(stage)
    )

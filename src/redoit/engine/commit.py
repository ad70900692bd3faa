"""Recording what the workspace holds as if the stages had just run, without running anything."""

from __future__ import annotations

from collections.abc import Sequence

from redoit.engine.perform import check_outs, trace_now
from redoit.engine.session import Session
from redoit.errors import MissingOut
from redoit.model import Address, Stage


def commit_workspace(
    session: Session, addresses: Sequence[Address], *, relink: bool = True
) -> None:
    """Put the outs of these stages into the cache, and what they read and wrote into ``dvc.lock``.

    Without ``relink`` the outs stay the files that they are, not links into the cache. Raises MissingOut, MissingDep, ParamsProblem, StoreError; then what was recorded before that stays.
    """
    stages = [session.graph.stages[address] for address in addresses]
    for stage in stages:
        _check(stage, session)
    session.prefetch(stages)
    try:
        for stage in stages:
            outs = [
                (
                    session.store.keep(out.path)
                    if out.cache and not relink
                    else session.store.commit(out.path, cached=out.cache)
                ).entry(out.text)
                for out in stage.outs
            ]
            trace = trace_now(stage, outs, session)
            if trace != session.trace(stage):
                session.record(stage, trace)
    finally:
        session.write(addresses)


def _check(stage: Stage, session: Session) -> None:
    check_outs(stage, session)
    missing = [out.path for out in stage.outs if not session.exists(out.path)]
    if missing:
        raise MissingOut(
            f"stage '{stage.address}' cannot be recorded: its outs are not all there",
            place=stage.place,
            facts={"missing": ", ".join(missing)},
            hint="run the stage, or name the stages to record",
        )
    partly = [out.path for out in stage.outs if session.exists(out.path) and session.lack(out.path)]
    if partly:
        raise MissingOut(
            f"stage '{stage.address}' cannot be recorded: of its outs only a part is there",
            place=stage.place,
            facts={"in part": ", ".join(partly)},
            hint=f"`exp data pull {partly[0]}` gets the rest; `exp data add {partly[0]}` records data as they are",
        )

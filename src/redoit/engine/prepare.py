"""Before a run in a workspace that has only what Git knows: data from the cache, and what will be missing."""

from __future__ import annotations

from collections.abc import Iterator

from redoit.engine.session import Session
from redoit.errors import MissingDep
from redoit.model import RepoPath, Stage
from redoit.selection import Plan
from redoit.spec.paths import is_outside

_NAMED = 20
"""How many missing paths an error names."""


def check_out_data(session: Session, plan: Plan) -> None:
    """Link outs that are not there from the cache, those of the plan's stages and of stages these depend on.

    What the cache lacks stays away. Raises StoreError.
    """
    for stage in _involved(session, plan):
        trace = session.trace(stage)
        entries = {entry.path: entry for entry in trace.outs} if trace else {}
        for out in stage.outs:
            entry = entries.get(out.text)
            if is_outside(out.path):
                continue
            if out.cache and entry is not None and not session.exists(out.path):
                if session.cached(entry):
                    session.store.checkout(out.path, entry)
                session.look.forget(out.path)


def _involved(session: Session, plan: Plan) -> Iterator[Stage]:
    addresses = dict.fromkeys(stage.address for stage in plan.stages)
    for stage in plan.stages:
        addresses.update(dict.fromkeys(session.graph.upstream[stage.address]))
    return (session.graph.stages[address] for address in addresses)


def check_deps(session: Session, plan: Plan) -> None:
    """Raise MissingDep naming every dep that is not there and that no stage of the plan will write."""
    writing = [stage for stage in plan.stages if not (stage.is_data or stage.frozen)]
    outs = {out.path for stage in writing for out in stage.outs}
    missing: dict[RepoPath, Stage] = {}
    for stage in writing:
        for dep in stage.deps:
            if not _is_made(dep.path, outs) and not session.exists(dep.path):
                missing.setdefault(dep.path, stage)
    if not missing:
        return
    names = list(missing)
    rest = len(names) - _NAMED
    raise MissingDep(
        f"{len(names)} deps will not be there outside of your workspace"
        if len(names) > 1
        else f"the dep '{names[0]}' will not be there outside of your workspace",
        place=missing[names[0]].place,
        facts={
            "missing": ", ".join(names[:_NAMED]) + (f" and {rest} more" if rest > 0 else ""),
            "stages": ", ".join(dict.fromkeys(stage.address for stage in missing.values())),
        },
        hint="put them under Git, record them as data in the cache, or copy them with -C PATH",
    )


def _is_made(path: str, outs: set[RepoPath]) -> bool:
    """Whether ``path`` is an out, lies in one, or has one in it."""
    inside = path
    while inside:
        if inside in outs:
            return True
        inside = inside.rpartition("/")[0]
    return any(out.startswith(f"{path}/") for out in outs)

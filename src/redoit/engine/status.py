"""How the stages stand: what would run now, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from redoit.engine.session import Session, open_session
from redoit.graph import post_order
from redoit.model import Address, Reason, Request, Stage
from redoit.project import Layout
from redoit.selection import Plan, find_targets, select


class StageStatus(NamedTuple):
    """What would happen to a stage now: no reasons means that it is up to date as it stands."""

    address: Address
    reasons: tuple[Reason, ...]
    affected_by: tuple[Address, ...] = ()
    """Stages it depends on directly that are not up to date, or may not stay so: it may run after them."""
    frozen: bool = False


def status_of(layout: Layout, targets: Sequence[str], cwd: str) -> list[StageStatus]:
    """Every stage, or only ``targets`` (relative to the directory ``cwd``) and what they depend on.

    Raises SpecError, TargetNotFound.
    """
    with open_session(layout) as session:
        graph = session.graph
        addresses = (
            find_targets(graph, session.index.groups, Request(targets=tuple(targets), cwd=cwd), layout.root)
            if targets
            else list(graph.stages)
        )  # fmt: skip
        ordered = post_order(addresses, graph.upstream)
        session.prefetch([graph.stages[address] for address in ordered])
        found = _statuses(session, ordered)
        return [found[address] for address in addresses]


def _statuses(session: Session, ordered: Sequence[Address]) -> dict[Address, StageStatus]:
    graph = session.graph
    statuses: dict[Address, StageStatus] = {}
    for address in ordered:
        stage = graph.stages[address]
        sources = () if stage.frozen else graph.upstream[address]
        affected_by = tuple(s for s in sources if statuses[s].reasons or statuses[s].affected_by)
        reasons = tuple(session.reasons(stage))
        statuses[address] = StageStatus(address, reasons, affected_by, stage.frozen)
    return statuses


def stages_of(layout: Layout) -> dict[Address, Stage]:
    """All stages and ``.dvc`` files, resolved. Raises SpecError."""
    with open_session(layout) as session:
        return dict(session.graph.stages)


def plan_of(layout: Layout, targets: Sequence[str], cwd: str) -> Plan:
    """The whole graph, or only ``targets`` and what they depend on. Raises SpecError, TargetNotFound."""
    with open_session(layout) as session:
        request = Request(targets=tuple(targets), cwd=cwd, all_pipelines=not targets)
        return select(session.graph, session.index.groups, request, layout.root)

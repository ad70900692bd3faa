"""Stages that doit need not be asked about: they are up to date, and nothing that the run does can change that.

Asked by doit, a stage costs three times what the decision costs: a task with its checks and its node, two generators,
a status. Of ten thousand stages mostly a few may run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping

from redoit.engine.decide import deps_reasons, standing_reasons
from redoit.engine.session import Session
from redoit.graph import prefixes
from redoit.model import Address, Dep, Reason, Stage
from redoit.selection import Plan
from redoit.shared import Once


def settled_stages(plan: Plan, session: Session, forced: Container[Address]) -> frozenset[Address]:
    """The stages of ``plan`` that are up to date whatever becomes of the others.

    Nothing that they come after may run, and no stage that may run has a dep that is theirs too: its command may
    write what it should only read, and then whoever reads it is asked in his turn.
    """
    settled: set[Address] = set()
    are_settled = Once(settled.issuperset)
    are_unchanged = Once(lambda deps, recorded: _is_none(deps_reasons(deps, recorded, session)))
    for stage in plan.stages:
        address = stage.address
        if address in forced or not are_settled(plan.upstream[address]):
            continue
        trace = session.trace(stage)
        if not _is_none(standing_reasons(stage, trace, session)):
            continue
        if trace is None or stage.frozen or are_unchanged(stage.deps, trace.deps):
            settled.add(address)
    if 0 < len(settled) < len(plan.stages):
        _unsettle(settled, plan)
    return frozenset(settled)


def rest_of(plan: Plan, settled: frozenset[Address]) -> Plan:
    """``plan`` without stages that are settled: nobody needs to wait for them."""
    rest = [stage for stage in plan.stages if stage.address not in settled]
    among = Once(lambda sources: tuple(s for s in sources if s not in settled))
    return plan._replace(
        stages=tuple(rest),
        upstream={stage.address: among(plan.upstream[stage.address]) for stage in rest},
    )


def _is_none(reasons: Iterator[Reason]) -> bool:
    for _ in reasons:
        return False
    return True


def _unsettle(settled: set[Address], plan: Plan) -> None:
    """Take out what reads the same as a stage that may run, what comes after that, and so on."""
    readers = _Readers(stage for stage in plan.stages if stage.address in settled)
    after = _Followers(plan.upstream)
    work = [stage for stage in plan.stages if stage.address not in settled]
    stages = {stage.address: stage for stage in plan.stages}
    while work:
        stage = work.pop()
        for address in (*readers.take(stage.deps), *after.take(stage.address)):
            if address in settled:
                settled.remove(address)
                work.append(stages[address])


class _Readers:
    """Owns which stages read which path, until they are taken: so each is looked at once."""

    def __init__(self, stages: Iterable[Stage]) -> None:
        self._stages: defaultdict[int, list[Address]] = defaultdict(list)
        """Identity of a list of deps, which many stages may share → the stages that read these."""
        self._lists: defaultdict[str, list[int]] = defaultdict(list)
        """Path → the lists that it is in."""
        self._above: defaultdict[str, list[int]] = defaultdict(list)
        """Folder → the lists that have something in it."""
        for stage in stages:
            if stage.frozen:
                continue
            key = id(stage.deps)
            self._stages[key].append(stage.address)
            if len(self._stages[key]) == 1:
                for dep in stage.deps:
                    *folders, path = prefixes(dep.path)
                    self._lists[path].append(key)
                    for folder in folders:
                        self._above[folder].append(key)
        self._through: set[int] = set()

    def take(self, deps: tuple[Dep, ...]) -> list[Address]:
        """The stages that read one of ``deps``, something in it, or what it lies in."""
        if id(deps) in self._through:
            return []
        self._through.add(id(deps))
        found: list[Address] = []
        for dep in deps:
            keys = self._above.pop(dep.path, [])
            for path in prefixes(dep.path):
                keys += self._lists.pop(path, [])
            for key in keys:
                found += self._stages.pop(key, [])
        return found


class _Followers:
    """Owns which stages come after which, until they are taken."""

    def __init__(self, upstream: Mapping[Address, tuple[Address, ...]]) -> None:
        self._stages: defaultdict[int, list[Address]] = defaultdict(list)
        """Identity of a list of sources, which many stages may share → the stages that come after these."""
        self._lists: defaultdict[Address, list[int]] = defaultdict(list)
        for address, sources in upstream.items():
            key = id(sources)
            self._stages[key].append(address)
            if len(self._stages[key]) == 1:
                for source in sources:
                    self._lists[source].append(key)

    def take(self, address: Address) -> list[Address]:
        """The stages that come directly after ``address``."""
        return [a for key in self._lists.pop(address, []) for a in self._stages.pop(key, [])]

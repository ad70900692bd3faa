"""The graph of stages: its edges, and the checks that it can be run.

An edge goes from a stage to each stage that writes something it reads: an out that is the dep, lies
inside it, or contains it. Orders are DVC's: a depth-first post-order over stages as they stand in the
files, deps as they stand in the stage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from redoit.errors import (
    CycleError,
    DuplicateOut,
    OverlappingOuts,
    StageInsideOut,
)
from redoit.model import Address, Dep, ParamsDep, RepoPath, Stage
from redoit.shared import Once


class Graph(NamedTuple):
    """All stages with their edges, checked: no cycle, no path written twice."""

    stages: Mapping[Address, Stage]
    upstream: Mapping[Address, tuple[Address, ...]]
    """Stage → the stages it depends on, in the order of its deps."""

    def downstream(self) -> dict[Address, list[Address]]:
        """Stage → the stages that depend on it directly."""
        result: dict[Address, list[Address]] = {address: [] for address in self.stages}
        for address, sources in self.upstream.items():
            for source in sources:
                result[source].append(address)
        return result


def build_graph(stages: Mapping[Address, Stage]) -> Graph:
    """Connect ``stages`` and check them.

    Raises DuplicateOut, OverlappingOuts, StageInsideOut or CycleError, each naming the stages and paths.
    """
    outs = _Outs(stages.values())
    for stage in stages.values():
        outs.check_file(stage)
    upstream: dict[Address, tuple[Address, ...]] = {}
    writers: dict[RepoPath, tuple[Address, ...]] = {}

    def sources_of(inputs: tuple[Dep | ParamsDep, ...]) -> tuple[Address, ...]:
        sources: dict[Address, None] = {}
        for item in inputs:
            found = writers.get(item.path)
            if found is None:
                found = writers[item.path] = tuple(outs.meeting(item.path))
            for source in found:
                sources[source] = None
        return tuple(sources)

    sources_of_deps = Once(sources_of)
    for address, stage in stages.items():
        sources = sources_of_deps(stage.deps)
        more = sources_of(stage.params)
        upstream[address] = tuple(dict.fromkeys((*sources, *more))) if more else sources
    graph = Graph(stages, upstream)
    _check_acyclic(graph)
    return graph


class _Outs:
    """Which stage writes which path, and which outs lie in which directory."""

    def __init__(self, stages: Iterable[Stage]) -> None:
        self._writer: dict[str, Stage] = {}
        self._children: dict[str, dict[str, None]] = {}
        for stage in stages:
            for out in stage.outs:
                self._add(out.path, stage)

    def _add(self, path: RepoPath, stage: Stage) -> None:
        other = self._writer.get(path)
        if other is not None:
            raise DuplicateOut(
                f"two stages write '{path}'"
                if other is not stage
                else f"stage '{stage.address}' lists '{path}' twice",
                place=stage.place,
                facts={"out": path, "stages": f"{_named(other)} and {_named(stage)}"},
                hint="let one stage write it, or give each stage a path of its own",
            )
        if path in self._children:
            inner = next(self._inside(path))
            raise _overlap(path, stage, inner, self._writer[inner])
        child: str = path
        while child:
            parent = _parent(child)
            if parent in self._writer:
                raise _overlap(parent, self._writer[parent], path, stage)
            siblings = self._children.get(parent)
            if siblings is not None:
                siblings[child] = None
                # Every directory further up is known already, and was free of outs then;
                # those declared since would have found this directory among their children.
                break
            self._children[parent] = {child: None}
            child = parent
        self._writer[path] = stage

    def _inside(self, folder: str) -> Iterator[str]:
        for child in self._children.get(folder, ()):
            if child in self._writer:
                yield child
            else:
                yield from self._inside(child)

    def meeting(self, path: RepoPath) -> Iterator[Address]:
        """The writers of outs that are ``path``, contain it, or lie inside it."""
        for prefix in prefixes(path):
            writer = self._writer.get(prefix)
            if writer is not None:
                yield writer.address
        if path in self._children:
            for inner in self._inside(path):
                yield self._writer[inner].address

    def check_file(self, stage: Stage) -> None:
        """Raise StageInsideOut if the file that declares ``stage`` lies inside an out."""
        for prefix in prefixes(stage.file):
            writer = self._writer.get(prefix)
            if writer is not None:
                raise StageInsideOut(
                    f"'{stage.file}' lies inside '{prefix}', an out that is removed and made anew",
                    place=writer.place,
                    facts={"out": prefix, "of": _named(writer), "file": stage.file},
                    hint="move the file out of the directory, or track single files instead of the directory",
                )


def _overlap(outer: str, outer_stage: Stage, inner: str, inner_stage: Stage) -> OverlappingOuts:
    return OverlappingOuts(
        f"the out '{inner}' lies inside the out '{outer}'",
        place=inner_stage.place,
        facts={
            "outer": f"{outer} of {_named(outer_stage)}",
            "inner": f"{inner} of {_named(inner_stage)}",
        },
        hint="track the directory in one stage, or its files one by one",
    )


def _named(stage: Stage) -> str:
    return f"'{stage.address}'" + (f" ({stage.place})" if stage.place else "")


def _parent(path: str) -> str:
    """The directory of ``path``; of a relative top-level name and of ``/`` itself: ``""``."""
    head, _, _ = path.rpartition("/")
    return head


def prefixes(path: str) -> Iterator[str]:
    """``a/b/c`` → ``a``, ``a/b``, ``a/b/c``."""
    at = path.find("/", 1)
    while at != -1:
        yield path[:at]
        at = path.find("/", at + 1)
    yield path


class _Steps:
    """Owns which lists of ``edges`` a walk is through with: one that stages share needs no second look."""

    def __init__(self, edges: Mapping[Address, Sequence[Address]]) -> None:
        self._edges = edges
        self._through: set[int] = set()

    def begin(self, node: Address) -> Iterator[Address]:
        """The nodes to go to from ``node`` that may be new."""
        edges = self._edges[node]
        return iter(() if id(edges) in self._through else edges)

    def end(self, node: Address) -> None:
        """Every node to go to from ``node`` has been visited."""
        self._through.add(id(self._edges[node]))


def _check_acyclic(graph: Graph) -> None:
    done: set[Address] = set()
    steps = _Steps(graph.upstream)
    for start in graph.stages:
        if start in done:
            continue
        # Iterative, as chains may be longer than Python's stack is deep.
        path: list[Address] = [start]
        on_path = {start}
        work = [steps.begin(start)]
        while work:
            for source in work[-1]:
                if source in on_path:
                    raise _cycle(graph, [*path[path.index(source) :], source])
                if source not in done:
                    path.append(source)
                    on_path.add(source)
                    work.append(steps.begin(source))
                    break
            else:
                work.pop()
                finished = path.pop()
                on_path.discard(finished)
                done.add(finished)
                steps.end(finished)


def _cycle(graph: Graph, circle: Sequence[Address]) -> CycleError:
    stage = graph.stages[circle[0]]
    if len(circle) == 2:
        what = f"stage '{circle[0]}' depends on its own out"
    else:
        what = "stages depend on each other in a circle"
    return CycleError(
        what,
        place=stage.place,
        facts={"circle": " → ".join(circle)},
        hint="read each arrow as 'needs'; remove one of these deps, or split a stage",
    )


def post_order(
    nodes: Iterable[Address],
    edges: Mapping[Address, Sequence[Address]],
    within: set[Address] | None = None,
) -> list[Address]:
    """Depth-first post-order from ``nodes`` along ``edges`` (sources before what needs them)."""
    seen: set[Address] = set()
    order: list[Address] = []
    steps = _Steps(edges)
    for start in nodes:
        if start in seen:
            continue
        seen.add(start)
        work = [(start, steps.begin(start))]
        while work:
            node, rest = work[-1]
            for other in rest:
                if other not in seen and (within is None or other in within):
                    seen.add(other)
                    work.append((other, steps.begin(other)))
                    break
            else:
                work.pop()
                steps.end(node)
                order.append(node)
    return order

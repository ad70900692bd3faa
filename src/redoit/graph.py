"""The graph of stages, and the plan that a request selects from it.

An edge goes from a stage to each stage that writes something it reads: an out that is the dep, lies
inside it, or contains it. Orders are DVC's: a depth-first post-order over stages as they stand in the
files, deps as they stand in the stage.
"""

from __future__ import annotations

import difflib
import fnmatch
import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from redoit.errors import (
    CycleError,
    DuplicateOut,
    OverlappingOuts,
    StageInsideOut,
    TargetNotFound,
    UsageError,
)
from redoit.model import Address, RepoPath, Request, Stage

PIPELINE_FILE = "dvc.yaml"


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


class Plan(NamedTuple):
    """The stages of a request in topological order, with the edges among them."""

    stages: tuple[Stage, ...]
    upstream: Mapping[Address, tuple[Address, ...]]
    blocking: bool = True
    """Whether a stage cannot run after the failure of one that it comes after."""


def build_graph(stages: Mapping[Address, Stage]) -> Graph:
    """Connect ``stages`` and check them.

    Raises DuplicateOut, OverlappingOuts, StageInsideOut or CycleError, each naming the stages and paths.
    """
    outs = _Outs(stages.values())
    for stage in stages.values():
        outs.check_file(stage)
    upstream: dict[Address, tuple[Address, ...]] = {}
    for address, stage in stages.items():
        sources: dict[Address, None] = {}
        for dep in stage.deps:
            for source in outs.meeting(dep.path):
                sources[source] = None
        for params in stage.params:
            for source in outs.meeting(params.path):
                sources[source] = None
        upstream[address] = tuple(sources)
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
        for prefix in _prefixes(path):
            writer = self._writer.get(prefix)
            if writer is not None:
                yield writer.address
        if path in self._children:
            for inner in self._inside(path):
                yield self._writer[inner].address

    def check_file(self, stage: Stage) -> None:
        """Raise StageInsideOut if the file that declares ``stage`` lies inside an out."""
        for prefix in _prefixes(stage.file):
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


def _prefixes(path: str) -> Iterator[str]:
    """``a/b/c`` → ``a``, ``a/b``, ``a/b/c``."""
    at = path.find("/", 1)
    while at != -1:
        yield path[:at]
        at = path.find("/", at + 1)
    yield path


def _check_acyclic(graph: Graph) -> None:
    done: set[Address] = set()
    for start in graph.stages:
        if start in done:
            continue
        # Iterative, as chains may be longer than Python's stack is deep.
        path: list[Address] = [start]
        on_path = {start}
        work = [iter(graph.upstream[start])]
        while work:
            for source in work[-1]:
                if source in on_path:
                    raise _cycle(graph, [*path[path.index(source) :], source])
                if source not in done:
                    path.append(source)
                    on_path.add(source)
                    work.append(iter(graph.upstream[source]))
                    break
            else:
                work.pop()
                finished = path.pop()
                on_path.discard(finished)
                done.add(finished)


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
    for start in nodes:
        if start in seen:
            continue
        seen.add(start)
        work = [(start, iter(edges[start]))]
        while work:
            node, rest = work[-1]
            for other in rest:
                if other not in seen and (within is None or other in within):
                    seen.add(other)
                    work.append((other, iter(edges[other])))
                    break
            else:
                work.pop()
                order.append(node)
    return order


def select(
    graph: Graph, groups: Mapping[Address, Sequence[Address]], request: Request, root: str
) -> Plan:
    """The part of ``graph`` that ``request`` asks for, in the order in which to run it.

    ``groups`` are the foreach/matrix entries with their members; ``root`` the project's root.
    Raises TargetNotFound or UsageError.
    """
    single = request.single_item and not (request.pipeline or request.all_pipelines)
    downstream = request.downstream and not (request.pipeline or request.all_pipelines)
    targets: list[Address] = []
    if not request.all_pipelines:
        targets = find_targets(graph, groups, request, root)
    if single:
        return _one_by_one(targets, graph)

    # A frozen stage stands apart from what it depends on.
    active = {a: () if graph.stages[a].frozen else sources for a, sources in graph.upstream.items()}
    if not targets:
        chosen = set(graph.stages)
        starts: Iterable[Address] = graph.stages
    elif request.pipeline:
        chosen, starts = _pipelines(targets, active, graph)
    else:
        along: Mapping[Address, Sequence[Address]] = active
        if downstream:
            along = Graph(graph.stages, active).downstream()
        chosen = set(post_order(targets, along))
        starts = (a for a in graph.stages if a in chosen)
    order = post_order(starts, active, chosen)
    return Plan(
        tuple(graph.stages[a] for a in order),
        {a: tuple(s for s in active[a] if s in chosen) for a in order},
    )


def _one_by_one(targets: Sequence[Address], graph: Graph) -> Plan:
    """Exactly these stages, in the order given: of two that are connected, the first comes first."""
    downstream = graph.downstream()
    upstream: dict[Address, tuple[Address, ...]] = {}
    for target in targets:
        neighbours = (*graph.upstream[target], *downstream[target])
        upstream[target] = tuple(a for a in neighbours if a in upstream)
    return Plan(tuple(graph.stages[t] for t in targets), upstream, blocking=False)


def _pipelines(
    targets: Sequence[Address], active: Mapping[Address, Sequence[Address]], graph: Graph
) -> tuple[set[Address], list[Address]]:
    """The connected components of the targets, in the order of the targets."""
    neighbours: dict[Address, list[Address]] = {a: list(s) for a, s in active.items()}
    for address, sources in active.items():
        for source in sources:
            neighbours[source].append(address)
    chosen: set[Address] = set()
    starts: list[Address] = []
    for target in targets:
        if target not in chosen:
            component = set(post_order([target], neighbours))
            chosen |= component
            starts += [a for a in graph.stages if a in component]
    return chosen, starts


def find_targets(
    graph: Graph, groups: Mapping[Address, Sequence[Address]], request: Request, root: str
) -> list[Address]:
    """The stages that ``request.targets`` name, each once, in the order given.

    A target is relative to ``request.cwd``: a stage or a group of its ``dvc.yaml``, a ``dvc.yaml``,
    ``path/dvc.yaml:stage``, a ``.dvc`` file, with ``recursive`` a directory, with ``glob`` a pattern
    for stage names. No target means the ``dvc.yaml`` there. Raises TargetNotFound.
    """
    found: dict[Address, None] = {}
    files: dict[str, list[Address]] = {}
    for address, stage in graph.stages.items():
        files.setdefault(stage.file, []).append(address)
    folder = _folder(request, root)
    for target in request.targets or (PIPELINE_FILE,):
        for address in _find_target(target, folder, graph, groups, files, request, root):
            found[address] = None
    return list(found)


def _folder(request: Request, root: str) -> str:
    if not request.cwd:
        return ""
    relative = os.path.relpath(request.cwd, root)
    return "" if relative == "." else relative.replace(os.sep, "/")


def _find_target(
    target: str,
    folder: str,
    graph: Graph,
    groups: Mapping[Address, Sequence[Address]],
    files: Mapping[str, Sequence[Address]],
    request: Request,
    root: str,
) -> Sequence[Address]:
    target = target.replace(os.sep, "/")
    whole = _join(folder, target, root)
    if request.recursive and os.path.isdir(os.path.join(root, whole)):
        inside = f"{whole}/" if whole else ""
        return [
            a
            for a in post_order(graph.stages, graph.upstream)
            if graph.stages[a].file.startswith(inside)
        ]
    if not request.glob:
        # A name of the dvc.yaml here comes first: it may hold any character, ':' and '/' included.
        here = _by_name(_join(folder, PIPELINE_FILE, root), target, graph, groups)
        if here:
            return here
    if posixpath.basename(target) == PIPELINE_FILE or target.endswith(".dvc"):
        if whole in files:
            return files[whole]
        if posixpath.basename(target) == PIPELINE_FILE and os.path.isfile(
            os.path.join(root, whole)
        ):
            return []
        raise _no_file(target, whole, files, root)
    file, name = PIPELINE_FILE, target
    pattern = (
        r"(?P<file>.+):(?P<name>[^:]*)$" if request.glob else r"(?P<file>.*?\.ya?ml):(?P<name>.+)$"
    )
    match = re.match(pattern, target)
    if match:
        file, name = match["file"], match["name"]
    file = _join(folder, file, root)
    if posixpath.basename(file) == "dvc.lock":
        raise UsageError(
            f"'{target}' names a lock file",
            hint=f"did you mean '{target.replace('dvc.lock', PIPELINE_FILE, 1)}'?",
        )
    if request.glob:
        matched = [
            a for a in files.get(file, ()) if fnmatch.fnmatchcase(graph.stages[a].name, name)
        ]
        if not matched and file not in files:
            raise _no_file(target, file, files, root)
        return matched
    found = _by_name(file, name, graph, groups)
    if found:
        return found
    shown = Address(target)
    if shown in graph.stages or shown in groups:
        # As stages are shown, from the top of the project: what was shown can be given back anywhere.
        return groups.get(shown, (shown,))
    if file not in files and not os.path.isfile(os.path.join(root, file)):
        if match:
            raise _no_file(target, file, files, root)
        if not request.targets:
            raise _no_file(PIPELINE_FILE, file, files, root)
    raise _no_stage(target, file, name, whole, graph, groups, files)


def _join(folder: str, path: str, root: str) -> str:
    """``path`` as the user gave it, relative to ``folder`` of the project → RepoPath."""
    if path.startswith("/"):
        path = os.path.relpath(path, root).replace(os.sep, "/")
        folder = ""
    joined = posixpath.normpath(posixpath.join(folder, path))
    return "" if joined == "." else joined


def _by_name(
    file: str, name: str, graph: Graph, groups: Mapping[Address, Sequence[Address]]
) -> Sequence[Address]:
    address = Address(name if file == PIPELINE_FILE else f"{file}:{name}")
    stage = graph.stages.get(address)
    if stage is not None and stage.file == file and not stage.is_data:
        return [address]
    return groups.get(address, ())


def _no_file(target: str, path: str, files: Mapping[str, object], root: str) -> TargetNotFound:
    near = difflib.get_close_matches(path, [f for f in files if f], n=1)
    hint = f"did you mean '{near[0]}'?" if near else None
    if hint is None and files:
        known = sorted(files)
        hint = "there are: " + ", ".join(known[:5]) + (", …" if len(known) > 5 else "")
    return TargetNotFound(
        f"'{target}' does not exist",
        facts={"looked for": os.path.join(root, path)},
        hint=hint or "write a dvc.yaml with stages first",
    )


def _no_stage(
    target: str,
    file: str,
    name: str,
    whole: str,
    graph: Graph,
    groups: Mapping[Address, Sequence[Address]],
    files: Mapping[str, Sequence[Address]],
) -> TargetNotFound:
    for address, stage in graph.stages.items():
        if any(out.path == whole for out in stage.outs):
            return TargetNotFound(
                f"'{target}' is not a stage but an out of '{address}'",
                hint=f"give the stage: {address}",
            )
    prefix = "" if file == PIPELINE_FILE else f"{file}:"
    names = [graph.stages[a].name for a in files.get(file, ())]
    names += [g[len(prefix) :] for g in groups if g.startswith(prefix) and (prefix or ":" not in g)]
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        hint = f"did you mean '{prefix}{near[0]}'?"
    else:
        elsewhere = [a for a, s in graph.stages.items() if s.name == name]
        hint = f"did you mean '{elsewhere[0]}'?" if elsewhere else "`exp dag` shows the stages"
    return TargetNotFound(
        f"there is no stage '{name}' in '{file}'", facts={"target": target}, hint=hint
    )

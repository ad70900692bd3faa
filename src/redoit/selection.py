"""What a request selects: targets, and the plan of the stages that they need."""

from __future__ import annotations

import difflib
import fnmatch
import os
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from redoit.errors import TargetNotFound, UsageError
from redoit.graph import Graph, post_order
from redoit.model import PIPELINE_FILE, Address, RepoPath, Request, Stage, address_of
from redoit.shared import Once


class Plan(NamedTuple):
    """The stages of a request in topological order, with the edges among them."""

    stages: tuple[Stage, ...]
    upstream: Mapping[Address, tuple[Address, ...]]
    blocking: bool = True
    """Whether a stage cannot run after the failure of one that it comes after."""


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
    among = Once(lambda sources: tuple(s for s in sources if s in chosen))
    return Plan(tuple(graph.stages[a] for a in order), {a: among(active[a]) for a in order})


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
    named, name = str(PIPELINE_FILE), target
    pattern = (
        r"(?P<file>.+):(?P<name>[^:]*)$" if request.glob else r"(?P<file>.*?\.ya?ml):(?P<name>.+)$"
    )
    match = re.match(pattern, target)
    if match:
        named, name = match["file"], match["name"]
    file = _join(folder, named, root)
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


def _join(folder: str, path: str, root: str) -> RepoPath:
    """``path`` as the user gave it, relative to ``folder`` of the project → RepoPath."""
    if path.startswith("/"):
        path = os.path.relpath(path, root).replace(os.sep, "/")
        folder = ""
    joined = posixpath.normpath(posixpath.join(folder, path))
    return RepoPath("" if joined == "." else joined)


def _by_name(
    file: RepoPath, name: str, graph: Graph, groups: Mapping[Address, Sequence[Address]]
) -> Sequence[Address]:
    address = address_of(file, name)
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

"""The graph of stages as text, Mermaid or DOT."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from redoit.model import Address, Stage
from redoit.printable import printable
from redoit.report.rails import draw
from redoit.report.words import count, some, table

WIDEST = 10
"""Lines side by side that an eye can follow; a wider graph becomes a list of levels."""


@dataclass(frozen=True)
class Picture:
    """What is drawn: labels of nodes, and each node's sources, all in topological order."""

    labels: Mapping[str, str]
    sources: Mapping[str, Sequence[str]]
    data: frozenset[str]
    """The nodes that are ``.dvc`` files."""


def picture(
    stages: Mapping[Address, Stage], upstream: Mapping[Address, Sequence[Address]], *, full: bool
) -> Picture:
    """The graph with the members of each foreach/matrix entry drawn as one, unless ``full``."""
    apart: set[str] = set()
    while True:
        node_of = {a: _node(a, stage, apart, full) for a, stage in stages.items()}
        members: dict[str, int] = {}
        sources: dict[str, dict[str, None]] = {}
        for address, node in node_of.items():
            members[node] = members.get(node, 0) + 1
            found = sources.setdefault(node, {})
            for other in upstream.get(address, ()):
                source = node_of.get(other)
                if source is not None and source != node:
                    found[source] = None
        order = _topological(sources)
        if len(order) == len(sources):
            break
        # Members of two groups may alternate (a@1 → b@1 → a@2): such groups are drawn in full.
        apart |= _between_cycles(sources, set(sources) - set(order))
    only = {node: address for address, node in node_of.items()}
    labels = {
        n: f"{n} ({count(members[n], 'stage')})" if members[n] > 1 else only[n] for n in order
    }
    data = frozenset(node_of[a] for a, stage in stages.items() if stage.is_data)
    place = {node: i for i, node in enumerate(order)}
    return Picture(labels, {n: sorted(sources[n], key=place.__getitem__) for n in order}, data)


def _node(address: Address, stage: Stage, apart: set[str], full: bool) -> str:
    if stage.group is None or full:
        return address
    group = f"{address[: len(address) - len(stage.name)]}{stage.group}"
    return address if group in apart else group


def _topological(sources: Mapping[str, Iterable[str]]) -> list[str]:
    """Sources first, what continues a line right after it; what lies on or behind a cycle is left out."""
    waiting = {node: len(list(found)) for node, found in sources.items()}
    readers: dict[str, list[str]] = {node: [] for node in sources}
    for node, found in sources.items():
        for source in found:
            readers[source].append(node)
    stack = [node for node in reversed(list(sources)) if not waiting[node]]
    order = []
    while stack:
        node = stack.pop()
        order.append(node)
        for reader in reversed(readers[node]):
            waiting[reader] -= 1
            if not waiting[reader]:
                stack.append(reader)
    return order


def _between_cycles(sources: Mapping[str, Iterable[str]], left: set[str]) -> set[str]:
    """Of ``left``, which lies on or behind cycles, the nodes that lie on or between them."""
    readers = dict.fromkeys(left, 0)
    for node in left:
        for source in sources[node]:
            if source in left:
                readers[source] += 1
    ends = [node for node in left if not readers[node]]
    while ends:
        node = ends.pop()
        left.discard(node)
        for source in sources[node]:
            if source in left:
                readers[source] -= 1
                if not readers[source]:
                    ends.append(source)
    return left


def text(graph: Picture) -> list[str]:
    """Lines to read in a terminal: a drawing, or for a wide graph a list by level."""
    if not graph.labels:
        return ["There are no stages"]
    marks = {node: "○" if node in graph.data else "●" for node in graph.labels}
    labels = {node: printable(label) for node, label in graph.labels.items()}
    drawn = draw(graph.sources, labels, marks, WIDEST)
    return levels(graph) if drawn is None else drawn


def levels(graph: Picture) -> list[str]:
    """One line for each node: its level (1 depends on nothing), its name, and what it depends on."""
    level: dict[str, int] = {}
    for node, sources in graph.sources.items():
        level[node] = 1 + max((level[source] for source in sources), default=0)
    rows = []
    last = 0
    for node in sorted(level, key=level.__getitem__):
        number = "" if level[node] == last else str(level[node])
        last = level[node]
        sources = graph.sources[node]
        rows.append([number, graph.labels[node], f"← {some(sources, 6)}" if sources else ""])
    return table([["Level", "Stage", "depends on"], *rows], right=frozenset({0}))


def mermaid(graph: Picture) -> list[str]:
    """A Mermaid flowchart, from sources to what depends on them."""
    names = {node: f"node{i}" for i, node in enumerate(graph.labels, 1)}
    lines = ["flowchart TD"]
    for node, label in graph.labels.items():
        quoted = '"' + label.replace("&", "&amp;").replace('"', "&quot;") + '"'
        lines.append(
            f"\t{names[node]}" + (f"[({quoted})]" if node in graph.data else f"[{quoted}]")
        )
    for node, sources in graph.sources.items():
        lines += [f"\t{names[source]} --> {names[node]}" for source in sources]
    return lines


def dot(graph: Picture) -> list[str]:
    """A digraph for Graphviz."""
    lines = ["digraph {"]
    for node, label in graph.labels.items():
        shape = "cylinder" if node in graph.data else "box"
        lines.append(f"    {_quoted(node)} [label={_quoted(label)}, shape={shape}];")
    for node, sources in graph.sources.items():
        lines += [f"    {_quoted(source)} -> {_quoted(node)};" for source in sources]
    return [*lines, "}"]


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'

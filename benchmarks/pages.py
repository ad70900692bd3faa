"""Figures on the pages: what stands between markers is written from results, never by hand.

A block begins with ``<!-- figures: NAME -->`` and ends with ``<!-- end of figures -->``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks.measure import Cell, median, spread
from benchmarks.results import Results, seconds

_BLOCK = re.compile(r"(<!-- figures: ([\w-]+) -->\n).*?(<!-- end of figures -->)", re.S)

TITLES = {
    "nothing": "nothing to do",
    "one source": "one source changed",
    "one param": "one param changed",
    "touched": "all sources touched",
    "cold": "everything, one stage at a time",
    "cold, parallel": "everything, two at a time",
    "restore": "all outputs restored from the cache",
    "status": "only tell what would run",
    "experiment": "nothing to do, as an experiment",
    "help": "the help (ninja, make: the version)",
}


def write_page(path: Path, results: Results) -> None:
    """Fill the page's blocks. Raises ValueError for a block that nothing fills."""

    def fill(found: re.Match[str]) -> str:
        if found[2] not in BLOCKS:
            raise ValueError(f"{path} has a block '{found[2]}' that nothing fills")
        return f"{found[1]}{BLOCKS[found[2]](results)}\n{found[3]}"

    path.write_text(_BLOCK.sub(fill, path.read_text()))


# --- blocks ---------------------------------------------------------------------------------------


def _machine(results: Results) -> str:
    machine, versions = results.machine, results.versions
    disk = results.settings.get("file system")
    peers = ", ".join(f"{name} {version}" for name, version in versions.items() if name != "redoit")
    return (
        f"{machine['date']}, {machine['processors']} processors ({machine['processor']}), {machine['system']}, "
        f"Python {machine['python']}, {disk + ', ' if disk else ''}load before {machine['load']}; Redoit {results.settings['revision']}, {peers}.\n"
        f"Made by `{results.settings['command']}`."
    )


def _readme(results: Results) -> str:
    size, processors = _main_size(results), results.machine["processors"]
    names = ("nothing", "one source", "cold", "cold, parallel")
    lead = (
        f"Seconds with {size:,} stages in {results.settings['shape']} on {processors} processors, and how many times "
        "Redoit's:"
    )
    return f"{lead}\n\n{_matrix(results, 'pipeline', names, size)}"


def _pipeline(results: Results) -> str:
    return _matrix(results, "pipeline", tuple(TITLES), _main_size(results))


def _effort(results: Results) -> str:
    """CPU seconds and memory of what the README shows."""
    size = _main_size(results)
    rows = []
    for name in ("nothing", "one source", "cold"):
        for what, show in _EFFORTS.items():
            cells = [results.cell("pipeline", name, tool, size) for tool in _tools(results)]
            shown = [show(cell) if cell and cell.samples else "–" for cell in cells]
            rows.append([f"{TITLES[name]}: {what}", *shown])
    return _lines(["", *_tools(results)], rows)


def _why_not(cell: Cell | None) -> str:
    """Why a cell of a table is empty, where that says something about the tool."""
    return cell.note if cell and cell.note and cell.note.startswith("not finished") else "–"


_EFFORTS: dict[str, Callable[[Cell], str]] = {
    "CPU seconds": lambda cell: _number(median([sample.cpu for sample in cell.samples])),
    "MiB": lambda cell: f"{max(sample.memory for sample in cell.samples):.0f}",
}


def _sizes(results: Results) -> str:
    sizes = sorted({cell.size for cell in results.cells if cell.suite == "pipeline"})
    rows = []
    for name in ("nothing", "one source", "status", "experiment", "restore", "cold, parallel"):
        for tool in _tools(results):
            cells = [results.cell("pipeline", name, tool, size) for size in sizes]
            if sum(bool(cell and cell.samples) for cell in cells) > 1:
                shown = [_number(seconds(c)) if c and c.samples else _why_not(c) for c in cells]
                rows.append([f"{TITLES[name]}: {tool}", *shown])
                if name == "nothing":
                    memory = [_EFFORTS["MiB"](c) if c and c.samples else "–" for c in cells]
                    rows.append([f"{TITLES[name]}: {tool}, MiB", *memory])
    return _lines(["", *(f"{size:,}" for size in sizes)], rows)


def _others(suite: str) -> Callable[[Results], str]:
    """A table of a suite with scenarios of different sizes."""

    def block(results: Results) -> str:
        cells = [cell for cell in results.cells if cell.suite == suite]
        if not cells:
            return "Not measured on this machine."
        tools = list(dict.fromkeys(cell.tool for cell in cells))
        rows = []
        for scenario, size in dict.fromkeys((cell.scenario, cell.size) for cell in cells):
            row = [results.cell(suite, scenario, tool, size) for tool in tools]
            base = next((c for c in row if c and c.tool.startswith("redoit") and c.samples), None)
            rows.append([f"{scenario}, {size:,}", *(_shown(cell, base) for cell in row)])
        return _lines(["", *tools], rows)

    return block


BLOCKS: dict[str, Callable[[Results], str]] = {
    "machine": _machine,
    "readme": _readme,
    "pipeline": _pipeline,
    "effort": _effort,
    "sizes": _sizes,
    "show": _others("show"),
    "queue": _others("queue"),
    "content": _others("content"),
    "content-memory": _others("content in memory"),
}


# --- what they are made of ------------------------------------------------------------------------


def _main_size(results: Results) -> int:
    """The number of stages at which all tools and scenarios were measured."""
    return int(results.settings["stages"])


def _tools(results: Results) -> list[str]:
    return list(dict.fromkeys(cell.tool for cell in results.cells if cell.suite == "pipeline"))


def _matrix(results: Results, suite: str, names: Sequence[str], size: int) -> str:
    rows = []
    for name in names:
        cells = [results.cell(suite, name, tool, size) for tool in _tools(results)]
        if any(cells):
            base = next((c for c in cells if c and c.tool == "redoit" and c.samples), None)
            rows.append([TITLES[name], *(_shown(cell, base) for cell in cells)])
    return _lines(["", *_tools(results)], rows)


def _shown(cell: Cell | None, base: Cell | None) -> str:
    """``0.31 ± 0.01 (1.2 ×)``: the median, its spread, and how many times Redoit's."""
    if cell is None:
        return "not measured"
    if not cell.samples:
        return cell.note or "–"
    text = _number(seconds(cell))
    if len(cell.samples) > 2:
        text += f" ± {_number(spread([sample.seconds for sample in cell.samples]))}"
    if base is not None and base is not cell:
        text += f" ({_number(seconds(cell) / seconds(base))} ×)"
    return text


def _number(value: float) -> str:
    """Two digits that count."""
    if value >= 10:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def _lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

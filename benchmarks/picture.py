"""A picture of results: seconds and memory against the number of stages, all in powers of ten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import Cell, spread
from benchmarks.results import Results, seconds


class Panel(NamedTuple):
    """One of the diagrams that stand side by side."""

    scenario: str
    title: str
    value: Callable[[Cell], float]
    spread: Callable[[Cell], float] = lambda cell: spread([s.seconds for s in cell.samples])


PANELS = (
    Panel("nothing", "seconds, nothing to do", seconds),
    Panel("cold, parallel", "seconds, everything made, 2 at a time", seconds),
    Panel(
        "nothing",
        "MiB, nothing to do",
        lambda cell: max(sample.memory for sample in cell.samples),
        lambda cell: 0.0,
    ),
)
COLOURS = {
    "redoit": "#d62728",
    "doit": "#1f77b4",
    "dvc": "#9467bd",
    "snakemake": "#2ca02c",
    "ninja": "#555555",
    "make": "#bcbd22",
}


def draw(results: Results, path: Path) -> None:
    """Write the picture; its kind is that of ``path``'s ending. Raises ImportError without matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    # Equal results make equal files.
    matplotlib.rcParams.update({"svg.hashsalt": "redoit", "font.size": 9})
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(PANELS), figsize=(12, 3.6))
    axes[1].sharey(axes[0])
    for axis, panel in zip(axes, PANELS, strict=True):
        for tool, colour in COLOURS.items():
            cells = sorted(
                (
                    cell
                    for cell in results.cells
                    if (cell.suite, cell.scenario, cell.tool) == ("pipeline", panel.scenario, tool)
                    and cell.samples
                ),
                key=lambda cell: cell.size,
            )
            if not cells:
                continue
            axis.errorbar(
                [cell.size for cell in cells],
                [panel.value(cell) for cell in cells],
                yerr=[panel.spread(cell) for cell in cells],
                label=tool,
                color=colour,
                marker="o",
                markersize=3,
                linewidth=2 if tool == "redoit" else 1,
            )
        axis.set(xscale="log", yscale="log", title=panel.title, xlabel="stages")
        axis.xaxis.set_minor_formatter("")
        axis.grid(True, which="major", linewidth=0.3)
    # DVC may have points in some of them only.
    handles = {
        label: handle
        for axis in axes
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.tight_layout(rect=(0, 0, 0.91, 1))
    figure.legend(handles.values(), handles.keys(), loc="center right", frameon=False)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    pyplot.close(figure)

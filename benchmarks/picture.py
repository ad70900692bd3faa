"""A picture of results: seconds against the number of stages, both in powers of ten."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measure import spread
from benchmarks.results import Results, seconds

SCENARIOS = {"nothing": "nothing to do", "cold, parallel": "everything made, 2 at a time"}
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

    figure, axes = pyplot.subplots(1, len(SCENARIOS), figsize=(9, 3.6), sharey=True)
    for axis, (scenario, title) in zip(axes, SCENARIOS.items(), strict=True):
        for tool, colour in COLOURS.items():
            cells = sorted(
                (
                    cell
                    for cell in results.cells
                    if (cell.suite, cell.scenario, cell.tool) == ("pipeline", scenario, tool)
                    and cell.samples
                ),
                key=lambda cell: cell.size,
            )
            if not cells:
                continue
            axis.errorbar(
                [cell.size for cell in cells],
                [seconds(cell) for cell in cells],
                yerr=[spread([sample.seconds for sample in cell.samples]) for cell in cells],
                label=tool,
                color=colour,
                marker="o",
                markersize=3,
                linewidth=2 if tool == "redoit" else 1,
            )
        axis.set(xscale="log", yscale="log", title=title, xlabel="stages")
        axis.xaxis.set_minor_formatter("")
        axis.grid(True, which="major", linewidth=0.3)
    axes[0].set_ylabel("seconds")
    # DVC may have points in one of the two only.
    handles = {
        label: handle
        for axis in axes
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.tight_layout(rect=(0, 0, 0.88, 1))
    figure.legend(handles.values(), handles.keys(), loc="center right", frameon=False)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    pyplot.close(figure)

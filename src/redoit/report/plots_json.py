"""Plots as the JSON that ``dvc plots show`` and ``dvc plots diff`` print."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from redoit.errors import RedoitError
from redoit.experiments.plots import Image, Plot, Plots, Unreadable
from redoit.experiments.revision import problem_of
from redoit.report.plots_templates import FindTemplate
from redoit.report.plots_vega import fill


def plots_json(
    plots: Plots, find_template: FindTemplate, folder: str, *, split: bool = False
) -> dict[str, Any]:
    """What DVC prints with ``--json``, as data. ``folder`` (absolute) is where ``write_images`` puts images."""
    data: dict[str, Any] = {}
    errors: list[dict[str, str]] = []
    for plot in plots.plots:
        errors += [_error(each, plot.name) for each in plot.problems]
        try:
            data[plot.name] = list(_entries(plot, find_template, folder, split=split))
        except RedoitError as error:
            data[plot.name] = []
            errors += [_error(Unreadable(rev, problem_of(error)), plot.name) for rev in plot.revs]
    errors += [_error(each) for each in plots.problems]
    return {key: value for key, value in (("errors", errors), ("data", data)) if value}


def _entries(
    plot: Plot, find_template: FindTemplate, folder: str, *, split: bool
) -> Iterator[dict[str, Any]]:
    for image in plot.images:
        url = image_path(folder, plot.name, image)
        yield {"type": "image", "revisions": [image.rev], "url": url}
    if plot.points:
        content, apart = fill(plot, find_template(plot.template), split=split)
        entry = {"type": "vega", "revisions": list(plot.revs), "content": content}
        yield {**entry, "anchor_definitions": apart} if split else entry


def _error(unreadable: Unreadable, name: str | None = None) -> dict[str, str]:
    named = {} if name is None else {"name": name}
    source = {} if unreadable.source is None else {"source": unreadable.source}
    kind, what = unreadable.problem.kind, unreadable.problem.what
    return {**named, "rev": unreadable.rev, **source, "type": kind, "msg": what}


def image_path(folder: str, name: str, image: Image) -> str:
    """The file that an image is written to, called as DVC calls it."""
    return os.path.join(folder, f"{image.rev}_{name}".replace("/", "_"))


def write_images(plots: Plots, folder: str) -> None:
    """Write all images into ``folder``, for a reader of the JSON. Raises OSError."""
    for plot in plots.plots:
        for image in plot.images:
            os.makedirs(folder, exist_ok=True)
            with open(image_path(folder, plot.name, image), "wb") as file:
                file.write(image.data)

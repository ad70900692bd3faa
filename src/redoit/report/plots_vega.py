"""A plot and a template → a Vega-Lite specification: what stands for which anchor, as DVC has it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from redoit.errors import RedoitError
from redoit.experiments.plot_data import Row
from redoit.experiments.plot_series import FIELD, FILENAME, REV, Line
from redoit.experiments.plots import Plot
from redoit.report.plots_templates import anchor

_BETWEEN = "::"
_COLORS = ("#945dd6", "#13adc7", "#f46837", "#48bb78", "#4299e1", "#ed8936", "#f56565")
_DASHES = ([1, 0], [8, 8], [8, 4], [4, 4], [4, 2], [2, 1], [1, 1])
_SHAPES = ("circle", "square", "triangle", "diamond")
_SIZE = 300
_NOTHING: dict[str, Any] = {}
"""What an anchor stands for that has no meaning in a plot; its field is left out."""

_OPTIONAL = (
    "color", "column", "group_by_x", "group_by_y", "group_by", "pivot_field", "plot_height", "plot_width",
    "row", "shape", "stroke_dash", "tooltip", "zoom_and_pan",
)  # fmt: skip
_PLAIN = ("title", "x_label", "y_label", "data")
"""The anchors that are taken apart whether the template has them or not."""
_APART = frozenset(
    {
        *_PLAIN,
        "color",
        "plot_height",
        "plot_width",
        "shape",
        "stroke_dash",
        "tooltip",
        "zoom_and_pan",
    }
)
_NAME = re.compile(r"<DVC_METRIC_[A-Z_]+>")


class Filled(NamedTuple):
    """A template that was filled in."""

    content: dict[str, Any]
    apart: dict[str, Any]
    """The anchors that were left in, with what they stand for."""


def fill(
    plot: Plot,
    template: Mapping[str, Any],
    *,
    split: bool = False,
    revs: Sequence[str] | None = None,
) -> Filled:
    """The specification of ``plot``, which has points; with ``split`` data and looks stay apart.

    A revision has the colour of its place among ``revs``, so that it is the same in several plots; by default
    among those of this plot. Raises RedoitError for a template that has no place for the data.
    """
    used = set(_anchors(template))
    if anchor("data") not in used and not split:
        raise RedoitError(
            f"the template of '{plot.name}' has no place for the data",
            hint=f'it needs "data": {{"values": "{anchor("data")}"}}',
        )
    optional = [name for name in _OPTIONAL if anchor(name) in used]
    varied = _varied(plot.lines)
    values: dict[str, Any] = {
        **{name: value for name, value in _looks(plot, varied, revs).items() if name in optional},
        "title": plot.title,
        "x": _escaped(plot.x),
        "y": _escaped(plot.y),
        "x_label": plot.x_label,
        "y_label": plot.y_label,
        # Without a place for looks, who wrote the template tells the lines apart by file and field.
        "data": _points(plot, varied) if optional else [_json(point) for point in plot.points],
    }
    apart = {}
    if split:
        apart = {
            anchor(name): values.pop(name)
            for name in list(values)
            if name in _APART and values[name] is not _NOTHING
        }
    content = _replaced(template, {anchor(name): value for name, value in values.items()})
    return Filled(content, apart)


def _looks(plot: Plot, varied: Sequence[str], revs: Sequence[str] | None) -> dict[str, Any]:
    """What the optional anchors stand for."""
    concatenated = _BETWEEN.join(varied)
    group = [REV, *([concatenated] if varied else [])]
    fields = [REV, plot.x, plot.y, *([concatenated] if varied else [])]
    looks: dict[str, Any] = {
        "color": _scale(REV, plot.revs, _COLORS, revs),
        "zoom_and_pan": {"name": "grid", "select": "interval", "bind": "scales"},
        "plot_height": _SIZE,
        "plot_width": _SIZE,
        "group_by": group,
        "group_by_x": [*group, _escaped(plot.x)],
        "group_by_y": [*group, _escaped(plot.y)],
        "pivot_field": f" + '{_BETWEEN}' + ".join(f"datum.{name}" for name in (REV, *varied)),
        "tooltip": [{"field": _escaped(field)} for field in fields],
        **dict.fromkeys(("row", "column", "stroke_dash", "shape"), _NOTHING),
    }
    if varied:
        domain = sorted({_line_name(line, varied) for line in plot.lines})
        # The marks in a legend are drawn hollow, or dashes and shapes could not be told apart.
        legend = {"legend": {"symbolFillColor": "transparent", "symbolStrokeColor": "grey"}}
        looks.update(
            row={"field": concatenated, "sort": []},
            column={"field": concatenated, "sort": []},
            stroke_dash={**_scale(concatenated, domain, _DASHES), **legend},
            shape={**_scale(concatenated, domain, _SHAPES), **legend},
        )
    return looks


def _varied(lines: Sequence[Line]) -> list[str]:
    """By what the lines of one revision differ: their files, their fields, or both."""
    by_file = [FILENAME] if len({line.file for line in lines}) > 1 else []
    by_field = [FIELD] if len({line.field for line in lines}) > 1 else []
    return [*by_file, *by_field]


def _line_name(line: Line, varied: Sequence[str]) -> str:
    return _BETWEEN.join(line.file if name == FILENAME else line.field for name in varied)


def _scale(
    field: str, domain: Sequence[str], values: Sequence[Any], order: Sequence[str] | None = None
) -> dict[str, Any]:
    """Each of ``domain`` has the value of its place in ``order``."""
    places = {name: number for number, name in enumerate(order or domain)}
    chosen = [values[places[name] % len(values)] for name in domain]
    return {"field": field, "scale": {"domain": list(domain), "range": chosen}}


def _points(plot: Plot, varied: Sequence[str]) -> list[Row]:
    """The points as JSON has them, each with the one field that tells the lines of a revision apart."""
    points = []
    for point in plot.points:
        row = {key: _json(value) for key, value in point.items() if key not in (FILENAME, FIELD)}
        if varied:
            row[_BETWEEN.join(varied)] = _BETWEEN.join(str(point[name]) for name in varied)
        points.append(row)
    return points


def _json(value: Any) -> Any:
    """``value`` with null for the numbers that JSON has not (infinite, none at all)."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_json(item) for item in value]
    if isinstance(value, dict):
        return {key: _json(item) for key, item in value.items()}
    return value


def _escaped(field: str) -> str:
    """A field's name so that Vega does not take it for a path into the data."""
    return re.sub(r"([.\[\]])", r"\\\1", field)


def _anchors(part: Any) -> Iterator[str]:
    """The anchors that are whole values in a template."""
    if isinstance(part, str):
        if _NAME.fullmatch(part):
            yield part
    elif isinstance(part, (list, Mapping)):
        for item in part if isinstance(part, list) else part.values():
            yield from _anchors(item)


def _replaced(part: Any, values: Mapping[str, Any]) -> Any:
    """``part`` of a template filled in, all anchors at once: what is filled in is not looked at again."""
    if isinstance(part, Mapping):
        return {
            key: new
            for key, item in part.items()
            if (new := _replaced(item, values)) is not _NOTHING
        }
    if isinstance(part, list):
        return [new for item in part if (new := _replaced(item, values)) is not _NOTHING]
    if not isinstance(part, str):
        return part
    if part in values:
        return values[part]
    return _NAME.sub(
        lambda found: value if isinstance(value := values.get(found[0]), str) else found[0],
        part,
    )

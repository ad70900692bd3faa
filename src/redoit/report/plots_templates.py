"""Vega-Lite templates: the built-in ones, and those of the project or of a path.

A template is a Vega-Lite specification in which anchors stand for what is filled in: ``<DVC_METRIC_DATA>`` and so on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from redoit.errors import RedoitError

DEFAULT = "linear"
FindTemplate = Callable[[str | None], dict[str, Any]]
"""The template of that name; None: the default. Raises RedoitError."""
_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"


def anchor(name: str) -> str:
    """How the anchor ``name`` is written in a template."""
    return f"<DVC_METRIC_{name.upper()}>"


_X, _Y = anchor("x"), anchor("y")


def find_template(name: str | None, folder: str, *starts: str) -> dict[str, Any]:
    """The template ``name``: a file in ``folder`` (with or without ``.json``), a path, or a built-in one.

    A path is relative to one of ``starts``, the first where there is such a file; all are absolute. Raises RedoitError if there is none, or if it is no JSON mapping.
    """
    wanted = DEFAULT if name is None else name
    for path in (
        os.path.join(folder, wanted),
        os.path.join(folder, f"{wanted}.json"),
        *(os.path.join(start, wanted) for start in starts),
    ):
        if os.path.isfile(path):
            return _load(path)
    if wanted in BUILT_IN:
        return BUILT_IN[wanted]()
    raise RedoitError(
        f"there is no template '{wanted}'",
        facts={"looked in": os.path.join(folder, f"{wanted}.json")},
        hint=f"the built-in ones are {', '.join(BUILT_IN)}",
    )


def _load(path: str) -> dict[str, Any]:
    shown = os.path.relpath(path)
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except (OSError, ValueError, RecursionError) as error:
        raise RedoitError(f"the template {shown} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise RedoitError(
            f"the template {shown} is no Vega-Lite specification",
            hint="it must be a JSON mapping; `exp plots templates simple` prints one to begin with",
        )
    return content


def _framed(**rest: Any) -> dict[str, Any]:
    """What all templates begin with."""
    return {
        "$schema": _SCHEMA,
        "title": {"text": anchor("title"), "anchor": "middle"},
        "data": {"values": anchor("data")},
        **rest,
    }


def _sized(**rest: Any) -> dict[str, Any]:
    size = {"width": anchor("plot_width"), "height": anchor("plot_height")}
    return _framed(**size, **rest)


def _x(kind: str | None = "quantitative", **more: Any) -> dict[str, Any]:
    typed = {} if kind is None else {"type": kind}
    return {"field": _X, **typed, "title": anchor("x_label"), **more}


def _y(kind: str | None = "quantitative", **more: Any) -> dict[str, Any]:
    typed = {} if kind is None else {"type": kind}
    return {"field": _Y, **typed, "title": anchor("y_label"), **more}


_CLOSE = {"zero": False}
"""A scale that begins where the values do."""


def _simple() -> dict[str, Any]:
    return _sized(
        params=[anchor("zoom_and_pan")],
        mark={"type": "line"},
        encoding={
            "x": _x(),
            "y": _y(scale=_CLOSE),
            "color": anchor("color"),
            "strokeDash": anchor("stroke_dash"),
            "tooltip": anchor("tooltip"),
        },
    )


def _under_the_pointer() -> list[dict[str, Any]]:
    """Layers that show the values of all lines at the x nearest to the pointer."""
    near = {
        "name": "near",
        "select": {
            "type": "point",
            "encodings": ["x"],
            "nearest": True,
            "on": "pointermove",
            "clear": "pointerout",
        },
    }
    chosen = {"param": "near", "empty": False}
    return [
        {
            "transform": [{"filter": chosen}],
            "mark": {"type": "point", "filled": True, "size": 60},
            "encoding": {"y": _y(scale=_CLOSE)},
        },
        {
            "params": [near],
            "transform": [
                {"calculate": anchor("pivot_field"), "as": "line"},
                {"pivot": "line", "value": _Y, "groupby": [_X], "op": "mean"},
            ],
            "mark": {"type": "rule", "color": "gray", "tooltip": {"content": "data"}},
            "encoding": {
                "x": _x(),
                "color": {"value": "gray"},
                "strokeDash": {"value": [1, 0]},
                "opacity": {"value": 0, "condition": {**chosen, "value": 0.5}},
            },
        },
    ]


def _lines(first: list[dict[str, Any]], params: list[Any]) -> dict[str, Any]:
    return _sized(
        params=params,
        encoding={
            "x": _x(),
            "color": anchor("color"),
            "strokeDash": anchor("stroke_dash"),
        },
        layer=[*first, *_under_the_pointer()],
    )


def _linear() -> dict[str, Any]:
    line = {
        "params": [anchor("zoom_and_pan")],
        "mark": {"type": "line"},
        "encoding": {"y": _y(scale=_CLOSE), "detail": {"field": "rev"}},
    }
    return _lines([line], [])


def _smooth() -> dict[str, Any]:
    slider = {
        "name": "smoothing",
        "value": 0.3,
        "bind": {"input": "range", "min": 0.01, "max": 1, "step": 0.01, "name": "smoothing "},
    }
    raw = {
        "params": [anchor("zoom_and_pan")],
        "mark": {"type": "line", "opacity": 0.25},
        "encoding": {"y": _y(scale=_CLOSE)},
    }
    smoothed = {
        "transform": [
            {
                "loess": _Y,
                "on": _X,
                "groupby": anchor("group_by"),
                "bandwidth": {"signal": "smoothing"},
            }
        ],
        "mark": {"type": "line"},
        "encoding": {"y": _y(scale=_CLOSE)},
    }
    return _lines([raw, smoothed], [slider])


def _scatter() -> dict[str, Any]:
    return _sized(
        params=[anchor("zoom_and_pan")],
        mark={"type": "point"},
        encoding={
            "x": _x(),
            "y": _y(),
            "color": anchor("color"),
            "shape": anchor("shape"),
            "tooltip": anchor("tooltip"),
        },
    )


def _scatter_jitter() -> dict[str, Any]:
    aside = {"type": "quantitative", "axis": None, "scale": {"domain": [0, 1]}}
    return _sized(
        transform=[
            {"calculate": "random()", "as": "aside_x"},
            {"calculate": "random()", "as": "aside_y"},
        ],
        mark={"type": "point"},
        encoding={
            # No type: text stands in bands, in which the points are spread out.
            "x": _x(None),
            "y": _y(None),
            "xOffset": {"field": "aside_x", **aside},
            "yOffset": {"field": "aside_y", **aside},
            "color": anchor("color"),
            "shape": anchor("shape"),
            "tooltip": anchor("tooltip"),
        },
    )


def _bars(**order: Any) -> dict[str, Any]:
    return _sized(
        params=[anchor("zoom_and_pan")],
        mark={"type": "bar", "tooltip": {"content": "encoding"}},
        encoding={
            "x": _x(),
            "y": _y("nominal", **order),
            "yOffset": {"field": "rev", "sort": None},
            "color": anchor("color"),
            "column": anchor("column"),
        },
    )


def _matrix(transform: list[Any], value: str, form: str, ink: str) -> dict[str, Any]:
    """A cell for each pair of x and y, shaded and labelled by ``value``; ``ink``: when its label is white."""
    shaded = {"field": value, "type": "quantitative", "title": "", "scale": {"domainMin": 0}}
    return _framed(
        params=[
            {
                "name": "labels",
                "value": True,
                "bind": {"input": "checkbox", "name": "values "},
            }
        ],
        facet={"column": {"field": "rev", "sort": None, "title": None}, "row": anchor("row")},
        spec={
            "width": anchor("plot_width"),
            "height": anchor("plot_height"),
            "transform": [
                {"aggregate": [{"op": "count", "as": "number"}], "groupby": [_Y, _X]},
                *transform,
            ],
            "encoding": {"x": _x("nominal"), "y": _y("nominal")},
            "layer": [
                {
                    "mark": {"type": "rect", "tooltip": {"content": "encoding"}},
                    "encoding": {"color": shaded},
                },
                {
                    "mark": {"type": "text"},
                    "encoding": {
                        "text": {"field": value, "type": "quantitative", "format": form},
                        "opacity": {"value": 0, "condition": {"param": "labels", "value": 1}},
                        "color": {
                            "value": "black",
                            "condition": {"test": ink, "value": "white"},
                        },
                    },
                },
            ],
        },
    )


def _counted(number: str, *, by: str, of: str) -> dict[str, Any]:
    """Pairs that never occur get ``number`` 0."""
    return {"impute": number, "key": of, "groupby": anchor(by), "value": 0}


def _confusion() -> dict[str, Any]:
    return _matrix(
        [
            _counted("number", by="group_by_y", of=_X),
            _counted("number", by="group_by_x", of=_Y),
            {"joinaggregate": [{"op": "max", "field": "number", "as": "most"}], "groupby": []},
        ],
        "number",
        "d",
        "datum.number > datum.most / 2",
    )


def _confusion_normalized() -> dict[str, Any]:
    return _matrix(
        [
            {
                "joinaggregate": [{"op": "sum", "field": "number", "as": "all"}],
                "groupby": anchor("group_by_y"),
            },
            {"calculate": "datum.number / datum.all", "as": "share"},
            _counted("share", by="group_by_y", of=_X),
            _counted("share", by="group_by_x", of=_Y),
        ],
        "share",
        ".2f",
        "datum.share > 0.5",
    )


BUILT_IN: Mapping[str, Callable[[], dict[str, Any]]] = {
    "simple": _simple,
    "linear": _linear,
    "confusion": _confusion,
    "confusion_normalized": _confusion_normalized,
    "scatter": _scatter,
    "scatter_jitter": _scatter_jitter,
    "smooth": _smooth,
    "bar_horizontal_sorted": lambda: _bars(sort="-x"),
    "bar_horizontal": _bars,
}
"""Name → makes the template. The names are DVC's, in its order."""

"""Plots: from points to a Vega-Lite specification, JSON and a page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from redoit.errors import RedoitError
from redoit.experiments.plot_series import Line
from redoit.experiments.plots import Image, Plot, Plots, Unreadable
from redoit.experiments.revision import Problem
from redoit.report.plots_json import plots_json
from redoit.report.plots_page import build_page
from redoit.report.plots_templates import BUILT_IN, find_template
from redoit.report.plots_vega import fill

EVIL = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)> & {scripts} {plot_divs} \u2028"
)


def plot(*lines: Line, revs: tuple[str, ...] = ("HEAD",), **more: Any) -> Plot:
    points = [
        {"n": 1, "a.b": 2.0, "rev": rev, "filename": line.file, "field": line.field}
        for rev in revs
        for line in lines
    ]
    found = Plot(
        "p", is_image=False, title="T", points=tuple(points), x="n", y="a.b", x_label="N",
        y_label="V", lines=lines, revs=revs,
    )  # fmt: skip
    return found._replace(**more)


ONE = plot(Line("f", "a.b"))
ANCHORS = [
    "data", "title", "x", "y", "x_label", "y_label", "color", "stroke_dash", "shape", "tooltip", "row",
    "column", "group_by", "group_by_x", "group_by_y", "pivot_field", "plot_width", "plot_height", "zoom_and_pan",
]  # fmt: skip
EVERYTHING = {name: f"<DVC_METRIC_{name.upper()}>" for name in ANCHORS}
LEGEND = {"symbolFillColor": "transparent", "symbolStrokeColor": "grey"}


def test_one_line() -> None:
    assert fill(ONE, EVERYTHING).content == {
        "data": [{"n": 1, "a.b": 2.0, "rev": "HEAD"}],
        "title": "T",
        "x": "n",
        "y": r"a\.b",
        "x_label": "N",
        "y_label": "V",
        "color": {"field": "rev", "scale": {"domain": ["HEAD"], "range": ["#945dd6"]}},
        "tooltip": [{"field": "rev"}, {"field": "n"}, {"field": r"a\.b"}],
        "group_by": ["rev"],
        "group_by_x": ["rev", "n"],
        "group_by_y": ["rev", r"a\.b"],
        "pivot_field": "datum.rev",
        "plot_width": 300,
        "plot_height": 300,
        "zoom_and_pan": {"name": "grid", "select": "interval", "bind": "scales"},
    }  # row, column, stroke_dash and shape have no meaning


@pytest.mark.parametrize(
    ("lines", "name", "domain", "pivot"),
    [
        ([("f", "v"), ("g", "v")], "filename", ["f", "g"], "datum.rev + '::' + datum.filename"),
        ([("f", "w"), ("f", "v")], "field", ["v", "w"], "datum.rev + '::' + datum.field"),
        (
            [("f", "w"), ("g", "v")],
            "filename::field",
            ["f::w", "g::v"],
            "datum.rev + '::' + datum.filename + '::' + datum.field",
        ),
    ],
)
def test_several_lines(
    lines: list[tuple[str, str]], name: str, domain: list[str], pivot: str
) -> None:
    content = fill(plot(*(Line(*line) for line in lines)), EVERYTHING).content
    assert content["row"] == content["column"] == {"field": name, "sort": []}
    scale = {"domain": domain, "range": [[1, 0], [8, 8]]}
    assert content["stroke_dash"] == {"field": name, "scale": scale, "legend": LEGEND}
    assert content["shape"]["scale"]["range"] == ["circle", "square"]
    assert content["group_by"] == ["rev", name]
    assert content["pivot_field"] == pivot
    assert sorted(row[name] for row in content["data"]) == domain
    assert all(row.keys() == {"n", "a.b", "rev", name} for row in content["data"])


def test_the_same_line_twice_is_one() -> None:
    assert fill(plot(Line("f", "v"), Line("f", "v")), EVERYTHING).content["group_by"] == ["rev"]


def test_a_revision_has_its_colour_in_every_plot() -> None:
    found = fill(ONE, EVERYTHING, revs=["workspace", "HEAD"]).content["color"]["scale"]
    assert found == {"domain": ["HEAD"], "range": ["#13adc7"]}
    many = tuple(f"r{number}" for number in range(9))
    colours = fill(ONE._replace(revs=many), EVERYTHING).content["color"]["scale"]["range"]
    assert colours[7:] == colours[:2]


def test_taken_apart() -> None:
    content, apart = fill(ONE, EVERYTHING, split=True)
    kept = ["row", "column", "group_by", "group_by_x", "group_by_y", "pivot_field", "x", "y"]
    for name in ANCHORS:
        anchor = EVERYTHING[name]
        if name in kept:
            assert anchor not in apart and content.get(name) != anchor
        elif name in ("stroke_dash", "shape"):
            assert anchor not in apart and name not in content
        else:
            assert content[name] == anchor and anchor in apart
    # What every plot has is there even if the template does not ask for it.
    assert fill(ONE, {"data": "<DVC_METRIC_DATA>"}, split=True).apart.keys() == {
        f"<DVC_METRIC_{name}>" for name in ("DATA", "TITLE", "X_LABEL", "Y_LABEL")
    }


def test_filled_in_is_not_filled_again() -> None:
    evil = ONE._replace(title="<DVC_METRIC_X> <DVC_METRIC_DATA>", x_label="<DVC_METRIC_DATA>")
    template = {
        "data": "<DVC_METRIC_DATA>",
        "title": "About <DVC_METRIC_TITLE>, <DVC_METRIC_DATA>, <DVC_METRIC_OTHER>",
        "x": ["<DVC_METRIC_X_LABEL>", 1, None],
    }
    content = fill(evil, template).content
    assert content["title"] == (
        "About <DVC_METRIC_X> <DVC_METRIC_DATA>, <DVC_METRIC_DATA>, <DVC_METRIC_OTHER>"
    )
    assert content["x"] == ["<DVC_METRIC_DATA>", 1, None]
    # A template without a place for looks gets file and field of each point.
    assert content["data"][0] == {
        "n": 1,
        "a.b": 2.0,
        "rev": "HEAD",
        "filename": "f",
        "field": "a.b",
    }


def test_numbers_that_json_has_not() -> None:
    point = {"v": float("nan"), "l": [float("inf"), {"x": 1.5}], "rev": "r"}
    content = fill(ONE._replace(points=(point,)), EVERYTHING).content
    assert content["data"] == [{"v": None, "l": [None, {"x": 1.5}], "rev": "r"}]
    assert "NaN" not in json.dumps(content)


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_templates_leave_no_anchor(name: str) -> None:
    for lines in ([Line("f", "v")], [Line("f", "v"), Line("g", "w")]):
        content = fill(plot(*lines), BUILT_IN[name]()).content
        assert "<DVC_METRIC" not in json.dumps(content)
        assert content["$schema"] == "https://vega.github.io/schema/vega-lite/v5.json"
        assert content["title"]["text"] == "T"


def test_finding_templates(tmp_path: Path) -> None:
    folder, cwd = tmp_path / "plots", tmp_path / "here"
    for path, text in {
        "plots/own.json": '{"own": 1}',
        "plots/scatter.json": '{"other": 1}',
        "here/at.json": '{"at": 1}',
        "plots/bad.json": "{",
        "plots/list.json": "[]",
    }.items():
        target = tmp_path / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(text)

    def find(name: str | None) -> dict[str, Any]:
        return find_template(name, str(folder), str(cwd))

    assert find("own") == find("own.json") == {"own": 1}
    assert find("scatter") == {"other": 1}
    assert find("at.json") == find(str(cwd / "at.json")) == {"at": 1}
    assert find(None) == find("linear") == BUILT_IN["linear"]()
    for name, what in {
        "none": "there is no template 'none'",
        "bad": "cannot be read",
        "list": "is no Vega-Lite specification",
    }.items():
        with pytest.raises(RedoitError, match=what):
            find(name)


def test_a_template_needs_a_place_for_the_data() -> None:
    with pytest.raises(RedoitError, match="has no place for the data"):
        fill(ONE, {"x": "<DVC_METRIC_X>"})


# --- JSON and page --------------------------------------------------------------------------------


def _find(name: str | None) -> dict[str, Any]:
    return find_template(name, "/nowhere", "/nowhere")


def _no_script() -> str:
    raise AssertionError("nothing needs a script")


PICTURE = Plot(
    "d/i.svg",
    is_image=True,
    title="d/i.svg",
    revs=("a/b",),
    images=(Image("a/b", b"<svg/>"),),
    problems=(
        Unreadable("HEAD", Problem("FileNotFoundError", "[Errno 2] ..."), "d/i.svg"),
        Unreadable("old", Problem("MissingObject", "not in the cache"), "d/i.svg"),
    ),
)


def test_json() -> None:
    broken = Unreadable("old", Problem("SchemaProblem", "dvc.yaml is wrong"))
    printed = plots_json(
        Plots(("HEAD",), (PICTURE, ONE._replace(template="none")), (broken,)), _find, "/out"
    )
    assert printed == {
        "errors": [
            {"name": "d/i.svg", "rev": "HEAD", "source": "d/i.svg", "type": "FileNotFoundError",
             "msg": "[Errno 2] ..."},
            {"name": "d/i.svg", "rev": "old", "source": "d/i.svg", "type": "MissingObject",
             "msg": "not in the cache"},
            {"name": "p", "rev": "HEAD", "type": "RedoitError", "msg": "there is no template 'none'"},
            {"rev": "old", "type": "SchemaProblem", "msg": "dvc.yaml is wrong"},
        ],
        "data": {
            "d/i.svg": [{"type": "image", "revisions": ["a/b"], "url": "/out/a_b_d_i.svg"}],
            "p": [],
        },
    }  # fmt: skip
    assert plots_json(Plots(("workspace",), ()), _find, "/out") == {}


def test_page_of_images_needs_no_script() -> None:
    page = build_page(Plots(("a/b", "HEAD"), (PICTURE,)), _find, _no_script)
    assert page.drawn == 1 and not page.faults
    assert "<script" not in page.html
    assert "script-src 'none'" in page.html
    assert "<figcaption>a/b</figcaption>" in page.html
    assert "data:image/svg+xml;base64,PHN2Zy8+" in page.html
    assert "<b>HEAD</b> there is no d/i.svg" in page.html
    assert "<b>old</b> not in the cache" in page.html


def test_page_with_nothing_to_draw() -> None:
    empty = Plot("e.csv", is_image=False, title="e.csv")
    broken = Unreadable("old", Problem("SchemaProblem", "dvc.yaml is wrong"))
    faulty = ONE._replace(template="none")
    page = build_page(Plots(("HEAD",), (empty, faulty), (broken,)), _find, _no_script)
    assert page.drawn == 0
    assert page.faults == (("p", "there is no template 'none'"),)
    for text in (
        "there are no rows",
        "<b>old</b> dvc.yaml is wrong",
        "there is no template &#x27;none&#x27;",
    ):
        assert text in page.html


def test_many_rows_are_drawn_as_plain_lines() -> None:
    def drawn(points: int, template: str | None) -> bool:
        many = ONE._replace(points=ONE.points * points, template=template)
        html = build_page(Plots(("HEAD",), (many,)), _find, lambda: "").html
        plain = f"{points:,} rows: without values at the pointer" in html
        assert plain == ('"mark":{"type":"line"},"encoding":{"x"' in html)
        return plain

    assert [drawn(20_000, None), drawn(20_001, None), drawn(20_001, "linear")] == [
        False,
        True,
        True,
    ]
    smooth = ONE._replace(points=ONE.points * 20_001, template="smooth")
    assert "rows:" not in build_page(Plots(("HEAD",), (smooth,)), _find, lambda: "").html


def test_pictures_come_last_in_the_order_of_their_numbers() -> None:
    names = ["s/10.png", "s/9.png", "a.png"]
    pictures = [Plot(n, is_image=True, title=n, images=(Image("r", b""),)) for n in names]
    page = build_page(Plots(("HEAD",), (*pictures, ONE)), _find, lambda: "")
    assert re.findall("<h2>(.*?)</h2>", page.html) == ["T", "a.png", "s/9.png", "s/10.png"]


def test_nothing_that_is_shown_can_become_part_of_the_page() -> None:
    evil = plot(Line(EVIL, EVIL), Line("g", "v"), revs=(EVIL,), name=EVIL, title=EVIL, x_label=EVIL)
    problem = Unreadable(EVIL, Problem(EVIL, EVIL), EVIL)
    picture = Plot(EVIL + ".svg", is_image=True, title=EVIL, images=(Image(EVIL, EVIL.encode()),))
    named = evil._replace(name=f"other {EVIL}", template=EVIL)
    empty = Plot(f"empty {EVIL}", is_image=False, title=EVIL, problems=(problem,))
    plots = Plots((EVIL,), (evil, picture, named, empty), (problem,))
    html = build_page(plots, _find, lambda: "x = '</script><!--';").html
    # Ours: the plot's data, the script from the package, the script that runs it. And one picture.
    assert re.findall(r"<script[^>]*>", html) == [
        "<script>", "<script>", '<script type="application/json">',
    ]  # fmt: skip
    assert len(re.findall(r"'sha256-[\w+/]{43}='", html)) == 2
    assert html.count("</script") == 3 and "<!--" not in html
    assert re.findall(r"<img[^>]*>", html)[0].startswith('<img alt="&lt;/script&gt;')
    assert len(re.findall("<img", html)) == 1
    assert html.count("{scripts}") == html.count("{plot_divs}") > 5  # as text
    data = re.search(r'<script type="application/json">(.*?)</script>', html, re.S)
    assert data and json.loads(data[1])["data"]["values"][0]["filename::field"] == f"{EVIL}::{EVIL}"


def test_a_page_of_ones_own() -> None:
    own = "<head>{refresh_tag}{scripts}</head>{title}<body>{plot_divs}</body>"
    html = build_page(Plots(("HEAD",), (ONE,)), _find, lambda: "SCRIPT", own).html
    assert html.startswith("<head><script>SCRIPT</script>")
    assert "</head>{title}<body><section>" in html
    html = build_page(Plots(("HEAD",), (ONE,)), _find, lambda: "SCRIPT", "<p>{plot_divs}").html
    assert html.index("</section>") < html.index("<script>SCRIPT</script>")
    with pytest.raises(RedoitError, match=r"no \{plot_divs\}"):
        build_page(Plots(("HEAD",), (ONE,)), _find, lambda: "SCRIPT", "{scripts}")

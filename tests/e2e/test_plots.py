"""``exp plots``: pages, messages, exit codes; and what a browser makes of a page."""

from __future__ import annotations

import json
import re
import shutil
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from tests.browser import BROWSER, drawn
from tests.sandbox import Sandbox, dvc_sandbox

PIPELINE = """\
stages:
  train:
    cmd: mkdir -p out && cp -r source/. out
    deps: [source]
    params: [n]
    plots:
      - out/log.csv: {cache: false, x: epoch, y: loss}
      - out/images
plots:
  - both: {x: epoch, y: {out/log.csv: [loss, 'val.loss[1]']}, title: 'Both </script><b>'}
"""
EVERY = """\
plots:
  - linear: {x: epoch, y: {out/log.csv: 'val.loss[1]'}}
  - simple: {template: simple, x: epoch, y: {out/log.csv: [loss, 'val.loss[1]']}}
  - smooth: {template: smooth, x: epoch, y: {out/log.csv: [loss, 'val.loss[1]']}}
  - scatter: {template: scatter, x: epoch, y: {out/log.csv: [loss, 'val.loss[1]']}}
  - jitter: {template: scatter_jitter, x: a.ctual, y: {classes.csv: predicted}}
  - confusion: {template: confusion, x: a.ctual, y: {classes.csv: predicted}}
  - normalized: {template: confusion_normalized, x: a.ctual, y: {classes.csv: predicted}}
  - several: {template: confusion, x: a.ctual, y: {classes.csv: predicted, more.csv: predicted}}
  - bars: {template: bar_horizontal, x: loss, y: {out/log.csv: epoch}}
  - sorted: {template: bar_horizontal_sorted, x: loss, y: {out/log.csv: epoch}}
"""
CLASSES = "a.ctual,predicted\ncat,cat\ncat,dog\ndog,dog\n</script><script>document.body.dataset.bad=1</script>,cat\n"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><rect width="40" height="{}"/></svg>'


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A commit, an experiment ``big`` and a workspace that is as the experiment."""
    folder = tmp_path_factory.mktemp("history")
    sandbox = dvc_sandbox(folder / "repo", folder / "home")
    sandbox.write("dvc.yaml", PIPELINE)
    sandbox.write("params.yaml", "n: 1\n")
    sandbox.write(".gitignore", "/page\n/dvc_plots\n")
    sandbox.write("classes.csv", CLASSES)
    sandbox.write("more.csv", CLASSES)
    _write_source(sandbox, 1)
    sandbox.exp("repro", "-q")
    sandbox.commit("one")
    _write_source(sandbox, 2)
    sandbox.exp("run", "-q", "-n", "big", "-S", "n=2")
    return sandbox


def _write_source(sandbox: Sandbox, n: int) -> None:
    rows = "".join(f"{epoch},{n / (epoch + 1)},{n}\n" for epoch in range(5))
    sandbox.write("source/log.csv", f"epoch,loss,val.loss[1]\n{rows}")
    sandbox.write("source/images/bar.svg", SVG.format(10 * n))


def page_of(printed: str) -> str:
    path = re.fullmatch(r"file://(/.*index\.html)\n", printed)
    assert path, printed
    return Path(path[1]).read_text()


def specifications(page: str) -> list[dict[str, Any]]:
    found = re.findall(r'<script type="application/json">(.*?)</script>', page, re.S)
    return [json.loads(each) for each in found]


def headings(page: str) -> list[str]:
    return [unescape(each) for each in re.findall("<h2>(.*?)</h2>", page[page.rindex("<main>") :])]


def test_show(history: Sandbox) -> None:
    shown = history.exp("plots", "show")
    assert shown.stderr == ""
    page = page_of(shown.stdout)
    assert headings(page) == ["Both </script><b>", "out/log.csv", "out/images/bar.svg"]
    assert len(specifications(page)) == 2
    assert "vegaEmbed=" in page  # the script is inside
    # Whatever it shows is in it.
    inside = page[page.rindex("<main>") :]
    assert [each[:10] for each in re.findall(r'(?:src|href)="([^"]*)', inside)] == ["data:image"]


def test_diff_draws_all_revisions(history: Sandbox) -> None:
    page = page_of(history.exp("plots", "diff", "HEAD", "big", "-o", "page").stdout)
    assert "<title>Plots of HEAD, big</title>" in page
    assert re.findall("<figcaption>(.*?)</figcaption>", page) == ["HEAD", "big"]
    both = specifications(page)[0]["data"]["values"]
    assert {
        (row["rev"], row["field"], float(row["loss"])) for row in both if row["epoch"] == "0"
    } == {
        ("HEAD", "loss", 1.0),
        ("HEAD", "val.loss[1]", 1.0),
        ("big", "loss", 2.0),
        ("big", "val.loss[1]", 2.0),
    }


def test_which_revisions(history: Sandbox) -> None:
    def title(*words: str) -> str:
        page = page_of(history.exp("plots", "diff", *words, "-o", "page").stdout)
        return re.findall("<title>Plots of (.*)</title>", page)[0]

    assert title() == "workspace, HEAD"  # dvc.lock and params.yaml are changed
    assert title("big") == "workspace, big"
    assert title("main", "big", "main", "workspace") == "workspace, main, big"
    error = history.exp("plots", "diff", "bigg", code=1).stderr
    assert error.startswith("error: 'bigg' is neither a commit nor an experiment\n")


def test_targets_and_fields(history: Sandbox) -> None:
    words = ("plots", "show", "log.csv", "-y", "epoch", "--title", "T", "-o", "../page")
    page = page_of(history.exp(*words, cwd="out").stdout)
    assert headings(page) == ["T"]
    assert "<code>log.csv</code>" in page
    page = page_of(history.exp("plots", "diff", "--targets", "out/images", "--", "big").stdout)
    assert headings(page) == ["out/images/bar.svg"]
    assert "vegaEmbed" not in page  # which images do not need
    vega = json.loads(history.exp("plots", "show", "both", "--show-vega").stdout)
    one = json.loads(history.exp("plots", "show", "both", "-y", "loss", "--show-vega").stdout)
    assert len(vega["data"]["values"]) == 2 * len(one["data"]["values"]) == 10
    assert vega["title"]["text"] == "Both </script><b>"


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        ("show nothing", 1, "error: 'nothing' is neither a plot nor a file\n  without a target, "),
        ("show bothe", 1, "error: 'bothe' is neither a plot nor a file\n  did you mean \"both\"?"),
        ("diff big --targets nothing", 1, "error: 'nothing' is neither a plot nor a file\n"),
        ("show -t nothing", 1, "error: there is no template 'nothing'\n  looked in: "),
        ("show --show-vega", 2, "error: --show-vega needs one target\n"),
        ("show out/images --show-vega", 1, "error: the target has no points to draw\n"),
        ("show --json --show-vega both", 2, "error: --json and --show-vega cannot be given together"),
        ("show --split", 2, "error: --split says how JSON looks\n  add --json"),
        ("show --html-template nothing.html", 1, "error: the HTML template nothing.html cannot be read"),
        ("templates nothing", 2, "error: there is no template 'nothing'\n  the built-in ones are "),
    ],
)  # fmt: skip
def test_mistakes(history: Sandbox, words: str, code: int, error: str) -> None:
    assert history.exp("plots", *words.split(), code=code).stderr.startswith(error)


def test_templates(history: Sandbox) -> None:
    listed = history.exp("plots", "templates").stdout.split()
    assert {"linear", "confusion_normalized", "scatter_jitter"} <= set(listed)
    printed = json.loads(history.exp("plots", "templates", "simple").stdout)
    printed["mark"] = "bar"
    history.write(".dvc/plots/bars.json", json.dumps(printed))
    words = ("plots", "show", "both", "-t", "bars", "--show-vega")
    vega = json.loads(history.exp(*words).stdout)
    assert vega["mark"] == "bar"
    assert len(vega["data"]["values"]) == 10


def test_open_and_a_page_of_ones_own(history: Sandbox) -> None:
    history.write("browser", '#!/bin/sh\necho "$1" > opened\n').chmod(0o755)
    history.write(".dvc/own.html", "<p>{plot_divs}</p>{scripts}")
    history.exp("config", "plots.html_template", "own.html")
    history.exp("config", "plots.out_dir", "page/configured")
    browser = str(history.root / "browser")
    shown = history.exp("plots", "show", "out/images", "--open", BROWSER=browser)
    assert page_of(shown.stdout).startswith("<p><section>")
    assert (history.root / "opened").read_text() == shown.stdout
    assert "/page/configured/index.html" in shown.stdout
    history.git("checkout", "-q", ".dvc/config")


def test_what_cannot_be_read(history: Sandbox, project: Sandbox) -> None:
    # The script that draws, which takes seconds to build, is in the cache already.
    project = Sandbox(
        project.root, {**project.env, "XDG_CACHE_HOME": history.env["XDG_CACHE_HOME"]}
    )
    assert project.exp("plots", "show").stdout == "there are no plots\n"
    assert not (project.root / "dvc_plots").exists()
    assert project.exp("plots", "show", "--json").stdout == "{}\n"

    (project.root / "empty").mkdir()
    project.write("dvc.yaml", "plots: [empty]\n")
    assert project.exp("plots", "show").stdout == "there are no plots\n"

    project.write("dvc.yaml", "plots: [a.csv, b.csv, c.json: {x: no}, d.csv]\n")
    project.write("a.csv", "x,y\n1,2\n")
    project.write("b.csv", "x,y\n1,2\n3,4,5\n")
    project.write("c.json", '[{"x": 1}]')
    project.commit("one")
    project.write("dvc.yaml", "plots: [a.csv, b.csv, new.csv]\n")
    project.write("new.csv", "x,y\n1,2\n")
    diff = project.exp("plots", "diff")
    expected = (
        "warning: plot 'b.csv' of workspace: line 3 of b.csv has 3 fields, but there are 2 columns\n"
        "warning: plot 'b.csv' of HEAD: line 3 of b.csv has 3 fields, but there are 2 columns\n"
        "warning: plot 'c.json' of HEAD: c.json has no field 'no'; it has x\n"
        "warning: plot 'd.csv' of HEAD: there is no d.csv\n"
    )
    assert diff.stderr == expected
    page = page_of(diff.stdout)
    assert headings(page) == ["a.csv", "b.csv", "new.csv", "c.json", "d.csv"]
    assert len(specifications(page)) == 2
    assert "<b>HEAD</b> line 3 of b.csv has 3 fields" in page

    # None can be drawn: that is a failure, but there is a page that says why.
    shown = project.exp("plots", "show", "b.csv", code=1)
    assert "line 3 of b.csv" in page_of(shown.stdout)

    project.write("dvc.yaml", "plots: 3\n")
    diff = project.exp("plots", "diff")
    assert diff.stderr.startswith("warning: workspace cannot be read: ")
    assert headings(page_of(diff.stdout)) == ["a.csv", "b.csv", "c.json", "d.csv"]
    errors = json.loads(project.exp("plots", "show", "--json").stdout)["errors"]
    assert [(e["rev"], e["type"]) for e in errors] == [("workspace", "SchemaProblem")]


def test_content_that_only_the_cache_has(history: Sandbox, tmp_path: Path) -> None:
    copy = Sandbox(tmp_path / "copy", history.env)
    shutil.copytree(history.root, copy.root, symlinks=True)
    shutil.rmtree(copy.root / "out")
    (image,) = json.loads(
        copy.exp("plots", "show", "out/images/bar.svg", "--json", "-o", "page").stdout
    )["data"]["out/images/bar.svg"]
    assert Path(image["url"]).read_text() == SVG.format(20)
    shutil.rmtree(copy.root / ".dvc" / "cache")
    gone = copy.exp("plots", "diff", "big", "--targets", "out/images", code=1)
    assert "warning: plot 'out/images' of big: " in gone.stderr
    assert "Traceback" not in gone.stderr


def test_without_the_package_that_draws(history: Sandbox) -> None:
    """An environment in which ``vl-convert-python`` is not installed, as far as metadata tells."""
    history.write(
        "hidden/sitecustomize.py",
        "import importlib.metadata as m\n"
        "real = m.version\n"
        "def version(name):\n"
        "    if name == 'vl-convert-python':\n"
        "        raise m.PackageNotFoundError(name)\n"
        "    return real(name)\n"
        "m.version = version\n",
    )
    hidden = {"PYTHONPATH": str(history.root / "hidden")}
    failed = history.exp("plots", "show", code=1, **hidden)
    assert failed.stderr == (
        "error: drawing plots needs a package that is not installed\n"
        "  package: vl-convert-python, which brings Vega-Lite\n"
        "  pip install 'redoit[plots]'\n"
    )
    history.exp("plots", "show", "out/images", **hidden)
    history.exp("plots", "show", "--json", **hidden)
    history.exp("plots", "show", "both", "--show-vega", **hidden)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium")
def test_a_browser_draws_every_template(history: Sandbox, tmp_path: Path) -> None:
    """All of it without a network, and nothing that is data is run."""
    history.write("every/dvc.yaml", EVERY.replace("classes.csv", "../classes.csv").replace(
        "more.csv", "../more.csv").replace("out/log", "../out/log"))  # fmt: skip
    try:
        shown = history.exp("plots", "diff", "HEAD", "workspace", "-o", "page/every")
    finally:
        shutil.rmtree(history.root / "every")
    page = page_of(shown.stdout)
    shown_page = drawn(
        history.root / "page/every/index.html",
        "document.querySelectorAll('.vega').length > 0"
        " && !document.querySelector('.vega:not([data-state])')",
        tmp_path,
        history.env,
    )
    states = re.findall(r'data-state="(\w+)"', shown_page.markup)
    assert states == ["drawn"] * len(specifications(page)) == ["drawn"] * 12, shown_page.console
    body = shown_page.markup[shown_page.markup.index("<main>") :]
    assert body.count("<svg") >= 12
    assert len(re.findall('class="mark-line role-mark', body)) >= 4
    assert "data-bad" not in shown_page.markup
    said = "\n".join(shown_page.console)
    assert "Refused" not in said  # by the page's own policy
    assert "current version" not in said  # Vega and Vega-Lite go together

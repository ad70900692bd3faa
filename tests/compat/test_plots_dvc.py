"""``exp plots`` prints the JSON that DVC prints, but for the built-in templates, which are Redoit's own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.compat.oracle import Oracle
from tests.sandbox import Sandbox, dvc_sandbox

pytestmark = pytest.mark.oracle

PIPELINE = """\
stages:
  make:
    cmd: cp -r source/. .
    deps: [source]
    plots:
      - data/a.csv: {x: epoch, y: loss, title: Loss, x_label: Epoch, y_label: The loss}
      - data/b.tsv: {cache: false}
      - data/c.json
      - data/confusion.csv: {template: confusion, x: actual, y: predicted}
      - imgs
      - live
      - raw.csv: {header: false, y: '1'}
plots:
  - two: {x: epoch, y: {data/a.csv: loss, data/b.tsv: loss}, title: Two}
  - four: {x: epoch, y: {data/a.csv: [loss, a.cc], data/b.tsv: [loss, epoch]}, template: simple}
  - data/a.csv: {y: [loss, a.cc]}
  - multi: {x: step, y: {data/c.json: [loss, acc]}, template: scatter}
  - apart: {x: {data/a.csv: epoch}, y: {data/e.yaml: v}}
  - uneven: {x: {data/a.csv: loss}, y: {data/b.tsv: loss}}
  - xs: {x: {data/a.csv: epoch, data/e.yaml: n}, y: {data/a.csv: loss, data/e.yaml: v}}
  - mine: {template: mine, x: epoch, y: {data/a.csv: a.cc}, title: Own}
  - bars: {template: bar_horizontal, x: v, y: {data/e.yaml: n, data/f.yaml: n}}
  - lacking: {y: {data/a.csv: nothing}}
  - live: {x: step, template: smooth}
  - live/sub: {y: acc}
  - nothere.csv
  - imgs/y.svg
"""
TEMPLATE = {
    "data": {"values": "<DVC_METRIC_DATA>"},
    "title": "<DVC_METRIC_TITLE>: <DVC_METRIC_Y>",
    "mark": {"type": "point", "tooltip": "<DVC_METRIC_TOOLTIP>"},
    "width": "<DVC_METRIC_PLOT_WIDTH>",
    "transform": [{"aggregate": [], "groupby": ["<DVC_METRIC_X>", "rev"]}],
    "encoding": {
        "x": {"field": "<DVC_METRIC_X>", "title": "<DVC_METRIC_X_LABEL>"},
        "y": {"field": "<DVC_METRIC_Y>", "title": "<DVC_METRIC_Y_LABEL>"},
        "color": "<DVC_METRIC_COLOR>",
    },
}


def _write_source(sandbox: Sandbox, n: float) -> None:
    rows = range(4)
    sandbox.write(
        "source/data/a.csv", "epoch,loss,a.cc\n" + "".join(f"{i},{n / (i + 1)},{i}\n" for i in rows)
    )
    sandbox.write("source/data/b.tsv", f"epoch\tloss\n0\t{n}\n1\t{n + 1}\n2\t7\n")
    train = [{"step": i, "loss": n * i, "acc": 0.5} for i in range(3)]
    sandbox.write(
        "source/data/c.json",
        json.dumps({"k": 1, "train": train, "deep": {"test": train[:2]}, "other": [1, 2]}),
    )
    sandbox.write("source/data/e.yaml", "".join(f"- {{n: {i}, v: {n * i}}}\n" for i in rows))
    sandbox.write("source/data/f.yaml", "x:\n- {n: 3, v: 1}\n- {n: 4, v: 2}\n")
    sandbox.write("source/data/confusion.csv", "actual,predicted\ncat,cat\ncat,dog\ndog,dog\n")
    sandbox.write("source/imgs/x.png", b"\x89PNG" + str(n).encode())
    sandbox.write("source/imgs/y.svg", f"<svg>{n}</svg>")
    sandbox.write("source/live/acc.tsv", "step\tacc\n0\t0.5\n1\t0.75\n")
    sandbox.write("source/live/sub/both.tsv", "step\tacc\tloss\n0\t0.5\t3\n1\t0.75\t2\n")
    sandbox.write("source/raw.csv", f"1,2,3\n4,{n},6\n")


@pytest.fixture(scope="module")
def history(dvc: Oracle, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A commit, an experiment, and a workspace that is neither."""
    folder = tmp_path_factory.mktemp("history")
    sandbox = dvc_sandbox(folder / "repo", folder / "home")
    sandbox.write("dvc.yaml", PIPELINE)
    sandbox.write(".dvc/plots/mine.json", json.dumps(TEMPLATE))
    sandbox.write("sub/empty.csv", "a,b\n")
    _write_source(sandbox, 2)
    dvc("repro", "-q", cwd=sandbox.root, env=sandbox.env)
    sandbox.commit("one")
    _write_source(sandbox, 3)
    sandbox.exp("run", "-q", "-n", "tried")
    _write_source(sandbox, 5)
    dvc("repro", "-q", cwd=sandbox.root, env=sandbox.env)
    return sandbox


@pytest.mark.parametrize(
    ("command", "cwd"),
    [
        ("show --json", ""),
        ("show --json --split", "sub"),
        ("diff tried HEAD workspace --json --split", ""),
        ("diff --json", ""),
        ("diff tried --json -o out/put --targets imgs data/a.csv", ""),
        ("diff HEAD tried --json --targets mine ../imgs/x.png", "sub"),
        ("show data/a.csv -x loss -y a.cc --title T --x-label X --y-label Y -t simple --json", ""),
        ("show source/raw.csv --no-header -y 1 --json", ""),
        ("show source/data --json", ""),
        ("show empty.csv ../live/sub --json", "sub"),
        ("show mine --show-vega", ""),
    ],
)
def test_json_is_that_of_dvc(dvc: Oracle, history: Sandbox, command: str, cwd: str) -> None:
    words = ("plots", *command.split())
    ours = _parsed(history.exp(*words, cwd=cwd).stdout)
    dvcs = _parsed(dvc(*words, cwd=history.root / cwd, env=history.env).stdout)
    if "--show-vega" in words:
        assert ours == dvcs
        return
    assert ours["data"].keys() == dvcs["data"].keys()
    dvcs["data"].pop("../raw.csv", None)  # from a folder below DVC does not see its `header: false`
    for name, entries in dvcs["data"].items():
        assert [_looked_at(e) for e in ours["data"][name]] == [_looked_at(e) for e in entries], name
    assert _errors(ours) == _errors(dvcs)


def _parsed(text: str) -> dict[str, Any]:
    """DVC does not escape a dot in the fields of tooltips, so that such a one shows nothing."""
    parsed: dict[str, Any] = json.loads(text.replace(r"a\\.cc", "a.cc"))
    return parsed


def _looked_at(entry: dict[str, Any]) -> dict[str, Any]:
    content = entry.get("content")
    if content is None or isinstance(content["title"], str):
        return entry
    title = content["title"]["text"]
    return {**entry, "content": {"data": content["data"], "title": title}}


def _errors(printed: dict[str, Any]) -> list[tuple[str | None, ...]]:
    """The words are our own, but for a file that is not there."""
    return sorted(
        (
            (e["name"], e["rev"], e.get("source"), e["msg"])
            if e["type"] == "FileNotFoundError"
            else (e["name"], e["rev"], e.get("source"), "")
        )
        for e in printed.get("errors", [])
    )


def test_images_lie_where_dvc_puts_them(dvc: Oracle, history: Sandbox) -> None:
    words = ("plots", "diff", "HEAD", "tried", "--json", "--targets", "imgs", "-o")
    history.exp(*words, "ours")
    dvc(*words, "dvcs", cwd=history.root, env=history.env)
    ours, dvcs = (
        {path.name: path.read_bytes() for path in (history.root / folder).iterdir()}
        for folder in ("ours", "dvcs")
    )
    assert ours == dvcs
    assert len(ours) == 4


def test_the_names_of_templates_are_those_of_dvc(dvc: Oracle, history: Sandbox) -> None:
    ours = history.exp("plots", "templates").stdout
    assert ours == dvc("plots", "templates", cwd=history.root, env=history.env).stdout


@pytest.mark.parametrize(
    "name", ["simple", "linear", "confusion", "scatter", "smooth", "bar_horizontal"]
)
def test_templates_have_the_anchors_of_dvc_that_are_taken_apart(
    dvc: Oracle, history: Sandbox, name: str
) -> None:
    """An editor fills in what stands in ``anchor_definitions``: both templates take the same."""
    words = ("plots", "show", "two", "four", "bars", "-t", name, "--json", "--split")
    ours = json.loads(history.exp(*words).stdout)["data"]
    dvcs = json.loads(dvc(*words, cwd=history.root, env=history.env).stdout)["data"]
    assert ours.keys() == dvcs.keys() == {"two", "four", "bars"}
    for plot in ours:
        assert ours[plot][0]["anchor_definitions"] == dvcs[plot][0]["anchor_definitions"]

"""``exp metrics`` and ``exp params`` print the JSON that DVC prints."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.compat.oracle import Oracle
from tests.sandbox import Sandbox, dvc_sandbox

pytestmark = pytest.mark.oracle

PIPELINE = """\
metrics: [top.json]
params: [extra.toml]
stages:
  train:
    cmd: cp source.json plain.json && cp source.json cached.json && cp -r source many
    deps: [source.json]
    params: [lr, nest.a, conf.json: [x]]
    metrics:
      - plain.json: {cache: false}
      - cached.json
      - many
"""
SOURCE = {"acc": 0.123456789, "list": [1, 2], "none": None, "deep": {"n": 5, "flag": True}}


@pytest.fixture(scope="module")
def history(dvc: Oracle, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """Two branches, a tag, an experiment, and edits that are not committed."""
    folder = tmp_path_factory.mktemp("history")
    sandbox = dvc_sandbox(folder / "repo", folder / "home")
    sandbox.write("dvc.yaml", PIPELINE)
    sandbox.write("params.yaml", "lr: 0.1\nnest: {a: 1, b: [1, 2]}\nother: x\n")
    sandbox.write("conf.json", '{"x": 1, "y": 2}')
    sandbox.write("extra.toml", "k = 1\n")
    sandbox.write("top.json", '{"t": 1.5, "s": "text"}')
    sandbox.write("source.json", json.dumps(SOURCE))
    sandbox.write("source/a.json", '{"v": 1}')
    sandbox.write("source/sub/b.yaml", "v: 2\n")
    dvc("repro", "-q", cwd=sandbox.root, env=sandbox.env)
    sandbox.commit("one")
    sandbox.git("tag", "-a", "v1", "-m", "first")
    sandbox.git("checkout", "-q", "-b", "other")
    sandbox.write("params.yaml", "lr: 0.25\nnest: {a: 1, b: [1, 3]}\nnew: true\n")
    sandbox.write("source.json", json.dumps({**SOURCE, "acc": 0.5}))
    sandbox.write("top.json", "[1]")
    dvc("repro", "-q", cwd=sandbox.root, env=sandbox.env)
    sandbox.commit("two")
    sandbox.git("checkout", "-q", "main")
    dvc("checkout", "-q", cwd=sandbox.root, env=sandbox.env)
    sandbox.exp("run", "-q", "-n", "tried", "-S", "lr=0.7", "-S", "conf.json:+z=[1]")
    return sandbox


@pytest.mark.parametrize(
    "command",
    [
        "metrics show",
        "metrics show -a",
        "metrics show -T",
        "metrics show -A",
        "metrics show -a -T",
        "metrics show top.json many",
        "metrics show source.json -a",
        "metrics diff",
        "metrics diff v1",
        "metrics diff v1 other",
        "metrics diff other tried --all",
        "metrics diff v1 other --targets source.json top.json",
        "metrics diff v1 other --targets many --all",
        "params diff",
        "params diff HEAD tried",
        "params diff v1 other",
        "params diff v1 other --all",
        "params diff v1 tried --deps --all",
        "params diff --targets conf.json extra.toml --all",
        "params diff other --targets params.yaml",
    ],
)
def test_the_same_json(command: str, dvc: Oracle, history: Sandbox) -> None:
    words = [*command.split(), "--json"]
    if "--targets" in words:  # it takes all words that follow
        words.insert(2, words.pop())
    theirs = json.loads(dvc(*words, cwd=history.root, env=history.env).stdout)
    ours = json.loads(history.exp(*words).stdout)
    assert _plain(ours) == _plain(theirs)


def _plain(value: Any) -> Any:
    """Without the words of errors, which are our own."""
    if isinstance(value, dict):
        return {key: "error" if key == "error" else _plain(item) for key, item in value.items()}
    return value

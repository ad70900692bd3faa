"""``-S`` against DVC: the same values in the params files, the same refusals, the same stages run."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from redoit.errors import RedoitError
from redoit.experiments.edit_params import edit
from redoit.experiments.overrides import apply_overrides, read_overrides
from redoit.spec.formats import read_values
from redoit.spec.source import Source
from tests.compat.oracle import Oracle, dvc_decisions, our_decisions
from tests.compat.params_cases import Case, make_case
from tests.sandbox import Sandbox, dvc_sandbox

pytestmark = pytest.mark.oracle

DRIVER = Path(__file__).with_name("params_driver.py")
SEEDS = range(160)


def plain(value: Any) -> Any:
    """``value`` as JSON hands it over, types told apart, NaN made comparable."""
    if isinstance(value, dict):
        return {str(key): plain(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [plain(child) for child in value]
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    return (type(value).__name__, value)


def ours(case: Case) -> Any:
    """The values after the overrides of ``case``, or None for a refusal."""
    file = f"params{case.suffix}"
    data = case.text.encode()
    try:
        (part,) = read_overrides([f"{file}:{override}" for override in case.overrides])
        values = read_values(Source.decode(file, data))
        after = edit(file, data, values, apply_overrides(values, part))
    except RedoitError:
        return None
    return plain(read_values(Source.decode(file, after)))


def test_random_overrides_give_the_same_values(dvc_bin: Path, tmp_path: Path) -> None:
    cases = [make_case(seed) for seed in SEEDS]
    asked = []
    for seed, case in enumerate(cases):
        path = tmp_path / f"params{seed}{case.suffix}"
        path.write_text(case.text)
        asked.append((str(path), case.overrides))
    done = subprocess.run(
        [dvc_bin.parent / "python", DRIVER],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads(done.stdout)
    accepted = 0
    for case, answer in zip(cases, answers, strict=True):
        theirs = plain(answer["values"]) if "values" in answer else None
        accepted += theirs is not None
        assert ours(case) == theirs, f"{case}\n{answer}"
    assert accepted > len(cases) / 2


PIPELINE = """\
stages:
  prepare:
    cmd: cp data.txt prepared.txt
    deps: [data.txt]
    params: [prepare]
    outs: [prepared.txt]
  train:
    cmd: cat prepared.txt prepared.txt > model.txt
    deps: [prepared.txt]
    params: [train.lr, train.layers, conf.json: [depth]]
    outs: [model.txt]
  report:
    cmd: echo ${report.title} > report.txt
    outs: [report.txt]
"""
PARAMS = """\
# params
prepare:
  split: 0.2  # of all
train:
  lr: 0.1
  layers: [64, 32]
report:
  title: first
"""


@pytest.mark.parametrize(
    "overrides",
    [
        ("train.lr=0.5",),
        ("prepare.split=0.3", "report.title=second"),
        ("+unused.deep=1", "conf.json:depth=4"),
        ("train.layers=[1,2,3]", "~prepare.split", "++prepare.seed=7"),
    ],
)
def test_the_same_stages_run(overrides: tuple[str, ...], dvc: Oracle, tmp_path: Path) -> None:
    one = make_project(tmp_path / "dvc", dvc)
    shutil.copytree(one.root, tmp_path / "ours", symlinks=True)
    other = Sandbox((tmp_path / "ours").resolve(), one.env)
    options = [word for each in overrides for word in ("-S", each)]
    theirs = dvc_decisions(dvc("exp", "run", *options, cwd=one.root, env=one.env))
    got = our_decisions(other.exp("run", "-v", *options))
    assert got.merged() == theirs.merged()
    for file in ("params.yaml", "conf.json"):
        assert plain(read_values(Source(file, other.read(file)))) == plain(
            read_values(Source(file, one.read(file)))
        )
    assert other.read("dvc.lock") == one.read("dvc.lock")
    dvc("status", "-q", cwd=other.root, env=other.env)


def make_project(root: Path, dvc: Oracle) -> Sandbox:
    """A project whose stages have run, all under Git."""
    sandbox = dvc_sandbox(root, root.parent / "home")
    sandbox.write("dvc.yaml", PIPELINE)
    sandbox.write("params.yaml", PARAMS)
    sandbox.write("conf.json", '{"depth": 3}')
    sandbox.write("data.txt", "1\n")
    dvc("repro", "-q", cwd=sandbox.root, env=sandbox.env)
    sandbox.commit("first")
    return sandbox

"""`exp show` on many experiments: the first look, the next, and one after a new experiment.

The experiments are made by Git's plumbing, each with its own params, metrics and `dvc.lock`, as
`exp run -S` would leave them. Not measured: making them.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.sandbox import Sandbox, dvc_sandbox, exp_command, installed_dvc

from benchmarks.measure import Cannot, Case, Launcher, Sample

_STAGES = ("prepare", "featurize", "train", "evaluate")
_START = 1_700_000_000


def pipeline() -> str:
    """A `dvc.yaml` of a few stages in a row; the last one writes metrics that Git keeps."""
    text = "stages:\n"
    before = "raw.txt"
    for name in _STAGES:
        text += (
            f"  {name}:\n    cmd: ./{name}.sh ${{{name}.seed}}\n    deps:\n    - {before}\n"
            f"    params:\n    - {name}\n    outs:\n    - {name}.bin\n"
        )
        before = f"{name}.bin"
    return text + "    metrics:\n    - metrics.json:\n        cache: false\n"


def params(number: int) -> dict[str, dict[str, float]]:
    """The params of experiment ``number``: six for each stage."""
    return {
        name: {"seed": number, "lr": number / 1000, "depth": 3, "width": 64, "drop": 0.1, "bias": 0}
        for name in _STAGES
    }


def files(number: int) -> dict[str, str]:
    """What differs from experiment to experiment: path → content."""
    lock = "schema: '2.0'\nstages:\n"
    before = "raw.txt"
    oid = hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()
    for name, values in params(number).items():
        rows = "".join(f"        {name}.{key}: {value}\n" for key, value in sorted(values.items()))
        lock += (
            f"  {name}:\n    cmd: ./{name}.sh {number}\n    deps:\n    - path: {before}\n"
            f"      hash: md5\n      md5: {oid}\n      size: 7\n"
            f"    params:\n      params.yaml:\n{rows}"
            f"    outs:\n    - path: {name}.bin\n      hash: md5\n      md5: {oid}\n      size: 7\n"
        )
        before = f"{name}.bin"
    metrics = {"loss": 1 / (number + 1), "test": {"auc": number / 1000, "f1": 0.5}}
    return {
        "params.yaml": json.dumps(params(number)),
        "dvc.lock": lock,
        "metrics.json": json.dumps(metrics),
    }


def add_experiments(project: Sandbox, numbers: Sequence[int]) -> None:
    """Put an experiment on HEAD for each of ``numbers``, all in one `git fast-import`."""
    head = project.git("rev-parse", "HEAD")
    stream = []
    for number in numbers:
        ref = f"refs/exps/{head[:2]}/{head[2:]}/tried-{number}"
        stream.append(
            f"commit {ref}\ncommitter A <a@example.org> {_START + number} +0000\n"
            f"data 1\nx\nfrom {head}\n"
        )
        for path, text in files(number).items():
            stream.append(f"M 100644 inline {path}\ndata {len(text)}\n{text}\n")
    subprocess.run(
        ["git", "fast-import", "--quiet"],
        cwd=project.root,
        env=project.env,
        input="".join(stream).encode(),
        check=True,
    )


def make(folder: Path, experiments: int) -> Sandbox:
    """A project with as many experiments on its one baseline."""
    project = dvc_sandbox(folder / "repo", folder / "home")
    project.write("dvc.yaml", pipeline())
    project.write("raw.txt", "1")
    for path, text in files(0).items():
        project.write(path, text)
    project.commit("baseline")
    add_experiments(project, range(1, experiments + 1))
    return project


def show_cases(
    top: Path,
    launcher: Launcher,
    *,
    experiments: int,
    dvc: bool,
    slow_limit: float,
    exp: Path | None = None,
) -> list[Case]:
    """The first look, the next one, and one after a new experiment."""
    project = make(top / "show", experiments)
    added = itertools.count(experiments + 1)
    tools = {"redoit": ([str(exp or exp_command())], 600.0)}
    if dvc:
        tools["dvc"] = ([str(installed_dvc()), "exp"], slow_limit)

    given_up: dict[str, str] = {}

    def case(scenario: str, tool: str, words: list[str], *, add: bool = False) -> Case:
        command, limit = tools[tool]

        def take() -> Sample:
            if add:
                add_experiments(project, [next(added)])
            if tool in given_up:
                raise Cannot(f"the first look is {given_up[tool]}")
            try:
                return launcher.run([*command, *words], project.root, project.env, limit)
            except Cannot as reason:
                given_up[tool] = str(reason)
                raise

        return Case("show", scenario, tool, experiments, take)

    rows: dict[str, list[str]] = {
        "first look": ["show", "--json", "-f"],
        "next look": ["show", "--json"],
        "one more": ["show", "--json"],
    }
    return [
        case(scenario, tool, words, add=scenario == "one more")
        for scenario, words in rows.items()
        for tool in tools
    ]

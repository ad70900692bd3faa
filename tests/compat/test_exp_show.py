"""``exp show`` and ``exp diff`` say the same as DVC's, as data, on the same repositories."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.compat.oracle import Oracle
from tests.sandbox import Sandbox, dvc_sandbox

pytestmark = pytest.mark.oracle

EVERYTHING = {
    "params.yaml": 'lr: 0.123456789\nmodel: {depth: 3, name: "a[b]c", layers: [1, 2, {a: 1}]}\nnone: null\n',
    "p.json": '{"k": 1, "unused": 2}',
    "p.py": "X = 5\nclass T:\n    a = [1, 2]\n",
    "top.toml": "a = 1\n",
    "in.txt": "data\n",
    "raw.bin.dvc": "outs:\n- md5: d41d8cd98f00b204e9800998ecf8427e\n  size: 0\n  hash: md5\n  path: raw.bin\n",
    "extra.json": '{"e": 7}',
    "broken.json": "{",
    "dvc.yaml": """\
stages:
  train:
    cmd: >-
      mkdir -p md && echo q > out.txt && cat params.yaml > metrics.yaml && echo 1 > md/m.yaml &&
      echo '{"z": [1], "y": {"x": 1.5, "t": "text", "n": null}}' > md/n.json && echo 3 > nc.json
    deps: [in.txt, raw.bin]
    params: [lr, model.layers, {p.json: [k]}, {p.py: }]
    outs: [out.txt]
    metrics: [metrics.yaml, md, nc.json: {cache: false}]
  later:
    wdir: sub
    cmd: cp ../out.txt copy.txt && cp ../out.txt plot.csv
    deps: [../out.txt]
    outs: [copy.txt: {cache: false}]
    plots: [plot.csv]
metrics: [extra.json, missing.json, broken.json]
params: [top.toml]
""",
    "sub/.gitkeep": "",
}

FOREACH = {
    "params.yaml": "models: {small: 1, large: 2}\nseed: 7\n",
    "deep/params.yaml": "rate: 0.5\nsub: {x: 1, y: 2}\n",
    "dvc.yaml": """\
stages:
  train:
    foreach: ${models}
    do:
      cmd: echo '{"n":${item}}' > ${key}.json
      params: ["models.${key}"]
      metrics: [ "${key}.json" ]
""",
    "deep/dvc.yaml": """\
stages:
  other:
    cmd: cp ../small.json copy.json
    deps: [../small.json]
    params: [rate]
    metrics: [copy.json]
""",
    "dvc.lock": "",
}

VARS = {
    "params.yaml": "seed: 3\n",
    "conf.yaml": """\
models: {small: {n: 1, m: 2}, large: {n: 3, m: 4}}
list: [5, 6, {z: 7}]
opts: {lr: 0.1}
axis: [x, y]
name: made
unused: 1
""",
    "own.json": '{"own": 3, "spare": 4}',
    "deep/params.yaml": "rate: 0.5\nunused: 1\n",
    "deep/dvc.yaml": "stages:\n  s:\n    cmd: echo ${rate}\n",
    "dvc.yaml": """\
vars: [conf.yaml, {inline: 1}]
stages:
  train:
    foreach: ${models}
    do:
      cmd: echo ${item.n} ${key} ${inline}
  each:
    foreach: ["${list[0]}", plain]
    do:
      cmd: echo ${item}
  index:
    vars: [own.json]
    cmd: echo ${list[1]} ${list[2].z} ${own} ${seed} ${opts}
  grid:
    matrix: {a: "${axis}", b: [1, "${list[0]}"]}
    cmd: echo ${item.a} ${item.b}
    outs: ["${name}-${item.a}-${item.b}"]
""",
}

BROKEN = {"params.yaml": "a: 1\n", "dvc.yaml": "stages:\n  a:\n    cmd: [\n"}


def write(project: Sandbox, files: dict[str, str]) -> None:
    for path, text in files.items():
        if text or path != "dvc.lock":
            project.write(path, text)


def make(tmp_path: Path, files: dict[str, str], edits: list[dict[str, str]]) -> Sandbox:
    """A repository of two commits, the second with an experiment for each of ``edits``."""
    project = dvc_sandbox(tmp_path / "repo", tmp_path / "home")
    write(project, files)
    if "raw.bin.dvc" in files:
        project.write("raw.bin", "")
        project.write(".gitignore", "/raw.bin\n")
    project.commit("first", at=1_600_000_000)
    if files is not BROKEN:
        project.exp("repro", "-P")
        project.commit("second", at=1_600_000_001)
    project.git("tag", "-a", "-m", "a tag", "v1")
    project.git("tag", "plain", "HEAD~1")
    project.git("branch", "other", "HEAD~1")
    for number, edit in enumerate(edits):
        write(project, edit)
        project.exp("repro", "-P")
        project.exp(
            "save", "-n", f"e{number}", GIT_COMMITTER_DATE=f"{1_700_000_000 + number} +0000"
        )
        project.git("checkout", "-q", "--", ".")
    return project


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    edits = [{"params.yaml": f"lr: 0.{n}\nmodel: {{depth: {n}, layers: [{n}]}}\n"} for n in (2, 3)]
    return make(tmp_path_factory.mktemp("everything"), EVERYTHING, edits)


@pytest.fixture(scope="module")
def foreach(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    edits = [{"params.yaml": "models: {small: 5, large: 2}\nseed: 7\n"}]
    return make(tmp_path_factory.mktemp("foreach"), FOREACH, edits)


def told(project: Sandbox, dvc: Oracle, *args: str) -> tuple[Any, Any]:
    """What ours and DVC's command print, as data without the words of errors, which are our own."""
    ours = project.exp(*args).stdout
    theirs = dvc.on(project, "exp", *args)
    return worded(json.loads(ours)), worded(json.loads(theirs))


def worded(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"type", "msg"}:
            return "an error"
        return {key: worded(item) for key, item in value.items()}
    return [worded(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "options",
    [(), ("-A",), ("-a", "-T"), ("-n", "2", "--sha"), ("--rev", "e1", "--rev", "HEAD~1")],
    ids=" ".join,
)
def test_json_of_a_project_with_everything(
    options: tuple[str, ...], everything: Sandbox, dvc: Oracle
) -> None:
    ours, theirs = told(everything, dvc, "show", "--json", *options)
    assert ours == theirs
    assert len(ours) >= 2


def test_json_without_the_workspace(everything: Sandbox, dvc: Oracle) -> None:
    ours, theirs = told(everything, dvc, "show", "--json", "--hide-workspace", "-f")
    assert ours == theirs
    assert [each["name"] for each in ours] == ["main"]
    assert [each["name"] for each in ours[0]["experiments"]] == ["e1", "e0"]


def test_json_with_param_deps(everything: Sandbox, dvc: Oracle) -> None:
    """DVC forgets the option for baselines."""
    ours, theirs = told(everything, dvc, "show", "--json", "--param-deps")
    assert ours[0] == theirs[0]
    assert ours[1]["experiments"] == theirs[1]["experiments"]
    assert ours[1]["data"]["params"].keys() == theirs[0]["data"]["params"].keys()


@pytest.mark.parametrize("options", [(), ("-A",), ("--param-deps",)], ids=" ".join)
def test_json_of_several_pipelines(options: tuple[str, ...], foreach: Sandbox, dvc: Oracle) -> None:
    ours, theirs = told(foreach, dvc, "show", "--json", *options)
    if options == ("--param-deps",):
        for each in (*ours, *theirs):
            each["data"]["params"] = None
    assert ours == theirs


def test_json_shows_what_stages_take_from_vars_files(tmp_path: Path, dvc: Oracle) -> None:
    project = dvc_sandbox(tmp_path / "repo", tmp_path / "home")
    write(project, VARS)
    project.commit("vars")
    ours, theirs = told(project, dvc, "show", "--json")
    assert ours == theirs
    assert set(ours[0]["data"]["params"]["conf.yaml"]["data"]) > {"models.small.n", "axis.1"}
    again, _ = told(project, dvc, "show", "--json")
    assert again == ours


def test_json_of_the_project_in_a_folder(tmp_path: Path, dvc: Oracle) -> None:
    project = dvc_sandbox(tmp_path / "repo", tmp_path / "home")
    inner = Sandbox(project.root / "inner", project.env)
    project.git("mv", "-k", ".dvc", "gone")
    for name in (".dvc", ".dvcignore"):
        project.git("rm", "-rfq", "--ignore-unmatch", "--", name)
    project.git("rm", "-rfq", "gone")
    project.commit("no project yet")
    (project.root / "inner").mkdir()
    dvc.on(inner, "init", "--subdir", "-q")
    write(inner, {"params.yaml": "a: 1\n", "dvc.yaml": "params: [x.yaml]\n", "x.yaml": "b: 2\n"})
    project.commit("a project")
    ours, theirs = told(inner, dvc, "show", "--json", "-A")
    assert ours[:2] == theirs[:2]
    assert [each["rev"] for each in ours] == [each["rev"] for each in theirs]
    assert all(each["error"] for each in (*ours[2:], *theirs[2:]) if each["data"] is None)


def test_json_of_a_broken_project(tmp_path: Path, dvc: Oracle) -> None:
    project = make(tmp_path, BROKEN, [])
    ours, theirs = told(project, dvc, "show", "--json")
    assert ours == theirs
    assert ours[1]["error"] == "an error"


def test_json_without_a_commit(repo: Sandbox, dvc: Oracle) -> None:
    dvc.on(repo, "init", "-q")
    ours, theirs = told(repo, dvc, "show", "--json")
    assert ours == theirs == []


@pytest.mark.parametrize("revs", [(), ("e0",), ("e0", "e1"), ("plain", "v1")], ids=" ".join)
@pytest.mark.parametrize("options", [(), ("--all", "--param-deps")], ids=" ".join)
def test_diff(
    revs: tuple[str, ...], options: tuple[str, ...], everything: Sandbox, dvc: Oracle
) -> None:
    ours, theirs = told(everything, dvc, "diff", "--json", *options, *revs)
    for files in (ours["metrics"], theirs["metrics"]):
        for path in ("md/m.yaml", "nc.json"):  # DVC is silent about a new file that is one number
            if files.get(path, {}).get("", {"old": 0})["old"] is None:
                del files[path]
    assert ours == theirs


def test_csv(everything: Sandbox, dvc: Oracle) -> None:
    """The same cells; ours have columns for files that are one number, too."""
    args = ("show", "--csv", "--sort-by", "params.yaml:lr", "--sort-order", "desc")
    ours, theirs = (
        list(csv.DictReader(io.StringIO(text)))
        for text in (
            everything.exp(*args).stdout,
            dvc.on(everything, "exp", *args),
        )
    )
    assert [(row.pop("nc.json"), row.pop("md/m.yaml")) for row in ours] == [("3", "1")] * 4
    assert ours == theirs

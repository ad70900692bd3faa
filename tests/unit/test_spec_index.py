"""The whole project: which files are read, what they become, and what is kept of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from redoit.errors import SpecError
from redoit.model import (
    Address,
    Algo,
    Dep,
    Entry,
    Out,
    OutKind,
    ParamsDep,
    Place,
    RepoPath,
    Stage,
)
from redoit.project import Layout
from redoit.spec import Index, load_index
from redoit.spec.kept import read_stages, stage_rows

PIPELINE = """\
vars: [v.yaml]
stages:
  prepare:
    cmd: [python a.py, python b.py]
    wdir: src
    deps: [a.py, ../raw]
    params: [lr, {../other.toml: [x.y, z]}, num, {whole.json: }]
    outs:
    - ../data/
    - model: {cache: false, persist: true, remote: r, push: false, desc: d, type: t}
    metrics: [m.json]
    plots: [p.csv: {x: a, cache: false}]
    frozen: true
    desc: text
    meta: {k: [1]}
  train:
    foreach: ${names}
    do: {cmd: 'run ${item}', outs: ['m-${item}']}
metrics: [m.json]
plots: [p.csv, loss: {x: a}]
artifacts: {net: {path: model}}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, ".dvc/config", "[core]\n    no_scm = true\n")
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def index(root: Path) -> Index:
    return load_index(Layout(str(root)))


def test_a_stage_with_everything(root: Path) -> None:
    write(root, "dvc.yaml", PIPELINE)
    write(root, "v.yaml", "names: [a, b]\n")
    found = index(root)
    assert list(found.stages) == ["prepare", "train@a", "train@b"]
    assert found.groups == {"train": ("train@a", "train@b")}
    stage = found.stages["prepare"]  # type: ignore[index]
    assert stage.cmd == ("python a.py", "python b.py")
    assert stage.wdir == "src"
    assert stage.deps == (Dep("src/a.py", "a.py"), Dep("raw", "../raw"))  # type: ignore[arg-type]
    assert [(dep.path, dep.text, dep.keys) for dep in stage.params] == [
        ("src/params.yaml", "params.yaml", ("lr", "num")),
        ("other.toml", "../other.toml", ("x.y", "z")),
        ("src/whole.json", "whole.json", ()),
    ]
    assert [(out.path, out.text, out.kind) for out in stage.outs] == [
        ("data", "../data/", OutKind.OUT),
        ("src/model", "model", OutKind.OUT),
        ("src/m.json", "m.json", OutKind.METRIC),
        ("src/p.csv", "p.csv", OutKind.PLOT),
    ]
    model, plot = stage.outs[1], stage.outs[3]
    assert (model.cache, model.persist, model.remote, model.push) == (False, True, "r", False)
    assert (model.desc, model.extra) == ("d", {"type": "t"})
    assert (plot.cache, plot.extra) == (False, {"x": "a"})
    assert (stage.frozen, stage.desc, stage.meta) == (True, "text", {"k": [1]})
    assert stage.place == Place("dvc.yaml", 3, 3)
    generated = found.stages["train@b"]  # type: ignore[index]
    assert (generated.cmd, generated.group, generated.name) == ("run b", "train", "train@b")
    assert generated.place == Place("dvc.yaml", 16, 3)
    top = found.files["dvc.yaml"]  # type: ignore[index]
    assert top.metrics == ("m.json",)
    assert [(plot.name, plot.fields) for plot in top.plots] == [
        ("p.csv", None),
        ("loss", {"x": "a"}),
    ]
    assert top.artifacts == {"net": {"path": "model"}}


def test_data_files(root: Path) -> None:
    digest = "d41d8cd98f00b204e9800998ecf8427e"
    write(
        root,
        "raw.dvc",
        f"outs:\n- md5: {digest}.dir\n  size: 5\n  nfiles: 2\n  hash: md5\n  path: raw\n",
    )
    write(
        root,
        "sub/old.dvc",
        f"wdir: ..\nouts:\n- md5: {digest.upper()}\n  isexec: true\n  path: old\n",
    )
    write(
        root,
        "imp.dvc",
        f"deps:\n- path: x\n  repo: {{url: u}}\nouts:\n- xxh128: {digest}\n  hash: xxh128\n  path: imp\n",
    )
    write(
        root,
        "local.dvc",
        f"frozen: true\ndeps:\n- path: /abs/x\n  md5: {digest}\nouts:\n- path: local\n",
    )
    found = index(root)
    assert list(found.stages) == ["imp.dvc", "local.dvc", "raw.dvc", "sub/old.dvc"]
    raw, imp = found.stages["raw.dvc"], found.stages["imp.dvc"]  # type: ignore[index]
    local = found.stages["local.dvc"]  # type: ignore[index]
    assert (raw.is_data, raw.frozen, raw.outs) == (True, False, (Out("raw", "raw"),))  # type: ignore[arg-type]
    assert (imp.frozen, imp.deps) == (True, ())
    assert (local.frozen, local.deps) == (True, (Dep("/abs/x", "/abs/x"),))  # type: ignore[arg-type]
    outs = {name: trace.outs for name, trace in found.recorded.items()}
    assert outs == {
        "raw.dvc": (Entry("raw", f"{digest}.dir", Algo.MD5, 5, 2),),  # type: ignore[arg-type]
        "sub/old.dvc": (Entry("old", digest, Algo.MD5_DOS2UNIX, isexec=True),),  # type: ignore[arg-type]
        "imp.dvc": (Entry("imp", digest, Algo.XXH128),),  # type: ignore[arg-type]
        "local.dvc": (Entry("local", None, Algo.MD5_DOS2UNIX),),
    }
    assert found.stages["sub/old.dvc"].outs == (Out("old", "old"),)  # type: ignore[index,arg-type]


def simple(name: str, **fields: str) -> str:
    lines = "".join(f"    {key}: {value}\n" for key, value in {"cmd": "x", **fields}.items())
    return f"stages:\n  {name}:\n{lines}"


def test_where_is_searched(root: Path) -> None:
    write(root, "dvc.yaml", simple("top", outs="[out]"))
    write(root, "b/dvc.yaml", simple("b"))
    write(root, "b/a/dvc.yaml", simple("ba"))
    write(root, "a/dvc.yaml", simple("a"))
    write(root, "a/a.dvc", "outs:\n- path: d\n")
    for ignored in (
        "out/dvc.yaml",
        ".git/dvc.yaml",
        ".hg/x.dvc",
        ".dvc/tmp/x.dvc",
        "skip/dvc.yaml",
    ):
        write(root, ignored, "broken")
    write(root, "b/other/.dvc/config", "")
    write(root, "b/other/dvc.yaml", "broken")
    write(root, ".dvcignore", "# text\n/skip\n")
    (root / "link").symlink_to(root / "a")
    assert list(index(root).stages) == [
        "top",
        "a/a.dvc",
        "a/dvc.yaml:a",
        "b/dvc.yaml:b",
        "b/a/dvc.yaml:ba",
    ]


def test_what_git_ignores_is_not_searched(root: Path) -> None:
    write(root, ".dvc/config", "")
    write(root, ".git/info/exclude", "/private\n")
    write(root, ".gitignore", "*.tmp\n/venv\ndata/*\n!data/keep\n")
    write(root, "sub/.gitignore", "/dvc.yaml\n!x.tmp\n")
    write(root, "dvc.yaml", simple("top"))
    write(root, "sub/dvc.yaml", "broken")
    write(root, "sub/x.tmp/dvc.yaml", simple("kept"))
    for ignored in ("y.tmp", "venv/lib", "data/keep", "private"):
        write(root, f"{ignored}/dvc.yaml", "broken")
    assert list(index(root).stages) == ["top", "sub/x.tmp/dvc.yaml:kept"]


def test_a_project_below_the_top_of_git(tmp_path: Path) -> None:
    write(tmp_path, ".git/HEAD", "")
    write(tmp_path, ".gitignore", "/project/skip\n")
    write(tmp_path, "project/.dvc/config", "")
    write(tmp_path, "project/dvc.yaml", simple("top"))
    write(tmp_path, "project/skip/dvc.yaml", "broken")
    assert list(index(tmp_path / "project").stages) == ["top"]


def test_an_ignored_out_is_refused_where_it_stands(root: Path) -> None:
    write(root, ".dvcignore", "*.tmp\n")
    write(root, "dvc.yaml", simple("a", outs="[b.tmp]"))
    with pytest.raises(SpecError) as caught:
        index(root)
    assert str(caught.value.place) == "dvc.yaml:4:12"


def edit_and_load(root: Path, name: str, text: str) -> str | tuple[str, ...] | None:
    write(root, name, text)
    return index(root).stages["s"].cmd  # type: ignore[index]


def test_kept_stages_follow_every_file_that_had_a_say(root: Path) -> None:
    write(
        root, "dvc.yaml", "vars: [v.yaml]\nstages:\n  s: {cmd: '${a} ${b}', vars: [sub/w.json]}\n"
    )
    write(root, "v.yaml", "a: 1\n")
    write(root, "sub/w.json", '{"b": 1}')
    first = index(root)
    assert first.stages["s"].cmd == "1 1"  # type: ignore[index]
    assert index(root) == first
    assert edit_and_load(root, "v.yaml", "a: 2\n") == "2 1"
    assert edit_and_load(root, "sub/w.json", '{"b": 3}') == "2 3"
    assert edit_and_load(root, "v.yaml", "a: 1\n") == "1 3"
    assert edit_and_load(root, "dvc.yaml", "stages:\n  s: {cmd: plain}\n") == "plain"


def test_a_params_file_that_appears_is_noticed(root: Path) -> None:
    write(root, "dvc.yaml", "vars: [{b: 1}]\nstages:\n  s: {cmd: '${b}x'}\n")
    assert index(root).stages["s"].cmd == "1x"  # type: ignore[index]
    write(root, "params.yaml", "b: 2\n")
    with pytest.raises(SpecError):
        index(root)


def test_the_style_of_options_is_part_of_what_is_kept(root: Path) -> None:
    write(root, "dvc.yaml", "vars: [{o: {f: false}}]\nstages:\n  s: {cmd: 'x ${o}'}\n")
    assert index(root).stages["s"].cmd == "x "  # type: ignore[index]
    config = "[core]\n    no_scm = true\n[parsing]\n    bool = boolean_optional\n"
    assert edit_and_load(root, ".dvc/config", config) == "x --no-f"


def test_torn_and_foreign_states_are_as_good_as_none(root: Path) -> None:
    write(root, "dvc.yaml", simple("s"))
    first = index(root)
    states = list((root / ".dvc" / "tmp" / "redoit" / "kept").glob("spec-*.json"))
    assert states
    for content in ("{", "[]", "7", ""):
        states[0].write_text(content)
        assert index(root) == first


def test_what_json_cannot_hold_is_not_kept(root: Path) -> None:
    write(root, "dvc.yaml", simple("s", meta="{day: 2020-01-02, 1: x}"))
    assert index(root) == index(root)


def test_nothing_is_parsed_when_nothing_changed(root: Path) -> None:
    write(root, "dvc.yaml", PIPELINE)
    write(root, "v.yaml", "names: [a, b]\n")
    write(root, "raw.dvc", "outs:\n- path: raw\n")
    write(root, "src/params.yaml", "lr: 1\nnum: 2\n")
    code = (
        "import sys; from redoit.project import Layout; from redoit.spec import *\n"
        f"layout = Layout({str(root)!r}); found = load_index(layout); params = ParamsFiles(layout)\n"
        "print([params.values(dep) for dep in found.stages['prepare'].params])\n"
        "print([name for name in ('yaml', 'ruamel', 'pathspec', 'tomllib') if name in sys.modules])\n"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    values = "[{'lr': 1, 'num': 2}, None, None]\n"
    assert outputs[0].startswith(values)
    assert outputs[1] == values + "[]\n"


@pytest.mark.parametrize(
    ("text", "path", "recorded"),
    [
        ("a", "w/a", "a"),
        ("./a", "w/a", "./a"),
        ("a/", "w/a", "a/"),
        ("../a", "a", "../a"),
        ("..", "", ".."),
        (".", "w", "."),
        ("../../a", "{above}/a", "../../a"),
        ("/abs/a", "/abs/a", "/abs/a"),
        ("{root}/x/a", "x/a", "../x/a"),
        ("{root}", "", ".."),
        ("a//b/../c", "w/a/c", "a//b/../c"),
        ("~/a", "w/~/a", "~/a"),
        ("a:b", "w/a:b", "a:b"),
    ],
)
def test_paths(root: Path, text: str, path: str, recorded: str) -> None:
    names = {"root": str(root), "above": str(root.parent)}
    write(root, "dvc.yaml", simple("s", wdir="w", deps=f"['{text.format(**names)}']"))
    (dep,) = index(root).stages["s"].deps  # type: ignore[index]
    assert (dep.path, dep.text) == (path.format(**names), recorded)


def test_params_of_a_file_that_is_whole_once_are_whole(root: Path) -> None:
    write(
        root,
        "dvc.yaml",
        simple("s", params="[a, {params.yaml: }, b, {q.yaml: [c]}, {q.yaml: [d, c]}]"),
    )
    (first, second) = index(root).stages["s"].params  # type: ignore[index]
    assert first == ParamsDep("params.yaml", "params.yaml")  # type: ignore[arg-type]
    assert second == ParamsDep("q.yaml", "q.yaml", ("c", "d"))  # type: ignore[arg-type]


def test_stages_with_the_same_deps_share_them_in_what_is_kept() -> None:
    deps = tuple(Dep(RepoPath(f"sub/d{n}"), f"d{n}") for n in range(20))
    blank = Stage(
        Address("a"), "a", RepoPath("dvc.yaml"), RepoPath("sub"), "x", place=Place("dvc.yaml")
    )
    stages = [
        blank._replace(address=Address(name), name=name, deps=tuple(Dep(*dep) for dep in deps))
        for name in "abc"
    ]
    stages.append(blank._replace(deps=deps[1:]))
    state = json.loads(json.dumps(stage_rows(stages)))
    again = read_stages(RepoPath("dvc.yaml"), state)
    assert again == stages
    assert len({id(each.deps) for each in again}) == 2

"""Lock files, run-cache entries, `.dvc` files and experiment hashes, against a real DVC."""

from __future__ import annotations

import pytest

from redoit.model import Address, RepoPath, Trace
from redoit.project import Layout, find_layout
from redoit.spec import load_index, read_ignore
from redoit.store import Look, StatCache
from redoit.trace import RunCache, Traces, hash_experiment, write_data_file
from tests.compat.oracle import Oracle
from tests.sandbox import Sandbox

pytestmark = pytest.mark.oracle

PIPELINE = r"""
stages:
  plain:
    cmd: cat in.txt > plain.txt
    deps: [in.txt]
    outs: [plain.txt]
  long:
    cmd: cat in.txt > long.txt && echo one two three four five six seven eight nine ten eleven twelve && echo thirteen
    deps: [in.txt]
    params: [a, b, c, d, e, f, g, h]
    outs: [long.txt]
  lines:
    cmd: |
      mkdir -p folder/deep
      echo "it's: #1" > folder/deep/x
      echo ü > folder/ü
    deps: [plain.txt, long.txt]
    outs: [folder]
  several:
    cmd:
    - cat folder/deep/x > one
    - "cp one 'two words'; echo '{}' > m.json; chmod +x one  # done"
    deps: [folder]
    params:
    - conf/other.json: [x.y, z]
    - lr
    - whole.toml:
    outs: [one, two words]
    metrics:
    - m.json: {cache: false}
  quoted:
    cmd: 'echo "a: b" > 1e3'
    deps: [one]
    outs: ['1e3']
  each:
    foreach: [a, 0.5, yes]
    do:
      cmd: echo ${item} > each-${item}
      deps: [in.txt]
      outs: ['each-${item}']
"""
PARAMS = """\
lr: 0.001
a: 1e-7
b: null
c: [1, 2.5, 'x', [true, {k: v}]]
d: {nested: {deeper: [], empty: {}}, on: off}
e: 'yes'
f: "two\\nlines"
g: ' padded '
h: 012
"""


@pytest.fixture
def ran(project: Sandbox, dvc: Oracle) -> Sandbox:
    """A project whose pipeline DVC has run."""
    project.write("dvc.yaml", PIPELINE)
    project.write("in.txt", "in\n")
    project.write("params.yaml", PARAMS)
    project.write("conf/other.json", '{"x": {"y": [1, "é"]}, "z": 3}')
    project.write("whole.toml", 'name = "n"\n[table]\nflag = true\nsize = 3\n')
    project.write(
        "sub/dvc.yaml", "stages:\n  s:\n    cmd: echo s > s\n    deps: [../in.txt]\n    outs: [s]\n"
    )
    project.commit()
    dvc.on(project, "repro", "-q", "-P")
    return project


def traces_of(layout: Layout) -> tuple[list[Address], Traces]:
    index = load_index(layout)
    return list(index.stages), Traces(layout, index.files)


def test_a_lock_file_written_anew_is_dvcs(ran: Sandbox) -> None:
    layout = find_layout(str(ran.root))
    order, traces = traces_of(layout)
    locks = [ran.root / "dvc.lock", ran.root / "sub/dvc.lock"]
    before = [lock.read_bytes() for lock in locks]
    known = {address: traces.get(address) for address in order}
    assert None not in known.values()
    for lock in locks:
        lock.unlink()
    index = load_index(layout)
    fresh = Traces(layout, index.files)
    for address in reversed(order):
        trace = known[address]
        assert trace is not None
        fresh.record(index.stages[address], trace)
    fresh.write(dvc_order(before[0], order))
    assert [lock.read_bytes() for lock in locks] == before


def dvc_order(lock: bytes, addresses: list[Address]) -> list[Address]:
    text = lock.decode()
    return sorted(addresses, key=lambda a: text.find(f"\n  {a}:\n") if ":" not in a else -1)


def test_dvc_finds_a_lock_file_of_ours_up_to_date(ran: Sandbox, dvc: Oracle) -> None:
    layout = find_layout(str(ran.root))
    index = load_index(layout)
    traces = Traces(layout, index.files)
    ran.write("in.txt", "other\n")
    dvc.on(ran, "repro", "-q", "-P")
    changed = {address: Traces(layout, index.files).get(address) for address in index.stages}
    ran.git("checkout", "-q", "--", "in.txt")
    dvc.on(ran, "repro", "-q", "-P")
    lock = (ran.root / "dvc.lock").read_bytes()
    for address, trace in changed.items():
        assert trace is not None
        traces.record(index.stages[address], trace)
    traces.write()
    assert (ran.root / "dvc.lock").read_bytes() != lock
    ran.write("in.txt", "other\n")
    dvc.on(ran, "checkout", "-q", "-f")
    assert "up to date" in dvc.on(ran, "status")


def test_run_cache_entries_are_interchangeable(ran: Sandbox, dvc: Oracle) -> None:
    layout = find_layout(str(ran.root))
    index = load_index(layout)
    traces = Traces(layout, index.files)
    runs = ran.root / ".dvc/cache/runs"
    of_dvc = {
        path.relative_to(runs): path.read_text() for path in runs.rglob("*") if path.is_file()
    }
    assert len(of_dvc) == len(index.stages)
    cache = RunCache(layout)
    for address, stage in index.stages.items():
        trace = traces.get(address)
        assert trace is not None
        (found,) = cache.find(stage, trace._replace(outs=()))
        assert found == trace
    runs.rename(ran.root / ".dvc/cache/before")
    for address, stage in index.stages.items():
        trace = traces.get(address)
        assert trace is not None
        cache.save(stage, trace)
    of_ours = {
        path.relative_to(runs): path.read_text() for path in runs.rglob("*") if path.is_file()
    }
    assert of_ours == of_dvc
    for path in (ran.root / "dvc.lock", ran.root / "sub/dvc.lock", ran.root / "one"):
        path.unlink()
    said = dvc.on(ran, "repro", "-P")
    assert said.count("is cached") == len(index.stages)
    assert "Running" not in said


def test_experiment_hash(ran: Sandbox, dvc: Oracle) -> None:
    index = load_index(find_layout(str(ran.root)))
    traces = Traces(find_layout(str(ran.root)), index.files)
    ran.commit()
    dvc.on(ran, "exp", "run", "-q", "-f", "-n", "forced", "several")
    said = ran.git(
        "log",
        "-1",
        "--format=%s",
        ran.git("for-each-ref", "--format=%(refname)", "--sort=-committerdate", "refs/exps/").split(
            "\n"
        )[0],
    )
    names = ["plain", "long", "lines", "several"]
    ours: list[tuple[str, Trace]] = []
    for name in names:
        trace = traces.get(Address(name))
        assert trace is not None
        ours.append((name, trace))
    assert said == f"dvc: commit experiment {hash_experiment(ours)}"


DATA_FILES = {
    "plain.dvc": "outs:\n- md5: {old}\n  size: 4\n  hash: md5\n  path: plain\n",
    "comment.dvc": "# top\nouts:\n# in\n- md5: {old}\n  path: comment # name\n  hash: md5\n  desc: hello\n  # end\nmeta: {{a: 1}}\n",
    "legacy.dvc": "wdir: .\nouts:\n- md5: {old}.dir\n  size: 3\n  nfiles: 1\n  path: legacy\n",
    "git.dvc": "outs:\n- path: git\n  md5: {old}\n  size: 3\n  cache: false\n  persist: false\n",
    "sub/far.dvc": "wdir: ..\nouts:\n- md5: {old}\n  size: 3\n  path: sub/far\n  push: true\n  remote: r\n",
    "frozen.dvc": "frozen: true\nouts:\n- md5: {old}\n  size: 3\n  path: frozen\ndesc: ''\n",
}


@pytest.mark.parametrize("name", DATA_FILES)
def test_data_files_are_rewritten_as_dvc_does(project: Sandbox, dvc: Oracle, name: str) -> None:
    project.write(".dvc/config", "['remote \"r\"']\n    url = /nowhere\n")
    text = DATA_FILES[name].format(old="0123456789abcdef" * 2)
    project.write(name, text)
    data = name.removesuffix(".dvc")
    if data == "legacy":
        project.write("legacy/x", "1\n")
        project.write("legacy/y", "2\n")
    else:
        project.write(data, "content\n").chmod(0o755 if data == "git" else 0o644)
    layout = find_layout(str(project.root))
    (stage,) = load_index(layout).stages.values()
    state = StatCache(layout)
    content = Look(layout, state, read_ignore(layout)).content(stage.outs[0].path)
    state.close()
    assert content is not None
    dvc.on(project, "repro", "-q", name)
    expected = project.read(name)
    project.write(name, text)
    write_data_file(layout, stage, Trace(None, outs=(content.entry(stage.outs[0].text),)))
    assert project.read(name) == expected
    assert RepoPath(name) == stage.file

"""The run cache: which runs have a name, what is found again, what damage does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from redoit.errors import TraceError
from redoit.model import Address, Algo, Dep, Entry, Oid, Out, ParamsDep, RepoPath, Stage, Trace
from redoit.project import Layout
from redoit.trace import RunCache, runcache


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / ".dvc").mkdir()
    return Layout(str(tmp_path))


def path(text: str) -> RepoPath:
    return RepoPath(text)


STAGE = Stage(
    Address("t"),
    "t",
    path("dvc.yaml"),
    path(""),
    "python t.py",
    deps=(Dep(path("b"), "b"), Dep(path("a"), "a")),
    params=(ParamsDep(path("params.yaml"), "params.yaml", ("lr",)),),
    outs=(Out(path("o"), "o"), Out(path("m.json"), "m.json", cache=False)),
)
TRACE = Trace(
    "python t.py",
    (Entry("b", Oid("b" * 32), size=1), Entry("a", Oid("a" * 32), size=2)),
    {"params.yaml": {"lr": 0.1}},
    (Entry("o", Oid("c" * 32), size=3), Entry("m.json", Oid("d" * 32), size=4)),
)


def files(layout: Layout) -> list[Path]:
    return sorted(p for p in Path(layout.cache_dir).rglob("*") if p.is_file())


def test_an_entry_is_found_again_and_has_the_name_and_text_that_dvc_gives_it(
    layout: Layout,
) -> None:
    cache = RunCache(layout)
    cache.save(STAGE, TRACE)
    (found,) = files(layout)
    assert found.parent.parent.parent == Path(layout.root, ".dvc/cache/runs")
    assert found.parent.name[:2] == found.parent.parent.name
    assert len(found.parent.name) == len(found.name) == 64
    assert found.read_text() == (
        "cmd: python t.py\n"
        "deps:\n"
        f"- path: a\n  hash: md5\n  md5: {'a' * 32}\n  size: 2\n"
        f"- path: b\n  hash: md5\n  md5: {'b' * 32}\n  size: 1\n"
        "params:\n  params.yaml:\n    lr: 0.1\n"
        "outs:\n"
        f"- path: m.json\n  hash: md5\n  md5: {'d' * 32}\n  size: 4\n"
        f"- path: o\n  hash: md5\n  md5: {'c' * 32}\n  size: 3\n"
    )
    (again,) = cache.find(STAGE, TRACE._replace(outs=()))
    assert set(again.outs) == set(TRACE.outs)


@pytest.mark.parametrize(
    "change",
    [
        {"cmd": "python  t.py"},
        {"cmd": ["python t.py"]},
        {"deps": TRACE.deps[:1]},
        {"deps": (TRACE.deps[0], TRACE.deps[1]._replace(oid=Oid("f" * 32)))},
        {"deps": (TRACE.deps[0], TRACE.deps[1]._replace(isexec=True))},
        {"params": {"params.yaml": {"lr": 0.2}}},
        {"params": {"params.yaml": {"lr": "0.1"}}},
        {"params": {"other.yaml": {"lr": 0.1}}},
        {"params": None},
    ],
    ids=str,
)
def test_other_inputs_find_nothing(layout: Layout, change: dict[str, Any]) -> None:
    cache = RunCache(layout)
    cache.save(STAGE, TRACE)
    assert cache.find(STAGE, TRACE._replace(**change)) == []


def test_sizes_do_not_count_but_a_param_of_that_name_does(layout: Layout) -> None:
    cache = RunCache(layout)
    one = TRACE._replace(params={"params.yaml": {"size": 1}})
    cache.save(STAGE, one)
    deps = tuple(dep._replace(size=None) for dep in TRACE.deps)
    assert len(cache.find(STAGE, one._replace(deps=deps))) == 1
    # DVC gives both the same name; the entry says which it is.
    assert cache.find(STAGE, TRACE._replace(params={"params.yaml": {"size": 2}})) == []


def test_the_newest_entry_comes_first(layout: Layout) -> None:
    cache = RunCache(layout)
    traces = [
        TRACE._replace(outs=(TRACE.outs[0], TRACE.outs[1]._replace(oid=Oid(c * 32)))) for c in "123"
    ]
    for number, trace in enumerate(traces):
        cache.save(STAGE, trace)
        newest = max(files(layout), key=lambda p: p.stat().st_mtime_ns)
        os.utime(newest, ns=(number * 10**9, number * 10**9))
    found = [next(e.oid for e in t.outs if e.path == "m.json") for t in cache.find(STAGE, TRACE)]
    assert found == ["3" * 32, "2" * 32, "1" * 32]


def test_saving_twice_writes_once(layout: Layout) -> None:
    cache = RunCache(layout)
    cache.save(STAGE, TRACE)
    (file,) = files(layout)
    os.utime(file, ns=(1, 1))
    cache.save(STAGE, TRACE)
    assert file.stat().st_mtime_ns == 1
    assert files(layout) == [file]


@pytest.mark.parametrize(
    "change",
    [
        {"always_changed": True},
        {"deps": (), "params": ()},
        {"outs": ()},
        {"cmd": None},
        {"outs": (Out(path("o"), "o", persist=True),)},
        {"outs": (Out(path("/abs/o"), "/abs/o"),)},
    ],
    ids=str,
)
def test_some_stages_have_no_run_cache(layout: Layout, change: dict[str, Any]) -> None:
    cache = RunCache(layout)
    other = STAGE._replace(**change)
    assert not cache.applies(other)
    cache.save(other, TRACE)
    assert files(layout) == []
    assert cache.find(other, TRACE) == []


@pytest.mark.parametrize(
    "change",
    [
        {"deps": (Entry("a", None),)},
        {"outs": (Entry("o", None),)},
        {"params": {"params.yaml": {}}},
    ],
    ids=str,
)
def test_a_trace_with_gaps_is_not_kept(layout: Layout, change: dict[str, Any]) -> None:
    cache = RunCache(layout)
    cache.save(STAGE, TRACE._replace(**change))
    assert files(layout) == []


@pytest.mark.parametrize("text", [b"", b"cmd: x\nouts: 3\n", b"\xff\0", b"[", b"- a\n"])
def test_a_damaged_entry_is_reported_removed_and_written_anew(layout: Layout, text: bytes) -> None:
    cache = RunCache(layout)
    cache.save(STAGE, TRACE)
    (file,) = files(layout)
    file.write_bytes(text)
    assert cache.find(STAGE, TRACE) == []
    assert len(cache.warnings) == 1
    assert str(file) in cache.warnings[0]
    assert files(layout) == []
    cache.save(STAGE, TRACE)
    assert len(cache.find(STAGE, TRACE)) == 1


def test_an_entry_under_a_wrong_name_is_not_believed(layout: Layout) -> None:
    cache = RunCache(layout)
    cache.save(STAGE, TRACE)
    (file,) = files(layout)
    file.write_text(file.read_text().replace("a" * 32, "e" * 32))
    assert cache.find(STAGE, TRACE) == []


def test_a_kill_while_an_entry_is_written_leaves_nothing(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = RunCache(layout)
    cache.save(STAGE, TRACE)
    other = TRACE._replace(params={"params.yaml": {"lr": 0.2}})
    before = files(layout)

    def killed(*_: object) -> None:
        os._exit(9)

    monkeypatch.setattr(runcache, "write_all", killed)
    child = os.fork()
    if child == 0:
        cache.save(STAGE, other)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert files(layout) == before


def test_no_leftovers_and_folders_of_others_are_ignored(layout: Layout) -> None:
    cache = RunCache(layout)
    cache.save(STAGE, TRACE)
    (file,) = files(layout)
    (file.parent / "folder").mkdir()
    assert len(cache.find(STAGE, TRACE)) == 1


def test_xxh128_has_a_folder_of_its_own(layout: Layout) -> None:
    Path(layout.dvc_dir, "redoit.toml").write_text('hash = "xxh128"\n')
    trace = TRACE._replace(outs=(Entry("o", Oid("c" * 32), Algo.XXH128, 1),))
    stage = STAGE._replace(outs=STAGE.outs[:1])
    cache = RunCache(Layout(layout.root))
    cache.save(stage, trace)
    assert files(layout)[0].parts[-4] == "runs-xxh128"
    assert f"hash: xxh128\n  xxh128: {'c' * 32}" in files(layout)[0].read_text()
    assert cache.find(stage, trace)[0].outs == trace.outs


def test_a_cache_that_cannot_be_written_is_an_error(layout: Layout) -> None:
    Path(layout.cache_dir).mkdir()
    Path(layout.cache_dir, "runs").write_text("")
    with pytest.raises(TraceError, match="run cache"):
        RunCache(layout).save(STAGE, TRACE)


def test_a_shared_cache_is_open_to_the_group(layout: Layout) -> None:
    Path(layout.dvc_dir, "config").write_text("[cache]\n    shared = group\n")
    RunCache(Layout(layout.root)).save(STAGE, TRACE)
    (file,) = files(layout)
    assert file.stat().st_mode & 0o777 == 0o664
    assert file.parent.stat().st_mode & 0o7777 == 0o2775

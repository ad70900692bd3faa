"""When a stage must run: one row for each change of state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from redoit.engine.decide import all_reasons, same_record
from redoit.model import Address, Algo, Dep, Entry, Oid, Out, ParamsDep, RepoPath, Stage, Trace, Why

STAGE = Stage(
    Address("train"),
    "train",
    RepoPath("dvc.yaml"),
    RepoPath(""),
    "python train.py",
    deps=(Dep(RepoPath("train.py"), "train.py"), Dep(RepoPath("data"), "data")),
    params=(ParamsDep(RepoPath("params.yaml"), "params.yaml", ("lr", "deep.er")),),
    outs=(Out(RepoPath("model"), "model"), Out(RepoPath("m.json"), "m.json", cache=False)),
)
TRACE = Trace(
    "python train.py",
    deps=(Entry("data", Oid("d1.dir")), Entry("train.py", Oid("t1"))),
    params={"params.yaml": {"lr": 0.1, "deep.er": None}},
    outs=(Entry("m.json", Oid("j1")), Entry("model", Oid("m1"))),
)


@dataclass
class Table:
    """A View made of dicts: what is there, what the cache holds."""

    files: dict[str, str] = field(
        default_factory=lambda: {"train.py": "t1", "data": "d1.dir", "model": "m1", "m.json": "j1"}
    )
    cache: set[str] = field(default_factory=lambda: {"m1"})
    values: dict[str, Any] | None = field(default_factory=lambda: {"lr": 0.1, "deep.er": None})
    sources: dict[str, str] | None = None
    """What is recorded of the outs that deps are; None: nothing may be missing."""
    parts: frozenset[str] = frozenset()
    """Of these directories only a part is there."""

    def exists(self, path):
        return path in self.files

    def matches(self, path, entry):
        return self.files.get(path) == entry.oid

    def cached(self, entry):
        return entry.oid in self.cache

    def may_lack(self, path, entry):
        return self.sources is not None and self.sources.get(path, entry.oid) == entry.oid

    def may_be_part(self, path, entry):
        return path in self.parts and self.may_lack(path, entry)

    def digest(self, path):
        return self.files.get(path)

    def params(self, dep):
        return self.values


def reasons(
    stage=STAGE, trace=TRACE, *, files=None, cache=None, values=..., sources=None, parts=()
):
    table = Table(sources=sources, parts=frozenset(parts))
    for path, content in (files or {}).items():
        if content is None:
            del table.files[path]
        else:
            table.files[path] = content
    if cache is not None:
        table.cache = cache
    if values is not ...:
        table.values = values
    return list(all_reasons(stage, trace, table))


FROZEN = STAGE._replace(frozen=True)
CALLBACK = STAGE._replace(deps=(), params=(), outs=())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"trace": None}, [(Why.NEVER_RAN, "train", None, None)]),
        (
            {"stage": STAGE._replace(frozen=True), "trace": None},
            [(Why.NEVER_RAN, "train", None, None)],
        ),
        ({"stage": STAGE._replace(frozen=True, outs=()), "trace": None}, []),
        (
            {"stage": STAGE._replace(cmd="python train.py -v")},
            [(Why.COMMAND_CHANGED, "train", "python train.py", "python train.py -v")],
        ),
        (
            {"stage": STAGE._replace(cmd=("a", "b")), "trace": TRACE._replace(cmd=["a", "b"])},
            [],
        ),
        ({"files": {"train.py": "t2"}}, [(Why.DEP_CHANGED, "train.py", "t1", "t2")]),
        ({"files": {"data": None}}, [(Why.DEP_MISSING, "data", "d1.dir", "missing")]),
        ({"trace": TRACE._replace(deps=TRACE.deps[1:])}, [(Why.DEP_NEW, "data", None, "d1.dir")]),
        ({"stage": STAGE._replace(deps=STAGE.deps[:1])}, []),
        (
            {"values": {"lr": 0.2, "deep.er": None}},
            [(Why.PARAM_CHANGED, "params.yaml:lr", 0.1, 0.2)],
        ),
        ({"values": {"lr": 0.1}}, [(Why.PARAM_MISSING, "params.yaml:deep.er", None, None)]),
        ({"values": None}, [(Why.PARAMS_FILE_MISSING, "params.yaml", None, None)]),
        (
            {"trace": TRACE._replace(params={"params.yaml": {"lr": 0.1}})},
            [(Why.PARAM_NEW, "params.yaml:deep.er", None, None)],
        ),
        (
            {"trace": TRACE._replace(params=None)},
            [(Why.PARAM_NEW, "params.yaml", None, {"lr": 0.1, "deep.er": None})],
        ),
        ({"files": {"model": None}}, [(Why.OUT_MISSING, "model", None, None)]),
        ({"files": {"model": "m2"}}, [(Why.OUT_CHANGED, "model", "m1", "m2")]),
        ({"files": {"m.json": "j2"}}, [(Why.OUT_CHANGED, "m.json", "j1", "j2")]),
        ({"trace": TRACE._replace(outs=TRACE.outs[:1])}, [(Why.OUT_NEW, "model", None, None)]),
        ({"cache": set()}, [(Why.OUT_NOT_CACHED, "model", "m1", None)]),
        ({"stage": STAGE._replace(always_changed=True)}, [(Why.ALWAYS, "train", None, None)]),
        (
            {"stage": CALLBACK, "trace": TRACE._replace(deps=(), params=None, outs=())},
            [(Why.ALWAYS, "train", None, None)],
        ),
        ({"stage": FROZEN, "files": {"train.py": "t2", "data": None}, "values": None}, []),
        ({"stage": FROZEN, "files": {"model": "m2"}}, [(Why.OUT_CHANGED, "model", "m1", "m2")]),
        ({"stage": FROZEN._replace(always_changed=True)}, []),
        (
            {"stage": STAGE._replace(params=(ParamsDep(RepoPath("params.yaml"), "params.yaml"),))},
            [],
        ),
        (
            {
                "stage": STAGE._replace(
                    params=(ParamsDep(RepoPath("params.yaml"), "params.yaml"),)
                ),
                "values": {"lr": 0.1, "deep.er": None, "more": 1},
            },
            [(Why.PARAM_NEW, "params.yaml:more", None, 1)],
        ),
        (
            {
                "stage": STAGE._replace(
                    params=(ParamsDep(RepoPath("params.yaml"), "params.yaml"),)
                ),
                "values": {"lr": 0.1},
            },
            [(Why.PARAM_MISSING, "params.yaml:deep.er", None, None)],
        ),
        (
            {
                "values": {"lr": 0.1, "deep.er": (1,)},
                "trace": TRACE._replace(params={"params.yaml": {"lr": 0.1, "deep.er": [1]}}),
            },
            [],
        ),
    ],
)
def test_what_makes_a_stage_run(change, expected):
    assert [(r.kind, r.subject, r.old, r.new) for r in reasons(**change)] == expected


@pytest.mark.parametrize(
    ("sources", "change", "expected"),
    [
        ({}, {"files": {"data": None}}, []),
        ({"data": "d1.dir"}, {"files": {"data": None}}, []),
        ({"data": "d2.dir"}, {"files": {"data": None}}, [Why.DEP_MISSING]),
        ({}, {"files": {"data": None}, "trace": TRACE._replace(deps=TRACE.deps[1:])}, [Why.DEP_MISSING]),
        ({}, {"files": {"model": None, "m.json": None}}, []),
        ({}, {"files": {"model": None}, "trace": TRACE._replace(outs=TRACE.outs[:1])}, [Why.OUT_MISSING]),
        ({}, {"cache": set()}, []),
        ({}, {"files": {"train.py": "t2", "data": None}}, [Why.DEP_CHANGED]),
        ({}, {"files": {"model": "m2"}}, [Why.OUT_CHANGED]),
        ({}, {"files": {"data": "some of it"}, "parts": ["data"]}, []),
        ({}, {"files": {"model": "some of it"}, "parts": ["model"]}, []),
        ({"data": "d2.dir"}, {"files": {"data": "some of it"}, "parts": ["data"]}, [Why.DEP_CHANGED]),
        ({}, {"trace": None}, [Why.NEVER_RAN]),
    ],
)  # fmt: skip
def test_data_that_may_be_missing(sources, change, expected):
    assert [r.kind for r in reasons(**change, sources=sources)] == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Entry("a", Oid("1")), Entry("b", Oid("1")), True),
        (Entry("a", Oid("1")), Entry("b", Oid("2")), False),
        (Entry("a", Oid("1"), Algo.MD5_DOS2UNIX, 5), Entry("b", Oid("2"), Algo.MD5, 5), True),
        (Entry("a", Oid("1"), Algo.MD5_DOS2UNIX, 5), Entry("b", Oid("2"), Algo.MD5, 6), False),
        (Entry("a", Oid("1"), Algo.MD5_DOS2UNIX), Entry("b", Oid("2"), Algo.XXH128, 6), True),
        (Entry("a", Oid("1.dir"), Algo.MD5_DOS2UNIX), Entry("b", Oid("2"), Algo.MD5), False),
        (Entry("a", None), Entry("b", None), False),
    ],
)
def test_records_of_one_content(one, other, same):
    assert same_record(one, other) is same


def test_all_reasons_are_told():
    found = reasons(files={"train.py": "t2", "model": None}, values={"lr": 9, "deep.er": None})
    assert {r.kind for r in found} == {Why.DEP_CHANGED, Why.OUT_MISSING, Why.PARAM_CHANGED}

"""Edges, checks and the selection of targets."""

from __future__ import annotations

import random

import pytest

from redoit.errors import CycleError, DuplicateOut, OverlappingOuts, StageInsideOut, TargetNotFound
from redoit.graph import build_graph, post_order
from redoit.model import Address, Dep, Out, ParamsDep, RepoPath, Request, Stage
from redoit.selection import select


def stage(
    name: str, deps: str = "", outs: str = "", *, params: str = "", file: str = "dvc.yaml", **more
) -> Stage:
    address = name if file == "dvc.yaml" else f"{file}:{name}"
    return Stage(
        address=Address(address),
        name=name,
        file=RepoPath(file),
        wdir=RepoPath(""),
        cmd=more.pop("cmd", f"make {name}"),
        deps=tuple(Dep(RepoPath(p), p) for p in deps.split()),
        params=tuple(ParamsDep(RepoPath(p), p) for p in params.split()),
        outs=tuple(Out(RepoPath(p), p) for p in outs.split()),
        **more,
    )


def data(path: str) -> Stage:
    return Stage(
        Address(f"{path}.dvc"),
        f"{path}.dvc",
        RepoPath(f"{path}.dvc"),
        RepoPath(""),
        None,
        outs=(Out(RepoPath(path), path),),
    )


def graph_of(*stages: Stage):
    return build_graph({s.address: s for s in stages})


def order(graph, root="/nowhere", groups=None, **request) -> list[str]:
    if "targets" in request:
        request["targets"] = tuple(request["targets"].split())
    return [s.address for s in select(graph, groups or {}, Request(**request), root).stages]


@pytest.mark.parametrize(
    ("dep", "out", "edge"),
    [
        ("a", "a", True),
        ("d/a", "d", True),
        ("d", "d/a", True),
        ("d/e/f/a", "d/e", True),
        ("d", "d/e/f/a", True),
        ("da", "d", False),
        ("d", "da/x", False),
        ("d/a", "d/b", False),
        ("/abs/x", "/abs/x", True),
        ("/abs", "/abs/x/y", True),
        ("/abs/x", "/abs2/x", False),
        ("é/a", "é", True),
    ],
)
def test_an_edge_is_where_paths_meet(dep, out, edge):
    graph = graph_of(stage("reads", deps=dep), stage("writes", outs=out))
    assert graph.upstream["reads"] == (("writes",) if edge else ())


def test_a_params_file_that_a_stage_writes_is_an_edge():
    graph = graph_of(
        stage("reads", params="conf/params.yaml"), stage("writes", outs="conf/params.yaml")
    )
    assert graph.upstream["reads"] == ("writes",)


def test_edges_keep_the_order_of_deps():
    graph = graph_of(
        stage("a", outs="a"),
        stage("b", outs="b/1"),
        stage("c", outs="b/2"),
        stage("all", deps="b a"),
    )
    assert graph.upstream["all"] == ("b", "c", "a")


def test_two_stages_that_write_one_path_are_both_named():
    with pytest.raises(DuplicateOut) as error:
        graph_of(stage("one", outs="x"), stage("two", outs="x"))
    assert "'one' and 'two'" in error.value.render()


@pytest.mark.parametrize(("first", "second"), [("d", "d/a/b"), ("d/a/b", "d"), ("d/a/b", "d/a")])
def test_an_out_inside_another_is_refused_with_both_stages(first, second):
    with pytest.raises(OverlappingOuts) as error:
        graph_of(stage("one", outs=first), stage("two", outs=second))
    assert "'one'" in error.value.render()
    assert "'two'" in error.value.render()


def test_a_stage_may_write_into_a_directory_that_is_no_out():
    graph_of(stage("one", outs="d/a"), stage("two", outs="d/b"), stage("three", outs="d/c/x"))


def test_a_file_of_stages_inside_an_out_is_refused():
    with pytest.raises(StageInsideOut):
        graph_of(stage("one", outs="d"), stage("two", outs="x", file="d/dvc.yaml"))


def test_a_circle_is_shown_as_a_path():
    with pytest.raises(CycleError) as error:
        graph_of(stage("a", "z", "x"), stage("b", "x", "y"), stage("c", "y", "z"))
    assert "a → c → b → a" in error.value.render()


def test_a_stage_that_reads_its_own_out_is_a_circle():
    with pytest.raises(CycleError, match="depends on its own out"):
        graph_of(stage("a", "x", "x"))


def test_a_chain_longer_than_the_stack_is_no_problem():
    count = 5000
    graph = graph_of(
        *(stage(f"s{i}", f"f{i - 1}" if i else "", f"f{i}") for i in reversed(range(count)))
    )
    assert order(graph, all_pipelines=True) == [f"s{i}" for i in range(count)]


DIAMOND = graph_of(
    data("raw"),
    stage("top", "raw", "t"),
    stage("left", "t", "l"),
    stage("right", "t", "r"),
    stage("join", "l r", "j"),
    stage("lone", "", "x"),
    stage("ice", "j", "i", frozen=True),
    stage("melt", "i", "m"),
)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"targets": "join"}, "raw.dvc top left right join"),
        ({"targets": "right lone"}, "raw.dvc top right lone"),
        ({"targets": "raw.dvc"}, "raw.dvc"),
        ({"targets": "join", "single_item": True}, "join"),
        ({"targets": "join top join", "single_item": True}, "join top"),
        ({"targets": "left", "downstream": True}, "left join"),
        ({"targets": "top", "downstream": True}, "top left right join"),
        ({"targets": "left", "pipeline": True}, "raw.dvc top left right join"),
        ({"targets": "left", "pipeline": True, "single_item": True}, "raw.dvc top left right join"),
        ({"targets": "lone left", "pipeline": True}, "lone raw.dvc top left right join"),
        ({"all_pipelines": True}, "raw.dvc top left right join lone ice melt"),
        ({}, "raw.dvc top left right join lone ice melt"),
        ({"targets": "melt"}, "ice melt"),
        ({"targets": "ice"}, "ice"),
        ({"targets": "*t", "glob": True}, "raw.dvc top left right ice melt"),
    ],
)
def test_selection(request_, expected):
    assert order(DIAMOND, **request_) == expected.split()


def test_groups_and_files():
    graph = graph_of(
        stage("train@a", "", "ta"),
        stage("train@b", "", "tb"),
        stage("train", "", "other", file="sub/dvc.yaml"),
    )
    groups = {Address("train"): (Address("train@a"), Address("train@b"))}
    assert order(graph, groups=groups, targets="train") == ["train@a", "train@b"]
    assert order(graph, groups=groups, targets="train@b") == ["train@b"]
    assert order(graph, groups=groups, targets="sub/dvc.yaml:train") == ["sub/dvc.yaml:train"]
    assert order(graph, groups=groups, targets="sub/dvc.yaml") == ["sub/dvc.yaml:train"]
    assert order(graph, groups=groups, targets="train", cwd="/nowhere/sub") == [
        "sub/dvc.yaml:train"
    ]
    assert order(graph, groups=groups, targets="../dvc.yaml:train@a", cwd="/nowhere/sub") == [
        "train@a"
    ]
    assert order(graph, groups=groups, targets="train@a", cwd="/nowhere/sub") == ["train@a"]
    assert order(graph, groups=groups, targets="sub/dvc.yaml:train", cwd="/nowhere/sub") == [
        "sub/dvc.yaml:train"
    ]
    assert order(graph, groups=groups, cwd="/nowhere/sub") == ["sub/dvc.yaml:train"]


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        ("jion", "did you mean 'join'"),
        ("j", "'j' is not a stage but an out of 'join'"),
        ("sub/dvc.yaml:x", "does not exist"),
        ("rwa.dvc", "did you mean 'raw.dvc'"),
    ],
)
def test_an_unknown_target_gets_help(target, hint):
    with pytest.raises(TargetNotFound) as error:
        order(DIAMOND, targets=target)
    assert hint in error.value.render()


def test_post_order_puts_sources_first():
    edges = {"a": ["b", "c"], "b": ["c"], "c": []}
    assert post_order(["a"], edges) == ["c", "b", "a"]


def test_stages_that_share_a_list_of_deps_are_ordered_as_if_each_had_its_own() -> None:
    rng = random.Random(5)
    stages: list[Stage] = []
    for row in range(5):
        outs = [out.path for s in stages for out in s.outs]
        lists = [tuple(Dep(p, p) for p in rng.sample(outs, 12)) if row else () for _ in range(2)]
        more = [stage(f"s{row}-{n}", outs=f"o{row}-{n}") for n in range(12)]
        stages += [s._replace(deps=rng.choice(lists)) for s in more]
    rng.shuffle(stages)
    apart = [s._replace(deps=tuple(Dep(*dep) for dep in s.deps)) for s in stages]
    assert graph_of(*stages) == graph_of(*apart)
    for request in ({}, {"targets": "s4-3 s2-1"}, {"targets": "s1-1", "downstream": True}):
        assert order(graph_of(*stages), **request) == order(graph_of(*apart), **request)


def test_a_cycle_is_found_behind_a_shared_list_of_deps() -> None:
    deps = tuple(Dep(RepoPath(f"o{n}"), f"o{n}") for n in range(12))
    inner = [stage(f"s{n}", outs=f"o{n}") for n in range(12)]
    inner[7] = stage("s7", "end", "o7")
    outer = [stage(f"t{n}", outs=f"p{n}")._replace(deps=deps) for n in range(3)]
    with pytest.raises(CycleError) as caught:
        graph_of(*outer, *inner, stage("end", "p1", "end"))
    assert caught.value.facts == {"circle": "s7 → end → t1 → s7"}

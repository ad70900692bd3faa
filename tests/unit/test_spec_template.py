"""``${...}``, ``vars``, ``foreach`` and ``matrix`` as truth tables."""

from __future__ import annotations

from typing import Any

import pytest

from redoit.model import RepoPath
from redoit.spec.expand import Expander
from redoit.spec.source import Fault
from redoit.spec.template import Resolver, Style, has_expression, is_expression, to_text
from redoit.spec.variables import Variables

DATA: dict[str, Any] = {
    "lr": 0.1,
    "flag": True,
    "none": None,
    "name": "it's",
    "list": [1, "two", {"x": 3}],
    "deep": {"a": {"b": [5]}},
    "opts": {"lr": 1e-3, "fast": True, "slow": False, "tags": ["a", "b c"], "sub": {"k": None}},
}


def resolve(text: Any, field: str | None = "cmd", style: Style | None = None) -> Any:
    return Resolver(DATA, style or Style()).resolve(text, ("stages", "s", field or "x"), field)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("${lr}", 0.1),
        ("${flag}", True),
        ("${none}", None),
        ("x ${lr} ${flag} ${none}", "x 0.1 true None"),
        ("${ lr }", 0.1),
        ("${list[0]}-${list.1}-${list[-1].x}", "1-two-3"),
        ("${deep.a.b[0]}${deep[a][b][0]}", "55"),
        ("\\${lr} ${lr}", "${lr} 0.1"),
        ("${lr} $x {y}", "0.1 $x {y}"),
        ("run ${opts}", "run --lr 0.001 --fast --tags a 'b c' --sub.k None"),
        (["a ${lr}", "b"], ["a 0.1", "b"]),
        ({"${name}": "${lr}"}, {"it's": 0.1}),
        (5, 5),
    ],
)
def test_resolves(text: Any, expected: Any) -> None:
    found = resolve(text)
    assert (found, type(found)) == (expected, type(expected))


def test_other_style_of_options() -> None:
    style = Style("boolean_optional", "append")
    expected = "run --lr 0.001 --fast --no-slow --tags a --tags 'b c' --sub.k None"
    assert resolve("run ${opts}", style=style) == expected


@pytest.mark.parametrize(
    ("text", "field", "what", "hint"),
    [
        ("${lrr}", "cmd", '"lrr" is not set', 'did you mean "lr"?'),
        ("${deep.aa}", "cmd", '"aa" is not set', 'did you mean "deep.a"?'),
        ("${HOME}", "cmd", '"HOME" is not set', "a variable of the shell is $HOME or \\${HOME}"),
        ("${list[7]}", "cmd", "has 3 items", "the first item has the index 0"),
        ("${list[x]}", "cmd", "must be an index", "write for example ${list[0]}"),
        ("${lr.x}", "cmd", '"lr" is a number (0.1)', "write ${lr}"),
        ("${}", "cmd", "not a key", None),
        ("${ }", "cmd", "not a key", None),
        ("${a..b}", "cmd", "not a key", None),
        ("${list}", "cmd", "a list, which cannot stand in cmd", None),
        ("x ${deep}", "deps", "a mapping, which cannot stand in deps", None),
    ],
)
def test_refuses(text: str, field: str, what: str, hint: str | None) -> None:
    with pytest.raises(Fault) as caught:
        resolve(text, field)
    assert what in caught.value.what
    assert caught.value.needle and caught.value.needle.startswith("${")
    if hint:
        assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("text", "has", "whole"),
    [
        ("${a}", True, True),
        ("x${a}", True, False),
        ("${a}${b}", True, False),
        ("\\${a}", False, False),
        ("${a", False, False),
        ("", False, False),
    ],
)
def test_recognises_expressions(text: str, has: bool, whole: bool) -> None:
    assert (has_expression(text), is_expression(text)) == (has, whole)


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (None, "None"), (1.0, "1.0"), ("a", "a"), ([1, "b"], "[1, 'b']")],
)
def test_text_of_values(value: Any, text: str) -> None:
    assert to_text(value) == text


FILES: dict[str, Any] = {
    "params.yaml": {"a": 1, "b": {"x": 1}, 5: "dropped"},
    "more.yaml": {"b": {"y": 2}, "c": 3},
    "sub/v.yaml": {"v": 1},
}


def merged(entries: list[Any], folder: str = "", params: bool = True) -> Variables:
    start = Variables({}, (), {})
    if params:
        start = start.with_defaults(RepoPath(""), FILES.get)
    return start.with_entries(entries, RepoPath(folder), FILES.get, ("vars",))


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], {"a": 1, "b": {"x": 1}}),
        (["more.yaml"], {"a": 1, "b": {"x": 1, "y": 2}, "c": 3}),
        (["more.yaml:c"], {"a": 1, "b": {"x": 1}, "c": 3}),
        (["more.yaml:c", "more.yaml:b"], {"a": 1, "b": {"x": 1, "y": 2}, "c": 3}),
        (["params.yaml", {"d": 1}], {"a": 1, "b": {"x": 1}, "d": 1}),
        ([{"b": {"z": 1}}, {1: "dropped"}], {"a": 1, "b": {"x": 1, "z": 1}}),
    ],
)
def test_vars_are_merged(entries: list[Any], expected: dict[str, Any]) -> None:
    assert merged(entries).data == expected


@pytest.mark.parametrize(
    ("entries", "path", "what", "facts"),
    [
        (
            [{"a": 2}],
            ("vars", 0, "a"),
            '"a" is set twice',
            {"set in": "params.yaml", "again in": "vars[0]"},
        ),
        (
            [{"b": {"x": 2}}],
            ("vars", 0, "b", "x"),
            '"b.x" is set twice',
            {"set in": "params.yaml", "again in": "vars[0]"},
        ),
        (
            [{"q": 1}, {"q": 2}],
            ("vars", 1, "q"),
            '"q" is set twice',
            {"set in": "vars[0]", "again in": "vars[1]"},
        ),
        (
            [{"b": 1}],
            ("vars", 0, "b"),
            '"b" is set twice',
            {"set in": "params.yaml", "again in": "vars[0]"},
        ),
        (["gone.yaml"], ("vars", 0), "no file", {}),
        (["more.yaml:z"], ("vars", 0), 'no key "z"', {}),
        (["params.yaml:a"], ("vars", 0), "already loaded as a whole", {}),
        (["more.yaml:c", "more.yaml"], ("vars", 1), "already loaded for c", {}),
        ([{"x": ["${a}"]}], ("vars", 0, "x", 0), "not allowed in vars", {}),
    ],
)
def test_vars_are_refused(
    entries: list[Any], path: tuple[Any, ...], what: str, facts: dict[str, str]
) -> None:
    with pytest.raises(Fault) as caught:
        merged(entries)
    assert (caught.value.path, caught.value.facts) == (path, facts)
    assert what in caught.value.what


def test_merging_leaves_its_sources_alone() -> None:
    before = merged([])
    before.with_entries([{"b": {"z": 1}}], RepoPath(""), FILES.get, ("vars",))
    assert before.data == {"a": 1, "b": {"x": 1}}
    assert FILES["params.yaml"]["b"] == {"x": 1}


def names(entry: dict[str, Any], data: dict[str, Any] | None = None) -> dict[str, Any]:
    variables = Variables(data or DATA, (), {})
    expander = Expander(RepoPath(""), variables, Style(), FILES.get)
    return {made.name: made.fields["cmd"] for made in expander.expand("s", {"cmd": "x", **entry})}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({}, {"s": "x"}),
        (
            {"foreach": ["a", 1, True, None], "do": {"cmd": "${item}"}},
            {"s@a": "a", "s@1": 1, "s@true": True, "s@None": None},
        ),
        ({"foreach": ["a", "b", "a"], "do": {"cmd": "-${item}"}}, {"s@a": "-a", "s@b": "-b"}),
        ({"foreach": [{"k": 1}, "b"], "do": {"cmd": "x"}}, {"s@0": "x", "s@1": "x"}),
        (
            {"foreach": {"p": 1, 2: "q"}, "do": {"cmd": "${key}=${item}"}},
            {"s@p": "p=1", "s@2": "2=q"},
        ),
        ({"foreach": "${deep.a}", "do": {"cmd": "${key} ${item[0]}"}}, {"s@b": "b 5"}),
        ({"foreach": "${flags}", "do": {"cmd": "x"}}, {"s@True": "x", "s@False": "x"}),
        ({"foreach": [], "do": {"cmd": "x"}}, {}),
        (
            {"matrix": {"a": ["x", "y"], "b": [1, True]}, "cmd": "${key}"},
            {"s@x-1": "x-1", "s@x-true": "x-true", "s@y-1": "y-1", "s@y-true": "y-true"},
        ),
        (
            {"matrix": {"a": [{"k": 1}, [2]], "b": "${flags}"}, "cmd": "x"},
            {"s@a0-True": "x", "s@a0-False": "x", "s@a1-True": "x", "s@a1-False": "x"},
        ),
        ({"matrix": {"a": "${deep}"}, "cmd": "${item.a}"}, {"s@a": "a"}),
        ({"matrix": {"a": []}, "cmd": "x"}, {}),
    ],
)
def test_names_and_commands(entry: dict[str, Any], expected: dict[str, Any]) -> None:
    assert names(entry, {**DATA, "flags": [True, False]}) == expected


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ({"foreach": "text", "do": {"cmd": "x"}}, "must stand for a list or a mapping"),
        ({"foreach": ["a@b"], "do": {"cmd": "x"}}, 'must not hold "@"'),
        ({"foreach": [""], "do": {"cmd": "x"}}, "an empty name"),
        ({"matrix": {}, "cmd": "x"}, "an empty name"),
        ({"matrix": {"a": "text"}, "cmd": "x"}, "must be a list"),
        ({"foreach": ["a"], "do": {"cmd": "x", "vars": [{"item": 1}]}}, '"item" is reserved'),
        ({"foreach": ["a"], "do": {"cmd": "${key}"}}, '"key" is not set'),
    ],
)
def test_expansion_is_refused(entry: dict[str, Any], what: str) -> None:
    with pytest.raises(Fault) as caught:
        names(entry)
    assert what in caught.value.what


def test_vars_of_a_stage_come_from_its_wdir() -> None:
    expander = Expander(RepoPath(""), Variables({"w": "sub"}, (), {}), Style(), FILES.get)
    entry = {"wdir": "${w}", "vars": ["v.yaml"], "cmd": "echo ${v}"}
    (made,) = expander.expand("s", entry)
    assert made.fields == {"wdir": "sub", "cmd": "echo 1"}

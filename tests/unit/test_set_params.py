"""``-S``: what each override makes of values and of the text they stand in, and what every mistake says."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import pytest

from redoit.errors import ParamsProblem, RedoitError, UsageError
from redoit.experiments.edit_params import edit
from redoit.experiments.overrides import apply_overrides, combinations, read_overrides
from redoit.experiments.same import same
from redoit.experiments.set_params import edited, plan_changes, recover
from redoit.project import Layout
from redoit.spec.formats import read_values
from redoit.spec.source import Source

VALUES: dict[str, Any] = {
    "lr": 0.1,
    "model": {"name": "adam", "layers": [64, 32], "note": None},
    "on": True,
}


def changed(file: str, text: str, *overrides: str) -> str:
    """The text of a params file after overrides."""
    (part,) = read_overrides([f"{file}:{each}" for each in overrides])
    data = text.encode()
    values = read_values(Source.decode(file, data))
    return edit(file, data, values, apply_overrides(values, part)).decode()


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("lr=0.5", {"lr": 0.5}),
        ("lr=5", {"lr": 5}),
        ("lr=1e-3", {"lr": 0.001}),
        ("lr=null", {"lr": None}),
        ("lr=true", {"lr": True}),
        ("lr='true'", {"lr": "true"}),
        ("lr=", {"lr": ""}),
        ("lr=a b", {"lr": "a b"}),
        ("lr='a,b'", {"lr": "a,b"}),
        ("lr=[1,a,null]", {"lr": [1, "a", None]}),
        ("lr=int(3.7)", {"lr": 3}),
        ("+new=1", {"new": 1}),
        ("+new.deep=1", {"new": {"deep": 1}}),
        ("++lr=1", {"lr": 1}),
        ("++new={a:{b:1}}", {"new": {"a": {"b": 1}}}),
        ("model.name=sgd", {"model": {**VALUES["model"], "name": "sgd"}}),
        ("model.layers.1=8", {"model": {**VALUES["model"], "layers": [64, 8]}}),
        ("++model={depth:3}", {"model": {**VALUES["model"], "depth": 3}}),
        ("model=none", {"model": "none"}),
    ],
)
def test_an_override_changes_values(override: str, expected: dict[str, Any]) -> None:
    (part,) = read_overrides([override])
    got = apply_overrides(VALUES, part)
    assert got == {**VALUES, **expected}
    key = next(iter(expected))
    assert type(got[key]) is type(expected[key])


def test_an_override_removes_values() -> None:
    (part,) = read_overrides(["~lr", "~model.layers"])
    assert apply_overrides(VALUES, part) == {"model": {"name": "adam", "note": None}, "on": True}


def test_nan_is_a_number() -> None:
    (part,) = read_overrides(["lr=nan"])
    assert math.isnan(apply_overrides(VALUES, part)["lr"])


def test_files_are_told_apart_by_the_colon_before_the_equals_sign() -> None:
    parts = read_overrides(["lr=a:b", "conf/a.json:x=1", "lr=2", "conf/a.json:+y={a:1}"])
    assert [(part.file, part.texts) for part in parts] == [
        ("params.yaml", ("lr=a:b", "lr=2")),
        ("conf/a.json", ("x=1", "+y={a:1}")),
    ]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "lr",
            "error: 'lr' is not an override: there is no \"=\"\n"
            "    lr\n"
            "      ^\n"
            "  write key=value, +key=value (new), ++key=value (new or not) or ~key (remove)",
        ),
        (
            "lr=[1",
            "error: 'lr=[1' is not an override: a bracket or a quote is not closed\n"
            "    lr=[1\n"
            "         ^\n"
            "  write key=value, +key=value (new), ++key=value (new or not) or ~key (remove)",
        ),
        (
            "lr=a=b",
            "error: 'lr=a=b' is not an override: '=' does not belong here\n"
            "    lr=a=b\n"
            "        ^\n"
            "  quote such text once more within the shell's quotes: -S 'key=\"a: b\"'",
        ),
        (
            "lr=nosuch(1)",
            "error: 'lr=nosuch(1)' is not an override: Unknown function 'nosuch'\n"
            "  write key=value, +key=value (new), ++key=value (new or not) or ~key (remove)",
        ),
        (
            "=1",
            "error: this override names no param\n"
            "    =1\n"
            "    ^\n"
            "  write key=value, +key=value (new), ++key=value (new or not) or ~key (remove)",
        ),
        (
            ":lr=1",
            "error: there is no file name in front of the colon\n"
            "    :lr=1\n"
            "    ^\n"
            "  leave the colon out for params.yaml, or write FILE:lr=1",
        ),
        (
            "lr=1,2",
            "error: this override stands for several values, which needs the queue\n"
            "    lr=1,2\n"
            "       ^^^\n"
            "  add --queue to queue an experiment for each of them, or give one value "
            "(quote text that holds a comma: key='a,b')",
        ),
    ],
)
def test_text_that_is_no_override(override: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_overrides([override])
    assert caught.value.render() == message


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "model.nam=x",
            'error: there is no param "model.nam" in params.yaml\n'
            "  at: params.yaml\n"
            "    model.nam=x\n"
            "    ^^^^^^^^^\n"
            '  did you mean "model.name"? to add it write +model.nam=x',
        ),
        (
            "+lr=1",
            'error: "lr" is in params.yaml already, so + cannot add it\n'
            "  at: params.yaml\n"
            "    +lr=1\n"
            "     ^^\n"
            "  to change it write lr=1, to set it in any case ++lr=1",
        ),
        (
            "~zz",
            'error: there is no param "zz" in params.yaml\n  at: params.yaml\n    ~zz\n     ^^',
        ),
        (
            "~lr=7",
            'error: "lr" has another value in params.yaml, so it was not removed\n'
            "  at: params.yaml\n"
            "    ~lr=7\n"
            "     ^^\n"
            "  ~lr removes it whatever its value is",
        ),
        (
            "~model.note",
            'error: "model.note" is null in params.yaml, and Hydra removes no null\n'
            "  at: params.yaml\n"
            "    ~model.note\n"
            "     ^^^^^^^^^^\n"
            "  give it a value first: -S model.note=0 -S ~model.note",
        ),
        (
            "model={depth:3}",
            'error: there is no param "model.depth" in params.yaml\n'
            "  at: params.yaml\n"
            "    model={depth:3}\n"
            "    ^^^^^\n"
            '  did you mean "model.note"? to add keys write ++model={depth:3}',
        ),
        (
            "model.layers.9=1",
            'error: "model.layers.9" of params.yaml cannot be changed so\n'
            "  at:     params.yaml\n"
            "  reason: list index out of range\n"
            "    model.layers.9=1\n"
            "    ^^^^^^^^^^^^^^\n"
            "  the items of a list are counted from 0, and + cannot add to it: give the whole list",
        ),
        (
            "db@model=x",
            'error: "db" of params.yaml cannot be changed so\n'
            "  at:     params.yaml\n"
            "  reason: key@package is for Hydra's groups, not for params\n"
            "    db@model=x\n"
            "    ^^",
        ),
    ],
)
def test_overrides_that_do_not_fit(override: str, message: str) -> None:
    (part,) = read_overrides([override])
    with pytest.raises(ParamsProblem) as caught:
        apply_overrides(VALUES, part)
    assert caught.value.render() == message


# --- texts ----------------------------------------------------------------------------------------

YAML = """\
# the top
lr: 0.10   # rate

model:
    name: "adam"   # quoted
    layers: [64, 32]  # flow
    big: 1_000
# the end
"""


@pytest.mark.parametrize(
    ("override", "old", "new"),
    [
        ("lr=0.2", "lr: 0.10 ", "lr: 0.2 "),
        ("model.name=sgd", '"adam"', '"sgd"'),
        ("model.layers=[1,2,3]", "[64, 32]", "[1, 2, 3]"),
        ("model.layers.0=1", "[64, 32]", "[1, 32]"),
        ("lr='yes'", "0.10 ", '"yes" '),
        ("lr=1e-7", "0.10 ", "1.0e-07 "),
        ("lr='x: y'", "0.10 ", '"x: y" '),
        ("lr=null", "0.10 ", "null "),
        ("lr=0.1", "", ""),
    ],
)
def test_only_the_value_changes_in_yaml(override: str, old: str, new: str) -> None:
    assert changed("params.yaml", YAML, override) == YAML.replace(old, new)


@pytest.mark.parametrize(
    ("overrides", "old", "new"),
    [
        (("+model.depth=3", "~model.big"), "    big: 1_000\n", "    depth: 3\n"),
        (("+z=[1]",), "# the end\n", "z: [1]\n# the end\n"),
        (("+a.b=1", "+model.c.d=x"), "# the end\n", "    c:\n      d: x\na:\n  b: 1\n# the end\n"),
        (("~lr",), "lr: 0.10   # rate\n", ""),
        (("~model",), YAML[YAML.index("model") : YAML.index("# the end")], ""),
        (("~model.name", "model.big=5", "+x=''"), '    name: "adam"   # quoted\n', ""),
    ],
)
def test_added_and_removed_params_are_lines_in_yaml(
    overrides: tuple[str, ...], old: str, new: str
) -> None:
    expected = YAML.replace(old, new)
    if "model.big=5" in overrides:
        expected = expected.replace("1_000\n", '5\nx: ""\n')
    assert changed("params.yaml", YAML, *overrides) == expected


@pytest.mark.parametrize(
    ("text", "override", "expected"),
    [
        ("a:\n  - 1 # one\n  - 2 # two\nb: 1\n", "a=[1,3,4]", "a:\n  - 1 # one\n  - 3 # two\n  - 4\nb: 1\n"),
        ("a:\n  b: 1 # c\nd: 1\n", "~a.b", "a: {}\nd: 1\n"),
        ("a:\n- b: 1 # c\n  c: 2\n", "~a.0.b", "a:\n- c: 2\n"),
        ("a: |\n  long\n  text\nb: 1 # c\n", "~a", "b: 1 # c\n"),
        ("a: >\n  long\n  text\nb: 1 # c\n", "a=x", "a: >-\n  x\nb: 1 # c\n"),
        ("# only words\n", "+a=1", "# only words\na: 1\n"),
        ("a: 1", "+b=2", "a: 1\nb: 2"),
        ("{a: 1, b: 0.10} # flow\n", "a=2", "{a: 2, b: 0.10} # flow\n"),
        ("a: &x 1 # c\nb: *x\n", "b=2", "a: &x 1 # c\nb: 2\n"),
    ],
)  # fmt: skip
def test_other_shapes_of_yaml(text: str, override: str, expected: str) -> None:
    assert changed("params.yaml", text, override) == expected


def test_a_shared_mapping_changes_only_where_it_was_named() -> None:
    text = "a: &base\n  lr: 1\n  n: 2\nb: *base\nc:\n  <<: *base\n  n: 3\n"
    for override, expected in {
        "b.lr=9": ({"lr": 1, "n": 2}, {"lr": 9, "n": 2}, {"lr": 1, "n": 3}),
        "a.lr=9": ({"lr": 9, "n": 2}, {"lr": 1, "n": 2}, {"lr": 1, "n": 3}),
        "c.lr=9": ({"lr": 1, "n": 2}, {"lr": 1, "n": 2}, {"lr": 9, "n": 3}),
    }.items():
        values = read_values(Source("params.yaml", changed("params.yaml", text, override)))
        assert tuple(values[key] for key in "abc") == expected


@pytest.mark.parametrize("file", ["params.yaml", "p.json", "p.toml", "p.py"])
def test_line_ends_and_byte_order_mark_stay(file: str) -> None:
    text = {
        "params.yaml": "\ufefflr: 1\r\nn: 2\r\n",
        "p.json": '{\r\n  "lr": 1,\r\n  "n": 2\r\n}\r\n',
        "p.toml": "lr = 1\r\nn = 2\r\n",
        "p.py": "lr = 1\r\nn = 2\r\n",
    }[file]
    assert changed(file, text, "n=5") == text.replace("2\r\n", "5\r\n")


def test_json_keeps_its_indentation() -> None:
    text = '{\n    "lr": 0.10,\n    "name": "ü"\n}\n'
    assert changed("p.json", text, "lr=2") == text.replace("0.10", "2")
    assert changed("p.json", text, "+n=[1]") == (
        '{\n    "lr": 0.1,\n    "name": "ü",\n    "n": [\n        1\n    ]\n}\n'
    )
    assert changed("p.json", '{"lr": 1}', "+n=2") == '{"lr": 1, "n": 2}'


def test_toml_keeps_its_comments() -> None:
    text = "# top\nlr = 0.1 # rate\n\n[model]\nname = 'adam' # quoted\n"
    assert changed("p.toml", text, "lr=0.2") == text.replace("0.1", "0.2")
    assert read_values(Source("p.toml", changed("p.toml", text, "+n=3", "+model.deep.x=1"))) == {
        "lr": 0.1,
        "n": 3,
        "model": {"name": "adam", "deep": {"x": 1}},
    }
    with pytest.raises(ParamsProblem, match="TOML has no null"):
        changed("p.toml", text, "lr=null")


def test_python_changes_the_value_and_nothing_else() -> None:
    text = (
        "import os  # not a param\n"
        "é = 1; LR = 0.1  # rate\n"
        "SIZE=(64, 32)\n"
        "OPT = {'name': 'adam', 'lr': 1}\n"
        "class Train:\n"
        "    epochs: int = 5\n"
        "    def __init__(self):\n"
        "        self.seed = 3\n"
    )
    assert changed("p.py", text, "LR=0.2", "OPT.name=sgd", "Train.epochs=7", "Train.seed=4") == (
        text.replace("0.1", "0.2")
        .replace("'adam'", "'sgd'")
        .replace("= 5", "= 7")
        .replace("= 3", "= 4")
    )
    assert changed("p.py", text, "SIZE=[1,2]") == text.replace("(64, 32)", "(1, 2)")
    for override in ("+new=1", "~LR", "Train=5", "LR=nan"):
        with pytest.raises(ParamsProblem):
            changed("p.py", text, override)


ANCHORS = "a: !!str 5\nc: &k {x: 1}\nd: *k\ne:\n  <<: *k\n  z: 2\nf: &v 1\ng: [*v, *k]\n"
TABLES = "a = 1\nb.c = 2\n[e]\nf = [1, # x\n 3]\n[e.g]\nh = 1\n[[i]]\nj = 1\n[[i]]\nj = 2\n"
SCATTERED = "[a.b.c]\nx = 1\n[a]\ny = 2\n[d]\n"


@pytest.mark.parametrize(
    ("file", "text", "overrides"),
    [
        ("p.yaml", ANCHORS, ["++c.new=[]"]),
        ("p.yaml", ANCHORS, ["~c.x", "e.x=5"]),
        ("p.yaml", ANCHORS, ["g.1.x=[1]", "~d"]),
        ("p.yaml", ANCHORS, ["f=null", "g.0={n:1}"]),
        ("p.yaml", "a:\n- x: 1\n-\n  - 1\nb: >+\n  fold\n\n\nd: 1", ["~a.0.x", "b=x", "+n=1"]),
        ("p.yaml", "? a\n: 1\n? b\n: - 1\n  - 2\n", ["b=[1,2,3]", "+c=1"]),
        ("p.toml", TABLES, ["++b.c={x:{y:[1]}}", "+new.x=[1,2]", "i='a: b'"]),
        ("p.toml", TABLES, ["e.f=[[1],[2]]", "i.0.j={k:1}"]),
        ("p.toml", SCATTERED, ["+new.x=true", "a=''", "++a.y.new={x:1}"]),
        ("p.json", '{\n\t"a": [1, {"b": null}],\n\t"c": NaN\n}\n', ["~a", "++c={d:[nan]}"]),
    ],
)
def test_odd_files_hold_the_new_values(file: str, text: str, overrides: list[str]) -> None:
    (part,) = read_overrides([f"{file}:{each}" for each in overrides])
    old = read_values(Source(file, text))
    new = apply_overrides(old, part)
    after = read_values(Source(file, edit(file, text.encode(), old, new).decode()))
    assert not same(old, after)
    assert same(after, new)


# --- files ----------------------------------------------------------------------------------------


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setenv("DVC_SYSTEM_CONFIG_DIR", str(tmp_path / "system"))
    monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(tmp_path / "global"))
    root = tmp_path.resolve() / "p"
    (root / ".dvc").mkdir(parents=True)
    (root / "params.yaml").write_text("lr: 1\n")
    (root / "conf.json").write_text('{"n": 1}')
    return Layout(str(root))


def contents(layout: Layout) -> dict[str, str]:
    return {p.name: p.read_text() for p in Path(layout.root).iterdir() if p.is_file()}


BEFORE = {"params.yaml": "lr: 1\n", "conf.json": '{"n": 1}'}
AFTER = {"params.yaml": "lr: 2\n", "conf.json": '{"n": 2}', "new.yaml": "a: 1\n"}
ALL = ("lr=2", "conf.json:n=2", "new.yaml:+a=1")


def test_changes_are_kept_only_when_asked_for(layout: Layout) -> None:
    changes = plan_changes(layout, ALL, layout.root)
    assert contents(layout) == BEFORE
    with edited(layout, changes):
        assert contents(layout) == AFTER
    assert contents(layout) == BEFORE
    with pytest.raises(KeyboardInterrupt), edited(layout, changes):
        raise KeyboardInterrupt
    assert contents(layout) == BEFORE
    with edited(layout, changes) as edit:
        edit.keep()
    assert contents(layout) == AFTER
    recover(layout)
    assert contents(layout) == AFTER


@pytest.mark.parametrize("write", range(1, 5))
def test_a_process_that_dies_between_two_writes_leaves_no_half_edit(
    layout: Layout, write: int
) -> None:
    changes = plan_changes(layout, ALL, layout.root)
    child = os.fork()
    if not child:
        replace, left = os.replace, [write]

        def dying(source: str, target: str) -> None:
            replace(source, target)
            left[0] -= 1
            if not left[0]:
                os._exit(9)

        os.replace = dying  # type: ignore[assignment]
        try:
            with edited(layout, changes):
                pass
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    recover(layout)
    assert contents(layout) == BEFORE
    recover(layout)
    assert contents(layout) == BEFORE


def test_an_edit_of_the_user_is_not_undone(layout: Layout) -> None:
    with edited(layout, plan_changes(layout, ALL, layout.root)):
        Path(layout.root, "params.yaml").write_text("lr: mine\n")
    assert contents(layout) == {**BEFORE, "params.yaml": "lr: mine\n"}


def test_a_link_stays_and_an_object_of_the_cache_too(layout: Layout) -> None:
    root = Path(layout.root)
    (root / "real.yaml").write_text("lr: 1\n")
    (root / "params.yaml").unlink()
    (root / "params.yaml").symlink_to("real.yaml")
    with edited(layout, plan_changes(layout, ["lr=2"], layout.root)) as edit:
        edit.keep()
    assert (root / "params.yaml").is_symlink()
    assert (root / "real.yaml").read_text() == "lr: 2\n"
    cached = root / ".dvc/cache/files/md5/aa/bb"
    cached.parent.mkdir(parents=True)
    cached.write_text("lr: 1\n")
    (root / "params.yaml").unlink()
    (root / "params.yaml").symlink_to(cached)
    with edited(layout, plan_changes(layout, ["lr=2"], layout.root)) as edit:
        edit.keep()
    assert cached.read_text() == "lr: 1\n"
    assert (root / "params.yaml").read_text() == "lr: 2\n"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("no.yaml:a=1", "there is no params file no.yaml"),
        ("no.py:+a=1", "there is no params file no.py"),
        ("list.yaml:+a=1", "must be a mapping"),
        ("bad.json:a=1", "this is not JSON"),
        (".dvc:a=1", "cannot read the params file .dvc"),
    ],
)
def test_files_that_cannot_be_changed(layout: Layout, override: str, message: str) -> None:
    Path(layout.root, "list.yaml").write_text("- 1\n")
    Path(layout.root, "bad.json").write_text("{")
    with pytest.raises(RedoitError, match=message):
        plan_changes(layout, ["lr=2", override], layout.root)
    assert contents(layout)["params.yaml"] == "lr: 1\n"


@pytest.mark.parametrize(
    ("overrides", "wanted"),
    [
        ([], [()]),
        (["lr=1"], [("lr=1",)]),
        (["lr=1,2"], [("lr=1",), ("lr=2",)]),
        (["lr='1,2'"], [("lr='1,2'",)]),
        (["+lr=choice(a,b)"], [("+lr=a",), ("+lr=b",)]),
        (["~lr", "x=[1,2],[3]"], [("~lr", "x=[1,2]"), ("~lr", "x=[3]")]),
        (["a=range(1,7,3)", "b={c:1},{d:2}"], [("a=1", "b={c:1}"), ("a=1", "b={d:2}"), ("a=4", "b={c:1}"), ("a=4", "b={d:2}")]),
    ],
)  # fmt: skip
def test_a_sweep_is_all_combinations(overrides: list[str], wanted: list[tuple[str, ...]]) -> None:
    found = [tuple(text for part in row for text in part.texts) for row in combinations(overrides)]
    assert found == wanted


def test_a_sweep_over_files() -> None:
    rows = combinations(["a=1,2", "p.json:b=3,4", "c=5"])
    assert [[(part.file, part.texts) for part in row] for row in rows] == [
        [("params.yaml", (f"a={a}", "c=5")), ("p.json", (f"b={b}",))]
        for a in (1, 2)
        for b in (3, 4)
    ]


@pytest.mark.parametrize("override", ["lr=interval(1,2)", "lr=glob(*)", "lr=glob([a],exclude=b)"])
def test_a_sweep_without_values(override: str) -> None:
    with pytest.raises(UsageError) as caught:
        combinations([override])
    assert caught.value.what == "this override stands for no definite values"

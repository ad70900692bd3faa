"""Our YAML text is ruamel's, and whatever we write reads back."""

from __future__ import annotations

import io
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from redoit.model import Trace
from redoit.spec.source import Source
from redoit.spec.yaml import load
from redoit.trace import emit
from redoit.trace.record import decode, encode, lock_data
from tests.property.trace_values import KEYS, VALUES, entries, traces

DATA = st.dictionaries(KEYS, VALUES, min_size=1, max_size=4)
PLAIN = st.dictionaries(
    st.from_regex(r"[a-z_][a-z0-9_./@-]{0,20}", fullmatch=True),
    st.recursive(
        st.one_of(
            st.booleans(),
            st.integers(),
            st.floats(),
            st.text(st.sampled_from("abe01 .-:#'/>&é"), max_size=140),
        ),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.from_regex(r"[a-z]{1,9}", fullmatch=True), inner, max_size=3)
        ),
        max_leaves=12,
    ),
    min_size=1,
    max_size=5,
)


def by_ruamel(data: Any, indent: int) -> str:
    """What DVC's library writes for ``data`` when it stands at ``indent``."""
    yaml = YAML()
    yaml.default_flow_style = False
    for _ in range(indent // 2):
        data = {"x": data}
    stream = io.StringIO()
    yaml.dump(data, stream)
    return "".join(stream.getvalue().splitlines(keepends=True)[indent // 2 :])


def by_us_alone(data: Any, indent: int) -> str | None:
    lines: list[str] = []
    try:
        emit._mapping(lines, data, indent, exact=False)
    except emit._NotPlain:
        return None
    return "".join(lines)


def read(text: str, indent: int) -> Any:
    value = load(Source("", "".join(f"{'  ' * d}x:\n" for d in range(indent // 2)) + text)).value
    for _ in range(indent // 2):
        value = value["x"]
    return value


@settings(deadline=None)
@given(DATA | PLAIN, st.sampled_from([0, 2, 4]))
def test_what_we_write_without_ruamel_is_what_ruamel_writes(data: Any, indent: int) -> None:
    text = by_us_alone(data, indent)
    assert text is None or text == by_ruamel(data, indent)


@settings(deadline=None)
@given(st.one_of(DATA, PLAIN, traces().map(lock_data)), st.sampled_from([0, 2, 4]))
def test_every_text_reads_back_with_the_same_types(data: Any, indent: int) -> None:
    # repr: nan is equal to itself, and 1 is neither True nor 1.0.
    assert repr(read(emit.emit_block(data, indent), indent)) == repr(data)


ODD = st.one_of(
    st.dates(),
    st.datetimes(timezones=st.none() | st.timezones()),
    st.times(),
    st.binary(max_size=20),
    st.sets(st.integers(), max_size=3),
    st.dictionaries(
        st.none() | st.booleans() | st.integers() | st.floats() | st.dates(), st.just(1)
    ),
)


@settings(deadline=None)
@given(st.dictionaries(KEYS, st.lists(ODD, min_size=1, max_size=2) | ODD, min_size=1, max_size=3))
def test_whatever_toml_and_yaml_know_makes_a_text_that_is_yaml(data: Any) -> None:
    trace = Trace("x", params={"p.toml": data})
    value = read(emit.emit_block(lock_data(trace), 0), 0)
    assert value["params"]["p.toml"].keys() == data.keys()
    assert encode(decode(encode(trace))) == encode(trace)


@settings(deadline=None)
@given(entries())
def test_a_plain_entry_never_needs_ruamel(entry: Any) -> None:
    path = "data/model_1.pkl"
    data = lock_data_of(entry, path)
    assert by_us_alone(data, 4) == by_ruamel(data, 4)


def lock_data_of(entry: Any, path: str) -> dict[str, Any]:
    return {"outs": [{"path": path, "hash": "md5", "md5": entry.oid, "size": entry.size}]}


@settings(deadline=None)
@given(st.text(st.sampled_from("ab c"), min_size=1, max_size=300))
def test_long_commands_are_folded_as_ruamel_does(text: str) -> None:
    command = " ".join(text.split()) or "x"
    assert by_us_alone({"cmd": command}, 4) == by_ruamel({"cmd": command}, 4)

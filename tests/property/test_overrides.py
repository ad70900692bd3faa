"""Overrides that are applied without OmegaConf give what Hydra and OmegaConf give."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from redoit.errors import RedoitError
from redoit.experiments.overrides import _apply_with_hydra, apply_overrides, read_overrides

KEYS = st.sampled_from(["a", "b", "c-d", "e/f", "1", "a.b", "long"])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(),
    st.sampled_from(["", "x", "${a}", "$x", "???", "1e3", "x y", "\\${a}", "null"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
TREES = st.dictionaries(KEYS | st.sampled_from([1, None]), VALUES, min_size=1, max_size=4)
WRITTEN = st.sampled_from(
    ["1", "-0.5", "1e3", "inf", "true", "null", "x", "'x y'", '"${a}"', "${a}", "???", "[1,{k:v}]", "{b:2}", "''",
     "int(3.7)", "str(7)", "\\,", "0x1F", "1_000", "a:b", "", "x y"]
)  # fmt: skip
TEXTS = st.builds(
    "{}{}={}".format,
    st.sampled_from(["", "", "", "+", "++"]),
    st.lists(KEYS | st.just("0"), min_size=1, max_size=3).map(".".join),
    WRITTEN,
)


@given(TREES, st.lists(TEXTS, min_size=1, max_size=3))
@example({"a": {"b": 1}}, ["a.b=2", "a.b=x"])
@example({"a": {"b": 1}, "a.b": 3}, ["a.b=2"])
@example({"a": 1, "b": {"c-d": ["${a}"]}}, ["a=2"])
def test_with_and_without(values: dict[Any, Any], texts: list[str]) -> None:
    try:
        (part,) = read_overrides(texts)
    except RedoitError:
        return  # no override: both would refuse it

    def outcome(apply: Any) -> str:
        try:
            return repr(apply(values, part))
        except RedoitError as error:
            return f"{error.what} {error.facts} {error.excerpt}"

    before = repr(values)
    assert outcome(apply_overrides) == outcome(_apply_with_hydra)
    assert repr(values) == before

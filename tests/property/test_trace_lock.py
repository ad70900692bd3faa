"""A lock file changed block by block is the file that DVC's library writes as a whole."""

from __future__ import annotations

import io
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from redoit.model import Algo, RepoPath, Trace
from redoit.trace.lockfile import LockText, Recorded, change, read_text
from redoit.trace.record import decode, encode, lock_data, trace_of_lock
from tests.property.trace_values import PLAIN_WORDS, traces

FILE = RepoPath("dvc.lock")
# What ruamel's round trip keeps: it loses digits of floats with exponents, and spaces at folds.
COMMANDS = st.lists(PLAIN_WORDS, min_size=1, max_size=20).map(" ".join)
TAME = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-9999, 9999).map(lambda number: number / 100),
    COMMANDS,
    st.sampled_from(["yes", "1e3", "012", "", "x: y", "#", "2020-01-01", "it's: so", "two\nlines"]),
)
NAMES = st.sampled_from(
    ["a", "train@0", "b-c", "on", "12", "1e5", "x y", "é", "true", "it's", "a#b"]
)
STEPS = st.lists(
    st.dictionaries(NAMES, st.none() | traces(texts=COMMANDS, values=TAME), min_size=1, max_size=4),
    max_size=5,
)


def recorded(changes: dict[str, Trace | None]) -> dict[str, Recorded | None]:
    return {
        name: None if trace is None else Recorded(trace, encode(trace))
        for name, trace in changes.items()
    }


def as_dvc_does(text: str, changes: dict[str, Trace | None]) -> str:
    """Round trip of the whole text, one stage at a time."""
    for name, trace in changes.items():
        yaml = YAML()
        yaml.default_flow_style = False
        data: Any = yaml.load(text) or {}
        if trace is None:
            data.get("stages", {}).pop(name, None)
            if not data.get("stages"):
                text = ""
                continue
        else:
            if not data:
                data["schema"] = "2.0"
            data["stages"] = data.get("stages", {})
            data["stages"][name] = lock_data(trace)
        stream = io.StringIO()
        yaml.dump(data, stream)
        text = stream.getvalue()
    return text


@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_any_history_gives_the_text_that_dvc_writes(steps: list[dict[str, Trace | None]]) -> None:
    lock, text = LockText(b""), ""
    for step in steps:
        lock = change(lock, recorded(step), list(step))
        text = as_dvc_does(text, step)
        assert lock.text.decode() == text


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(NAMES, traces(tuple(Algo)), min_size=1, max_size=4))
def test_what_was_written_is_read_again(stages: dict[str, Trace]) -> None:
    lock = change(LockText(b""), recorded(dict(stages)), list(stages))
    fresh = read_text(lock.text, FILE)
    assert list(fresh.records) == list(stages)
    assert fresh.records == lock.records
    again = read_text(lock.text, FILE, fresh.state())
    assert (again.records, again.starts) == (fresh.records, fresh.starts)


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(NAMES, traces(), min_size=2, max_size=5), st.data())
def test_a_change_leaves_the_text_of_other_stages_alone(
    stages: dict[str, Trace], data: st.DataObject
) -> None:
    lock = change(LockText(b""), recorded(dict(stages)), list(stages))
    name = data.draw(st.sampled_from(sorted(stages)))
    new = change(lock, recorded({name: data.draw(traces())}), [])
    blocks = dict(zip(lock.records, lock._parts(), strict=True))
    for other, block in zip(new.records, new._parts(), strict=True):
        assert other == name or block == blocks[other]
    assert list(new.records) == list(lock.records)


@settings(max_examples=30, deadline=None)
@given(traces(tuple(Algo)))
def test_a_record_keeps_everything(trace: Trace) -> None:
    # repr: nan is equal to itself, and 1 is neither True nor 1.0.
    assert repr(lock_data(decode(encode(trace)))) == repr(lock_data(trace))
    assert encode(decode(encode(trace))) == encode(trace)
    assert repr(lock_data(trace_of_lock(lock_data(trace)))) == repr(lock_data(trace))

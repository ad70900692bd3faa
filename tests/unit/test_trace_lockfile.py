"""Lock files by hand, by merge, by old DVC: what is read, what is refused and where, what a change keeps."""

from __future__ import annotations

import json

import pytest

from redoit.errors import TraceError
from redoit.model import Algo, Entry, Oid, RepoPath, Trace
from redoit.trace.lockfile import LockText, Recorded, change, read_text
from redoit.trace.record import decode, encode

FILE = RepoPath("dvc.lock")
A = "a" * 31
NEW = Trace("new", outs=(Entry("q", Oid(A + "b"), size=1),))
NEW_TEXT = f"""\
    cmd: new
    outs:
    - path: q
      hash: md5
      md5: {A}b
      size: 1
"""
GOOD = f"""\
schema: '2.0'
stages:
  a:
    cmd: x
    outs:
    - path: o
      hash: md5
      md5: {A}c
      size: 3
  b:
    cmd: y
"""


def put(text: str, name: str, trace: Trace | None = NEW, kept: str | None = None) -> str:
    lock = read_text(text.encode(), FILE, read_text(kept.encode(), FILE).state() if kept else None)
    new = None if trace is None else Recorded(trace, encode(trace))
    return change(lock, {name: new}, []).text.decode()


def test_a_new_file() -> None:
    assert put("", "t") == f"schema: '2.0'\nstages:\n  t:\n{NEW_TEXT}"


def test_new_stages_come_last_in_the_given_order() -> None:
    new = Recorded(NEW, encode(NEW))
    lock = change(
        read_text(GOOD.encode(), FILE), {"z": new, "c": new, "a": new, "d": new}, ["d", "c"]
    )
    assert list(lock.records) == ["a", "b", "d", "c", "z"]


def test_only_the_changed_stage_gets_new_text() -> None:
    odd = GOOD.replace("cmd: y", 'cmd:    "y"   # mine')
    assert put(odd, "a") == odd.replace(odd[odd.index("    cmd: x") : odd.index("  b:")], NEW_TEXT)


def test_an_equal_trace_changes_nothing() -> None:
    odd = GOOD.replace("cmd: y", 'cmd:    "y"   # mine')
    assert put(odd, "b", Trace("y")) == odd


def test_a_removed_stage_and_the_last_one() -> None:
    without = put(GOOD, "a", None)
    assert without == "schema: '2.0'\nstages:\n  b:\n    cmd: y\n"
    assert put(without, "b", None) == ""
    assert put(GOOD, "never", None) == GOOD


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# top\n" + GOOD, "# top\n"),
        (GOOD.replace("stages:", "datasets:\n- name: d\n  url: u\nstages:"), "datasets:"),
        (GOOD + "datasets:\n- name: d\n  url: u\n", "  url: u\n"),
        (GOOD.replace("  b:\n", "  # about b\n  b:\n"), "schema"),
        (GOOD.replace("stages:\n", "stages:\n  # first\n"), "  # first\n"),
    ],
)
def test_what_stands_around_is_kept(before: str, after: str) -> None:
    text = put(before, "b")
    assert after in text
    assert f"  b:\n{NEW_TEXT}" in text
    assert list(read_text(text.encode(), FILE).records) == ["a", "b"]


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("\n", "\r\n"),
        "schema: '2.0'\nstages: {a: {cmd: x}, b: {cmd: y}}\n",
        "schema: '2.0'\nstages:\n    a:\n        cmd: x\n    b:\n        cmd: y\n",
        "schema: '2.0'\nstages:\n  a: # why\n    cmd: x\n  b:\n    cmd: y",
        "schema: '2.0'\nstages:\n  a: &one\n    cmd: x\n  b:\n    <<: *one\n    cmd: y\n",
        "schema: '2.0'\nstages:\n  a:\n    # why\n    cmd: x\n  b:\n    cmd: y\n",
        "a:\n  cmd: x\nb:\n  cmd: y\n",
    ],
    ids=["crlf", "flow", "indent", "comment on a key", "anchor", "leading comment", "schema 1.0"],
)
def test_a_text_of_another_form_is_changed_as_a_whole(text: str) -> None:
    assert [decode(r).cmd for r in read_text(text.encode(), FILE).records.values()] == ["x", "y"]
    new = read_text(put(text, "a").encode(), FILE)
    assert decode(new.records["a"]) == NEW
    assert decode(new.records["b"]).cmd == "y"
    assert b"schema: '2.0'" in new.text
    assert (b"why" in text.encode()) == (b"why" in new.text)


def test_only_changed_blocks_are_parsed() -> None:
    kept = read_text(GOOD.encode(), FILE).state()
    kept[2][1][1][1] = encode(Trace("from the kept state")).rest
    lock = read_text(GOOD.replace("cmd: x", "cmd: z").encode(), FILE, kept)
    assert [decode(record).cmd for record in lock.records.values()] == ["z", "from the kept state"]


def test_stages_with_the_same_deps_have_them_once_in_what_is_kept() -> None:
    deps = tuple(Entry(f"dep-{letter}", Oid(A + "d"), size=1) for letter in "abcdefghijklm")
    new = {name: Recorded(t, encode(t)) for name in "abc" if (t := Trace(name, deps))}
    lock = change(LockText(b""), new, [])
    state = json.loads(json.dumps(lock.state()))
    assert json.dumps(state).count("dep-k") == 1
    again = read_text(lock.text, FILE, state)
    assert again.records == lock.records
    assert len({id(record.deps) for record in again.records.values()}) == 1
    assert [decode(record) for record in again.records.values()] == [t.trace for t in new.values()]


FOREIGN = [
    None,
    [],
    [1],
    "x",
    ["", [], []],
    [None, None, None, None, None],
    [None, ["a"], [[], [[0, ""]]], [], []],
]


@pytest.mark.parametrize("kept", FOREIGN)
def test_a_foreign_kept_state_is_as_good_as_none(kept: object) -> None:
    assert list(read_text(GOOD.encode(), FILE, kept).records) == ["a", "b"]


def test_a_quoted_scalar_that_looks_like_a_stage() -> None:
    text = "schema: '2.0'\nstages:\n  a:\n    cmd: \"x\n  b:\n    cmd: y\"\n"
    assert list(read_text(text.encode(), FILE).records) == ["a"]


def test_entries_of_dvc_2_and_of_xxh128() -> None:
    text = f"""\
schema: '2.0'
stages:
  a:
    cmd: x
    deps:
    - path: old
      md5: {A}d
      size: 1
    outs:
    - path: new
      hash: xxh128
      xxh128: {A}e.dir
      size: 2
      nfiles: 3
    - path: run
      hash: md5
      md5: {A}f
      size: 2
      isexec: true
"""
    trace = decode(read_text(text.encode(), FILE).records["a"])
    assert trace.deps == (Entry("old", Oid(A + "d"), Algo.MD5_DOS2UNIX, 1),)
    assert trace.outs == (
        Entry("new", Oid(A + "e.dir"), Algo.XXH128, 2, 3),
        Entry("run", Oid(A + "f"), Algo.MD5, 2, None, True),
    )
    new = change(LockText(b""), {"a": Recorded(trace, encode(trace))}, [])
    assert new.text.decode() == text


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("<<<<<<< HEAD\n" + GOOD, 1, "merge conflict"),
        (GOOD.replace("  b:", "<<<<<<< HEAD\n  b:"), 10, "merge conflict"),
        (GOOD.replace("  b:", "  a:"), 10, "twice"),
        (GOOD + "  c: [\n", 13, "YAML"),
        ("- a\n", 0, "does not hold a mapping"),
        ("schema: '3.0'\nstages: {}\n", 0, "schema '3.0'"),
        ("stages: {}\n", 0, "schema None"),
        ("schema: '2.0'\nstages: [a]\n", 0, "stages that are not a mapping"),
        (GOOD.replace("    cmd: y", "    cmd: 1"), 10, "stage 'b' has a cmd that is neither"),
        (GOOD.replace("    cmd: y", "    deps: []"), 10, "stage 'b' has no cmd"),
        (GOOD.replace("    cmd: x", "    cmd: x\n    deps: 3"), 3, "deps that are not a list"),
        (GOOD.replace("hash: md5", "hash: sha1"), 3, "unknown hash 'sha1'"),
        (GOOD.replace("- path: o", "- name: o"), 3, "an item without path in its outs"),
        (GOOD.replace("size: 3", "size: big"), 3, "of the wrong type"),
        (GOOD.replace("cmd: y", "cmd: y\n    params: [a]"), 10, "params that are not a mapping"),
        (GOOD.replace("cmd: y", "cmd: y\n    params:\n      p.yaml: 1"), 10, "params that are not"),
        ("schema: '2.0'\nstages:\n  a: 1\n", 3, "stage 'a' is not a mapping"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, line: int, what: str) -> None:
    with pytest.raises(TraceError) as caught:
        read_text(text.encode(), FILE)
    assert what in caught.value.what
    assert caught.value.place is not None
    assert (caught.value.place.file, caught.value.place.line) == ("dvc.lock", line)
    assert caught.value.hint


@pytest.mark.parametrize("text", [b"\xff\xfe", b"\0", b"\x80abc: 1\n"])
def test_binary_is_refused(text: bytes) -> None:
    with pytest.raises(TraceError):
        read_text(text, FILE)


@pytest.mark.parametrize(
    "text", ["", "\n", "# nothing\n", "schema: '2.0'\n", "schema: '2.0'\nstages:\n"]
)
def test_files_without_stages(text: str) -> None:
    assert read_text(text.encode(), FILE).records == {}
    assert "  t:\n" + NEW_TEXT in put(text, "t")


def test_datasets_are_kept_where_there_are_no_stages() -> None:
    text = "schema: '2.0'\ndatasets:\n- name: d\n  url: u\nstages: {}\n"
    assert put(text, "t") == text.replace("stages: {}\n", f"stages:\n  t:\n{NEW_TEXT}")

"""The journal and the traces above it: what survives a kill at any byte, and what must not be believed."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path

import pytest

from redoit.errors import TraceError
from redoit.model import Address, Entry, Oid, RepoPath, Stage, Trace
from redoit.project import Layout
from redoit.trace import Traces
from redoit.trace import journal as journal_module
from redoit.trace.journal import Journal
from redoit.trace.record import encode

ROOT = RepoPath("dvc.yaml")
SUB = RepoPath("sub/dvc.yaml")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "sub").mkdir()
    return Layout(str(tmp_path))


def stage(name: str, file: RepoPath = ROOT) -> Stage:
    address = name if file == ROOT else f"{file}:{name}"
    return Stage(Address(address), name, file, RepoPath(""), "x")


def trace(command: str) -> Trace:
    return Trace(command, outs=(Entry("o", Oid("a" * 32), size=1),))


def opened(layout: Layout) -> Traces:
    return Traces(layout, [ROOT, SUB])


def journal(layout: Layout) -> Path:
    return Path(layout.tmp, "journal")


def lock(layout: Layout) -> Path:
    return Path(layout.root, "dvc.lock")


def commands(traces: Traces, *names: str) -> list[object]:
    found = [traces.get(Address(name)) for name in names]
    return [each and each.cmd for each in found]


def test_what_is_recorded_is_seen_at_once_and_by_the_next_process(layout: Layout) -> None:
    first = opened(layout)
    first.record(stage("a"), trace("one"))
    first.record(stage("b", SUB), trace("two"))
    assert commands(first, "a", "sub/dvc.yaml:b", "b") == ["one", "two", None]
    # No write, no close: the process was killed.
    assert not lock(layout).exists()
    second = opened(layout)
    assert commands(second, "a", "sub/dvc.yaml:b", "b") == ["one", "two", None]
    second.write()
    assert "cmd: one" in lock(layout).read_text()
    assert "cmd: two" in Path(layout.root, "sub/dvc.lock").read_text()
    assert not journal(layout).exists()
    assert commands(opened(layout), "a", "sub/dvc.yaml:b") == ["one", "two"]


def test_reading_leaves_the_journal_alone(layout: Layout) -> None:
    opened(layout).record(stage("a"), trace("one"))
    with journal(layout).open("ab") as file:
        file.write(b"torn")
    before = journal(layout).read_bytes()
    opened(layout).get(Address("a"))
    assert journal(layout).read_bytes() == before


def test_a_tail_torn_at_any_byte_is_cut_off(layout: Layout) -> None:
    first = opened(layout)
    first.record(stage("a"), trace("one"))
    whole = journal(layout).read_bytes()
    first.record(stage("b"), trace("two"))
    line = journal(layout).read_bytes()[len(whole) :]
    for length in range(len(line)):
        journal(layout).write_bytes(whole + line[:length])
        traces = opened(layout)
        assert commands(traces, "a", "b") == ["one", None]
        traces.record(stage("c"), trace("three"))
        assert commands(opened(layout), "a", "b", "c") == ["one", None, "three"]


@pytest.mark.parametrize("at", [0, 10, 20, 60])
def test_a_damaged_line_and_all_after_it_are_not_believed(layout: Layout, at: int) -> None:
    first = opened(layout)
    first.record(stage("a"), trace("one"))
    start = len(journal(layout).read_bytes())
    first.record(stage("b"), trace("two"))
    first.record(stage("c"), trace("three"))
    text = bytearray(journal(layout).read_bytes())
    text[start + at] ^= 1
    journal(layout).write_bytes(text)
    assert commands(opened(layout), "a", "b", "c") == ["one", None, None]


@pytest.mark.parametrize("text", [b"", b"\0" * 100, b"hello\n", b"\xff" * 9, b"\n\n\n"])
def test_a_foreign_file_is_an_empty_journal(layout: Layout, text: bytes) -> None:
    Path(layout.tmp).mkdir(parents=True)
    journal(layout).write_bytes(text)
    traces = opened(layout)
    traces.record(stage("a"), trace("one"))
    assert commands(opened(layout), "a") == ["one"]


def test_the_last_of_several_records_counts(layout: Layout) -> None:
    first = opened(layout)
    first.record(stage("a"), trace("one"))
    first.record(stage("a"), trace("two"))
    second = opened(layout)
    second.record(stage("a"), trace("three"))
    assert commands(opened(layout), "a") == ["three"]


def test_a_lock_file_that_changed_meanwhile_is_newer(layout: Layout) -> None:
    """`git checkout`, or a run of DVC, between the kill and the next run."""
    first = opened(layout)
    first.record(stage("a"), trace("old"))
    first.record(stage("b"), trace("old"))
    first.write()
    killed = opened(layout)
    killed.record(stage("a"), trace("killed"))
    killed.record(stage("b"), trace("killed"))
    lock(layout).write_text(lock(layout).read_text().replace("cmd: old", "cmd: checked out", 1))
    after = opened(layout)
    assert commands(after, "a", "b") == ["checked out", "killed"]
    after.write()
    assert commands(opened(layout), "a", "b") == ["checked out", "killed"]


def test_a_kill_between_lock_file_and_emptied_journal(layout: Layout) -> None:
    first = opened(layout)
    first.record(stage("a"), trace("one"))
    left = journal(layout).read_bytes()
    first.write()
    second = opened(layout)
    second.record(stage("a"), trace("two"))
    second.write()
    journal(layout).write_bytes(left)
    assert commands(opened(layout), "a") == ["two"]


def test_a_lock_file_written_by_another_during_the_run_is_not_lost(layout: Layout) -> None:
    first = opened(layout)
    first.record(stage("a"), trace("one"))
    lock(layout).write_text("schema: '2.0'\nstages:\n  other:\n    cmd: theirs\n")
    first.write()
    assert commands(opened(layout), "a", "other") == ["one", "theirs"]


def test_forget(layout: Layout) -> None:
    first = opened(layout)
    for name in "abc":
        first.record(stage(name), trace(name))
    first.write()
    second = opened(layout)
    second.forget(Address("a"))
    second.forget(Address("never"))
    assert commands(second, "a", "b") == [None, "b"]
    assert commands(opened(layout), "a", "b") == [None, "b"]
    second.record(stage("b"), trace("new"))
    second.forget(Address("b"))
    second.write()
    assert commands(opened(layout), "a", "b", "c") == [None, None, "c"]
    third = opened(layout)
    third.forget(Address("c"))
    third.write()
    assert not lock(layout).exists()


def test_order_of_new_stages(layout: Layout) -> None:
    traces = opened(layout)
    for name in ("c", "a", "b"):
        traces.record(stage(name), trace(name))
        traces.record(stage(name, SUB), trace(name))
    traces.write([Address(a) for a in ("a", "b", "sub/dvc.yaml:b", "c", "sub/dvc.yaml:c")])
    text = lock(layout).read_text()
    assert re.findall(r"^  (\w):$", text, re.M) == ["a", "b", "c"]
    sub = Path(layout.root, "sub/dvc.lock").read_text()
    assert re.findall(r"^  (\w):$", sub, re.M) == ["b", "c", "a"]


def test_a_name_that_looks_like_an_address(layout: Layout) -> None:
    traces = Traces(layout, [ROOT, SUB])
    odd = stage("x@sub/dvc.yaml:b")
    traces.record(odd, trace("odd"))
    traces.write([odd.address])
    again = Traces(layout, [ROOT, SUB])
    assert commands(again, odd.address, "sub/dvc.yaml:b") == ["odd", None]
    again.forget(odd.address)
    assert commands(Traces(layout, [ROOT, SUB]), odd.address) == [None]


def test_threads_may_record_at_once(layout: Layout) -> None:
    traces = opened(layout)

    def work(part: int) -> None:
        for number in range(50):
            traces.record(stage(f"s{part}-{number}"), trace(f"{part}-{number}"))

    threads = [threading.Thread(target=work, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    again = opened(layout)
    for part in range(4):
        for number in range(50):
            assert commands(again, f"s{part}-{number}") == [f"{part}-{number}"]


def test_writing_while_others_record_loses_nothing(layout: Layout) -> None:
    traces = opened(layout)
    recorder = threading.Thread(
        target=lambda: [traces.record(stage(f"s{n}"), trace(f"{n}")) for n in range(200)]
    )
    recorder.start()
    while recorder.is_alive():
        traces.write()
    recorder.join()
    again = opened(layout)
    assert commands(again, *(f"s{n}" for n in range(200))) == [f"{n}" for n in range(200)]


@pytest.mark.parametrize("kept", ["[]", '{"dvc.lock": 3}', "torn", '{"dvc.lock": [1, 2, 3, 4, 5]}'])
def test_a_foreign_kept_state_is_as_good_as_none(layout: Layout, kept: str) -> None:
    first = opened(layout)
    first.record(stage("a"), trace("one"))
    first.write()
    (file,) = Path(layout.tmp, "kept").glob("locks-*")
    file.write_text(kept)
    assert commands(opened(layout), "a") == ["one"]


def test_after_a_power_cut_objects_may_be_torn(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = opened(layout)
    first.record(stage("safe"), trace("one"))
    first.sync()
    first.record(stage("torn"), trace("two"))
    first.record(stage("again"), trace("three"))
    assert opened(layout).unsafe == set()  # a kill alone tears nothing
    monkeypatch.setattr(journal_module, "_boot_id", lambda: "another boot")
    second = opened(layout)
    assert second.unsafe == {"torn", "again"}
    assert commands(second, "safe", "torn") == ["one", "two"]
    second.record(stage("again"), trace("three"))
    assert second.unsafe == {"torn"}
    assert opened(layout).unsafe == {"torn"}
    second.write()
    assert opened(layout).unsafe == set()


def test_a_full_disk_is_an_error_and_leaves_no_half_line(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    traces = opened(layout)
    traces.record(stage("a"), trace("one"))
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, bytes(data)[:20]))
    with pytest.raises(TraceError, match="journal"):
        traces.record(stage("b"), trace("two"))
    monkeypatch.undo()
    traces.record(stage("c"), trace("three"))
    assert commands(opened(layout), "a", "b", "c") == ["one", None, "three"]


def test_a_lock_file_that_cannot_be_written_keeps_the_journal(layout: Layout) -> None:
    traces = opened(layout)
    traces.record(stage("a"), trace("one"))
    lock(layout).mkdir()
    with pytest.raises(TraceError, match=r"dvc\.lock cannot be"):
        traces.write()
    lock(layout).rmdir()
    assert commands(opened(layout), "a") == ["one"]


def test_a_value_that_yaml_cannot_hold_is_an_error(layout: Layout) -> None:
    with pytest.raises(TraceError, match="cannot be recorded"):
        opened(layout).record(stage("a"), Trace("x", params={"p.py": {"k": object()}}))


def test_lines_of_a_journal(tmp_path: Path) -> None:
    path = str(tmp_path / "deep" / "journal")
    first = Journal(path)
    record = encode(trace("one"))
    first.append(ROOT, "a", None, record)
    first.append(ROOT, "b", "base", None)
    lines = Journal(path).lines
    assert [(line.stage, line.base, line.record, line.durable) for line in lines] == [
        ("a", None, record, True),
        ("b", "base", None, True),
    ]
    first.empty()
    assert Journal(path).lines == []
    first.append(ROOT, "c", None, record)
    assert [line.stage for line in Journal(path).lines] == ["c"]

"""Reasons, status, metrics and summaries as text."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from typing import Any

import pytest

from redoit.errors import CommandFailed
from redoit.model import (
    Address,
    Algo,
    Content,
    Entry,
    Oid,
    Outcome,
    Reason,
    RunResult,
    StageResult,
    Why,
)
from redoit.report.failure import logged, told
from redoit.report.metrics import flatten, print_metrics
from redoit.report.reasons import brief, full
from redoit.report.status import status_json, status_lines, why_lines
from redoit.report.summary import summary
from redoit.report.words import Paint

PLAIN = Paint()


@pytest.mark.parametrize(
    ("reasons", "text"),
    [
        ([Reason(Why.NEVER_RAN, "train")], "never ran"),
        ([Reason(Why.COMMAND_CHANGED, "train")], "command changed"),
        ([Reason(Why.ALWAYS, "train")], "always runs"),
        ([Reason(Why.DEP_CHANGED, "a")], "dep changed: a"),
        ([Reason(Why.FORCED, "--force")], "forced: --force"),
        ([Reason(Why.FORCED)], "forced"),
        (
            [Reason(Why.DEP_CHANGED, c) for c in "abcde"] + [Reason(Why.PARAM_NEW, "p.yaml:lr")],
            "dep changed: a, b, c and 2 more; param new: p.yaml:lr",
        ),
    ],
)
def test_reasons_in_a_line(reasons: list[Reason], text: str) -> None:
    assert brief(reasons) == text


@pytest.mark.parametrize(
    ("reason", "lines"),
    [
        (
            Reason(Why.COMMAND_CHANGED, "train", "python train.py", "python train.py --fast"),
            ["command changed", "    -python train.py", "    +python train.py --fast"],
        ),
        (
            Reason(Why.COMMAND_CHANGED, "train", ["a", "b", "c"], ("a", "x", "c")),
            ["command changed", "     a", "    -b", "    +x", "     c"],
        ),
        (
            Reason(Why.COMMAND_CHANGED, "train", "a\nb", "a\nb\nc"),
            ["command changed", "     a", "     b", "    +c"],
        ),
        (
            Reason(Why.DEP_CHANGED, "a.csv", "0a", "0b"),
            ["dep changed: a.csv", "    was  0a", "    now  0b"],
        ),
        (
            Reason(
                Why.OUT_CHANGED,
                "d",
                Entry("d", Oid("0a.dir"), Algo.MD5, 1234, 2),
                Content(Oid("0b"), Algo.XXH128, 5),
            ),
            [
                "out changed: d",
                "    was  md5 0a.dir (1,234 bytes, 2 files)",
                "    now  xxh128 0b (5 bytes)",
            ],
        ),
        (
            Reason(Why.PARAM_CHANGED, "params.yaml:lr", 0.1, [1, 2]),
            ["param changed: params.yaml:lr", "    was  0.1", "    now  [1, 2]"],
        ),
        (
            Reason(Why.PARAM_NEW, "params.yaml:lr", None, "x"),
            ["param new: params.yaml:lr", "    was  (none)", "    now  x"],
        ),
        (
            Reason(
                Why.PARAM_CHANGED,
                "params.yaml:model",
                {"name": "cnn", "size": {"depth": 3, "width": 2}},
                {"name": "cnn", "size": {"depth": 4, "width": 2}, "lr": 0.1},
            ),
            [
                "param changed: params.yaml:model",
                "    size.depth",
                "      was  3",
                "      now  4",
                "    lr",
                "      was  (none)",
                "      now  0.1",
            ],
        ),
        (Reason(Why.OUT_MISSING, "m.pkl"), ["out missing: m.pkl"]),
    ],
)
def test_reasons_in_full(reason: Reason, lines: list[str]) -> None:
    assert full(reason, PLAIN) == lines


@dataclass(frozen=True)
class State:
    """As the interface gives it."""

    address: Address
    reasons: tuple[Reason, ...] = ()
    affected_by: tuple[Address, ...] = ()
    frozen: bool = False


SAME = State(Address("prepare"))
CHANGED = State(Address("train"), (Reason(Why.PARAM_CHANGED, "params.yaml:lr", 0.1, 0.2),))
AFFECTED = State(Address("evaluate"), (), (Address("train"),))


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([], ["There are no stages"]),
        ([SAME], ["Up to date: 1 stage"]),
        ([SAME, SAME], ["Up to date: all 2 stages"]),
        (
            [SAME, CHANGED, AFFECTED],
            [
                "train     param changed: params.yaml:lr",
                "evaluate  depends on train",
                "1 of 3 stages changed; 1 may change with what they depend on",
            ],
        ),
        ([CHANGED], ["train  param changed: params.yaml:lr", "1 of 1 stage changed"]),
    ],
)
def test_status(rows: list[State], lines: list[str]) -> None:
    assert status_lines(rows, PLAIN) == lines


def test_many_stages_that_only_depend_on_others_are_counted() -> None:
    rows = [CHANGED, *[AFFECTED] * 21]
    assert status_lines(rows, PLAIN) == [
        "train  param changed: params.yaml:lr",
        "1 of 22 stages changed; 21 may change with what they depend on (-v lists them)",
    ]
    assert len(status_lines(rows, PLAIN, verbose=True)) == 23


def test_status_as_json() -> None:
    data = status_json([SAME, CHANGED, AFFECTED])
    assert json.loads(json.dumps(data)) == data
    assert [stage["state"] for stage in data["stages"]] == ["up to date", "changed", "affected"]
    assert data["stages"][1] == {
        "stage": "train",
        "state": "changed",
        "frozen": False,
        "reasons": [{"kind": "param changed", "subject": "params.yaml:lr", "old": 0.1, "new": 0.2}],
        "affected_by": [],
    }


def test_json_holds_any_value() -> None:
    odd = Reason(Why.PARAM_CHANGED, "p", {1: (2, {3})}, Content(Oid("0b"), Algo.MD5, 1))
    data = status_json([State(Address("x"), (odd,))])
    assert data["stages"][0]["reasons"][0]["old"] == {"1": [2, "{3}"]}
    assert data["stages"][0]["reasons"][0]["new"] == "0b"


@pytest.mark.parametrize(
    ("row", "lines"),
    [
        (SAME, ["prepare is up to date"]),
        (State(Address("x"), frozen=True), ["x is up to date (frozen)"]),
        (
            CHANGED,
            [
                "train would run:",
                "  param changed: params.yaml:lr",
                "      was  0.1",
                "      now  0.2",
            ],
        ),
        (
            AFFECTED,
            [
                "evaluate would run if what it depends on changes:",
                "  depends on stages that would run: train",
            ],
        ),
    ],
)
def test_why(row: State, lines: list[str]) -> None:
    assert why_lines(row, PLAIN) == lines


@pytest.mark.parametrize(
    ("content", "flat"),
    [
        ({"a": {"b": 1, "c": {"d": 0.5}}}, {"a.b": 1, "a.c.d": 0.5}),
        ({"a": [1, 2], "b": None, "c": "text", "d": {}}, {"c": "text"}),
        ({"a": True, 1: 2}, {"a": True, "1": 2}),
        (0.5, {"": 0.5}),
        (None, {}),
        ([1], {}),
    ],
)
def test_metrics_are_flattened(content: Any, flat: dict[str, object]) -> None:
    assert dict(flatten(content)) == flat


METRICS = {
    "lr.json": {"accuracy": 0.9333333, "n": 123456},
    "svm.json": {"accuracy": 1e-7, "f1": {"macro": 2.0}},
    "empty.json": {},
}


def printed(metrics: dict[str, Any], columns: int | None = None) -> list[str]:
    """The lines of the table in a file, or in a terminal of that width."""
    out = io.StringIO() if columns is None else Terminal()
    print_metrics(metrics, out)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    return [line.rstrip() for line in plain.strip("\n").splitlines()]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_metrics_in_a_row_for_each_file() -> None:
    assert printed(METRICS) == [
        "Path       accuracy        n   f1.macro",
        "───────────────────────────────────────",
        "lr.json     0.93333   123456          -",
        "svm.json      1e-07        -          2",
    ]


def test_metrics_in_a_row_for_each_value_if_there_is_less_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "35")
    monkeypatch.setenv("TERM", "xterm")
    assert printed(METRICS, 35) == [
        "Path       Metric       Value",
        "─────────────────────────────",
        "lr.json    accuracy   0.93333",
        "lr.json    n           123456",
        "svm.json   accuracy     1e-07",
        "svm.json   f1.macro         2",
    ]


def test_in_a_file_nothing_is_cut() -> None:
    long = {f"{'very_' * 30}long.json": {"key": "word " * 40}}
    assert len(printed(long)) == 3


def test_no_metrics_no_table() -> None:
    assert printed({}) == printed({"a.json": {}}) == []


def run(*outcomes: Outcome, **more: Any) -> RunResult:
    stages = tuple(StageResult(Address(f"s{i}"), each) for i, each in enumerate(outcomes))
    return RunResult(stages, **more)


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (run(), "There is nothing to run: no stages"),
        (run(Outcome.UP_TO_DATE), "Nothing changed: 1 stage is up to date"),
        (run(*[Outcome.UP_TO_DATE] * 3), "Nothing changed: all 3 stages are up to date"),
        (
            run(Outcome.RAN, Outcome.RAN, Outcome.UP_TO_DATE, seconds=2.34),
            "2 of 3 stages ran in 2.3 s: s0, s1; 1 up to date",
        ),
        (
            run(Outcome.RESTORED, Outcome.COMMITTED, Outcome.UP_TO_DATE),
            "1 stage restored from the cache; 1 recorded as found; 1 up to date",
        ),
        (
            run(Outcome.FAILED, Outcome.BLOCKED, Outcome.NOT_REACHED),
            "1 stage failed: s0; 1 not tried, depending on a failure; 1 not reached",
        ),
    ],
)
def test_summary(result: RunResult, text: str) -> None:
    assert summary(result) == text


def test_summary_of_a_dry_run() -> None:
    result = run(Outcome.RAN, Outcome.RESTORED, Outcome.UP_TO_DATE)
    assert summary(result, dry=True) == (
        "1 of 3 stages would run: s0; 1 would be restored from the cache; 1 up to date"
    )


def test_long_summaries_name_some() -> None:
    text = summary(run(*[Outcome.RAN] * 100, seconds=60))
    assert text == "100 of 100 stages ran in 1 min 0 s: s0, s1, s2, s3, s4, s5, s6 and 93 more"


def test_an_error_says_what_to_do_and_a_bug_how_to_report_it() -> None:
    error = CommandFailed("the command of 'a' ended with code 3", hint="mend it")
    assert told(error, verbose=False) == "error: the command of 'a' ended with code 3\n  mend it"
    assert told(ValueError("no"), verbose=False) == (
        "error: this is a bug in Redoit, not a mistake of yours\n"
        "  ValueError: no\n"
        "  run the same command with -v, and report what it prints with `exp --version`"
    )


def test_verbose_errors_have_a_traceback() -> None:
    try:
        raise ValueError("no")
    except ValueError as error:
        text = told(error, verbose=True)
    assert text.startswith("Traceback (most recent call last):\n")
    assert "test_verbose_errors_have_a_traceback" in text


def test_a_log_has_the_traceback_of_a_bug_alone() -> None:
    assert logged(CommandFailed("it ended with code 3")) == "error: it ended with code 3"
    try:
        raise ValueError("no")
    except ValueError as error:
        assert logged(error) == told(error, verbose=True)

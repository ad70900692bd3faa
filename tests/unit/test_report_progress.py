"""What a run shows while it goes on."""

from __future__ import annotations

import contextlib
import io
import os
import re
import threading
import time

import pytest

from redoit.errors import CommandFailed
from redoit.model import Address, Outcome, Place, Reason, RepoPath, Stage, StageResult, Why
from redoit.report.live import LiveListener, make_listener
from redoit.report.progress import PlainListener
from redoit.report.screen import Screen
from redoit.report.words import Paint


def stage(name: str, cmd: str | None = "true") -> Stage:
    return Stage(Address(name), name, RepoPath("dvc.yaml"), RepoPath(""), cmd)


def result(name: str, outcome: Outcome, seconds: float = 0.0, **more: object) -> StageResult:
    return StageResult(Address(name), outcome, seconds=seconds, **more)  # type: ignore[arg-type]


CHANGED = [Reason(Why.DEP_CHANGED, "a.csv"), Reason(Why.DEP_CHANGED, "b.csv")]


class Shown:
    """A listener with what it wrote."""

    def __init__(self, **options: bool) -> None:
        self.out = io.StringIO()
        self.err = io.StringIO()
        self.listener = PlainListener(Screen(self.out, self.err), Paint(), **options)

    def run_all(self, jobs: int = 1) -> None:
        """A run in which each outcome occurs."""
        names = ["ran", "restored", "same", "raw.dvc", "failed", "blocked", "late", "stopped"]
        stages = {n: stage(n, None if n.endswith(".dvc") else "one\ntwo") for n in names}
        listener = self.listener
        listener.planned(list(stages.values()), jobs)
        listener.started(stages["ran"], CHANGED)
        listener.command(stages["ran"], "one")
        listener.command(stages["ran"], "two")
        if jobs > 1:
            listener.output(stages["ran"], b"hello\n")
        listener.finished(stages["ran"], result("ran", Outcome.RAN, 2.3))
        listener.started(stages["restored"], [Reason(Why.OUT_MISSING, "model.pkl")])
        listener.finished(stages["restored"], result("restored", Outcome.RESTORED))
        listener.finished(stages["same"], result("same", Outcome.UP_TO_DATE))
        listener.started(stages["raw.dvc"], [Reason(Why.OUT_CHANGED, "raw")])
        listener.finished(stages["raw.dvc"], result("raw.dvc", Outcome.COMMITTED))
        listener.started(stages["failed"], [Reason(Why.NEVER_RAN, "failed")])
        listener.command(stages["failed"], "false")
        error = CommandFailed(
            "stage 'failed' failed: its command ended with code 1",
            place=Place("dvc.yaml", 3),
            hint="mend it",
        )
        listener.finished(stages["failed"], result("failed", Outcome.FAILED, 0.5, error=error))
        listener.finished(stages["blocked"], result("blocked", Outcome.BLOCKED))
        listener.finished(stages["late"], result("late", Outcome.NOT_REACHED))
        listener.finished(stages["stopped"], result("stopped", Outcome.INTERRUPTED, 3))
        listener.warned("look out")
        listener.ended()


def test_every_outcome_has_its_line() -> None:
    shown = Shown()
    shown.run_all()
    assert shown.out.getvalue() == (
        "Running stage 'ran' (1 of 8): dep changed: a.csv, b.csv\n"
        "> one\n"
        "> two\n"
        "Stage 'ran' ran in 2.3 s\n"
        "Stage 'restored' is cached, outputs restored (out missing: model.pkl)\n"
        "Stage 'same' didn't change, skipping\n"
        "'raw.dvc' is recorded as it is now (out changed: raw)\n"
        "Running stage 'failed' (5 of 8): never ran\n"
        "> false\n"
        "Stage 'blocked' not tried: a stage it depends on failed\n"
        "Stage 'stopped' interrupted after 3 s\n"
    )
    assert shown.err.getvalue() == (
        "error: stage 'failed' failed: its command ended with code 1\n"
        "  at: dvc.yaml:3\n"
        "  mend it\n"
        "warning: look out\n"
    )


def test_with_several_jobs_every_line_of_a_stage_has_its_name() -> None:
    shown = Shown()
    shown.run_all(jobs=2)
    assert "ran | > one\nran | > two\nran | hello\n" in shown.out.getvalue()


def test_quiet_leaves_only_the_output_of_stages_and_errors() -> None:
    shown = Shown(quiet=True)
    shown.run_all(jobs=2)
    assert shown.out.getvalue() == "ran | hello\n"
    assert shown.err.getvalue().startswith("error: stage 'failed' failed")


def test_an_ignored_failure_says_so() -> None:
    shown = Shown()
    error = CommandFailed("stage 'x' failed")
    shown.listener.planned([stage("x")], 1)
    shown.listener.finished(stage("x"), result("x", Outcome.FAILED, error=error, ignored=True))
    assert shown.err.getvalue() == (
        "error: stage 'x' failed\n  ignored: stages that depend on it run all the same\n"
    )


def test_a_dry_run_says_would() -> None:
    shown = Shown(dry=True)
    shown.run_all()
    lines = shown.out.getvalue().splitlines()
    assert lines[0] == "Would run stage 'ran' (1 of 8): dep changed: a.csv, b.csv"
    assert "Stage 'ran' ran in 2.3 s" not in lines
    assert "Stage 'restored' is cached, outputs would be restored (out missing: model.pkl)" in lines


@pytest.mark.parametrize(
    ("number", "verbose", "expected"),
    [
        (20, False, [f"Stage 's{i}' didn't change, skipping" for i in range(20)]),
        (21, False, ["21 stages didn't change, skipping"]),
        (21, True, [f"Stage 's{i}' didn't change, skipping" for i in range(21)]),
    ],
)
def test_many_skipped_stages_share_a_line(number: int, verbose: bool, expected: list[str]) -> None:
    shown = Shown(verbose=verbose)
    stages = [stage(f"s{i}") for i in range(number)]
    shown.listener.planned(stages, 1)
    for each in stages:
        shown.listener.finished(each, result(each.address, Outcome.UP_TO_DATE))
    shown.listener.ended()
    shown.listener.ended()
    assert shown.out.getvalue().splitlines() == expected


@pytest.mark.parametrize(
    ("line", "shown_line"),
    [
        (b"plain\n", b"x | plain\n"),
        (b"10%\r50%\r100%\r\n", b"x | 100%\n"),
        (b"\x1b[31mred\n", b"x | \x1b[31mred\x1b[0m\n"),
        (b"caf\xe9\n", b"x | caf\xe9\n"),
        (b"no newline", b"x | no newline\n"),
        (b"\n", b"x | \n"),
    ],
)
def test_output_lines_are_whole_and_keep_their_bytes(line: bytes, shown_line: bytes) -> None:
    binary = io.BytesIO()
    screen = Screen(io.TextIOWrapper(binary, "utf-8"), io.StringIO())
    listener = PlainListener(screen, Paint())
    listener.planned([stage("x")], 2)
    listener.output(stage("x"), line)
    assert binary.getvalue() == shown_line


def test_output_of_many_threads_is_never_mixed_within_a_line() -> None:
    binary = io.BytesIO()
    listener = PlainListener(Screen(io.TextIOWrapper(binary, "utf-8"), io.StringIO()), Paint())
    stages = [stage(f"s{i}") for i in range(4)]
    listener.planned(stages, 4)

    def work(each: Stage) -> None:
        for _ in range(200):
            listener.output(each, each.name.encode() * 20 + b"\n")

    threads = [threading.Thread(target=work, args=(each,)) for each in stages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = {f"{s.name} | {s.name * 20}".encode(): 200 for s in stages}
    lines = binary.getvalue().splitlines()
    assert {line: lines.count(line) for line in set(lines)} == expected


@pytest.mark.parametrize(
    ("answer", "expected"), [("y", True), ("Yes", True), ("n", False), ("", False), (None, False)]
)
def test_confirm(answer: str | None, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Shown()
    monkeypatch.setattr("sys.stdin", io.StringIO("" if answer is None else answer + "\n"))
    assert shown.listener.confirm(stage("train")) is expected
    assert shown.out.getvalue().startswith("Run stage 'train'? [y/n] ")


def test_a_closed_pipe_does_not_end_the_run() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with contextlib.suppress(BrokenPipeError), open(writer, "w") as stream:
        listener = PlainListener(Screen(stream, io.StringIO()), Paint())
        try:
            listener.planned([stage("x")], 2)
            listener.output(stage("x"), b"unseen\n")
            listener.finished(stage("x"), result("x", Outcome.UP_TO_DATE))
            listener.ended()
        except BrokenPipeError:
            pytest.fail("the listener must not raise")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("out", "jobs", "quiet", "environ", "live"),
    [
        (Terminal(), 2, False, {}, True),
        (Terminal(), 1, False, {}, False),
        (Terminal(), 2, True, {}, False),
        (Terminal(), 2, False, {"CI": "true"}, False),
        (Terminal(), 2, False, {"TERM": "dumb"}, False),
        (io.StringIO(), 2, False, {}, False),
    ],
)
def test_live_only_on_a_terminal_with_several_jobs(
    out: io.StringIO, jobs: int, quiet: bool, environ: dict[str, str], live: bool
) -> None:
    listener = make_listener(
        out, io.StringIO(), jobs=jobs, quiet=quiet, verbose=False, dry=False, environ=environ
    )
    assert isinstance(listener, LiveListener) is live


def terminal_after(written: str) -> list[str]:
    """What a terminal shows after ``written``: carriage return, line up and erase line obeyed."""
    lines = [""]
    row = column = 0
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|.|\n", written):
        if part == "\r":
            column = 0
        elif part == "\n":
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif part == "\x1b[2K":
            lines[row] = ""
        elif part == "\x1b[1A":
            row -= 1
        elif not part.startswith("\x1b"):
            lines[row] = lines[row][:column].ljust(column) + part + lines[row][column + 1 :]
            column += 1
    return [line.rstrip() for line in lines]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    for name in ("NO_COLOR", "CI", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "40")
    return Terminal()


def test_live_status_stays_below_the_lines(terminal: Terminal) -> None:
    now = [0.0]
    listener = LiveListener(terminal, terminal, Paint(), clock=lambda: now[0])
    stages = [stage("a"), stage("b" * 60)]
    listener.planned(stages, 2)
    listener.started(stages[0], [Reason(Why.NEVER_RAN, "a")])
    now[0] = 3.9
    listener.started(stages[1], CHANGED)
    now[0] = 65.0
    listener.command(stages[0], "true")
    listener.output(stages[0], b"\x1b[31mhi\x1b[2Athere\n")
    deadline = time.monotonic() + 10
    while "1 min 5 s" not in terminal.getvalue() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert terminal_after(terminal.getvalue())[:4] == [
        "a | hithere",
        "  a  1 min 5 s",
        "  " + "b" * 37 + "…",
        "0 of 2 stages done, 2 running, 1 min 5 s",
    ]
    listener.finished(stages[0], result("a", Outcome.RAN, 65.0))
    listener.finished(stages[1], result(stages[1].address, Outcome.UP_TO_DATE))
    listener.ended()
    listener.ended()
    assert [line for line in terminal_after(terminal.getvalue()) if line] == [
        "a | hithere",
        "Stage 'a' ran in 1 min 5 s (never ran)",
        f"Stage '{'b' * 60}' didn't change, skipping",
    ]


def test_the_cursor_is_given_back(terminal: Terminal) -> None:
    listener = LiveListener(terminal, terminal, Paint())
    listener.planned([stage("a")], 2)
    assert terminal.getvalue() == ""
    listener.started(stage("a"), CHANGED)
    assert terminal.getvalue().count("\x1b[?25l") == 1
    listener.ended()
    assert terminal.getvalue().rindex("\x1b[?25h") > terminal.getvalue().rindex("\x1b[?25l")


def test_live_errors_go_to_a_redirected_stderr(terminal: Terminal) -> None:
    err = io.StringIO()
    listener = LiveListener(terminal, err, Paint())
    listener.planned([stage("a")], 2)
    listener.started(stage("a"), CHANGED)
    listener.warned("look out")
    listener.ended()
    assert err.getvalue() == "warning: look out\n"
    assert "look out" not in terminal.getvalue()


def test_live_asks_without_a_live_part(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = LiveListener(terminal, terminal, Paint())
    listener.planned([stage("a"), stage("b")], 2)
    listener.started(stage("b"), CHANGED)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert listener.confirm(stage("a"))
    hidden = terminal.getvalue().index("Run stage 'a'? [y/n] ")
    assert terminal.getvalue()[:hidden].rindex("\x1b[?25h") > 0
    listener.ended()


def test_many_running_stages_are_counted(terminal: Terminal) -> None:
    listener = LiveListener(terminal, terminal, Paint(), clock=lambda: 0.0)
    stages = [stage(f"s{i}") for i in range(12)]
    listener.planned(stages, 12)
    for each in stages:
        listener.started(each, ())
    assert listener.status()[-2:] == ["  and 4 more", "0 of 12 stages done, 12 running, 0 s"]
    listener.ended()


def test_verbose_live_shows_commands_too(terminal: Terminal) -> None:
    listener = LiveListener(terminal, terminal, Paint(), verbose=True)
    listener.planned([stage("a")], 2)
    listener.started(stage("a"), CHANGED)
    listener.command(stage("a"), "make")
    listener.ended()
    assert [line for line in terminal_after(terminal.getvalue()) if line] == [
        "Running stage 'a' (1 of 1): dep changed: a.csv, b.csv",
        "a | > make",
    ]


def test_live_with_many_threads_neither_hangs_nor_loses_a_line(terminal: Terminal) -> None:
    listener = LiveListener(terminal, terminal, Paint(), verbose=True)
    stages = [stage(f"s{i}") for i in range(200)]
    listener.planned(stages, 8)

    def work(mine: list[Stage]) -> None:
        for each in mine:
            listener.started(each, CHANGED)
            listener.command(each, "true")
            listener.output(each, b"hello\n")
            listener.finished(each, result(each.address, Outcome.RAN))

    threads = [threading.Thread(target=work, args=(stages[i::8],), daemon=True) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    listener.ended()
    shown = terminal_after(terminal.getvalue())
    assert {line for line in shown if line.endswith("| hello")} == {
        f"{each.name} | hello" for each in stages
    }


def test_transfers_are_a_line_of_the_live_part() -> None:
    now = [0.0]
    listener = LiveListener(io.StringIO(), io.StringIO(), Paint(False), clock=lambda: now[0])
    meter = listener.transfers
    meter.begin("get", 4, 4_000_000)
    now[0] = 10.0
    meter.moved(1_000_000)
    assert listener.status()[-2] == ("Getting 1 of 4 files, 1.0 MB of 4.0 MB, 100 kB/s, 30 s left")
    meter.ended()
    assert len(listener.status()) == 1
    listener.ended()

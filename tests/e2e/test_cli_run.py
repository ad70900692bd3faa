"""What the commands print for a small project, word for word."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time

import pytest

from tests.sandbox import Result, Sandbox, exp_command

PIPELINE = """\
stages:
  prepare:
    cmd: sort raw.txt > sorted.txt
    deps: [raw.txt]
    outs: [sorted.txt]
  count:
    foreach: [a, b]
    do:
      cmd: grep -c ${item} sorted.txt > "count.${item}"
      deps: [sorted.txt]
      outs: ["count.${item}"]
  sum:
    cmd: python -c 'from sum import *'
    deps: [count.a, count.b, sum.py]
    params: [scale]
    metrics:
      - sum.json:
          cache: false
"""
SUM = """\
import json
scale = float(open("params.yaml").read().split()[1])
total = sum(int(open(f"count.{name}").read()) for name in "ab")
json.dump({"total": total, "scaled": {"total": total * scale}}, open("sum.json", "w"))
"""


@pytest.fixture
def small(project: Sandbox) -> Sandbox:
    project.write("dvc.yaml", PIPELINE)
    project.write("sum.py", SUM)
    project.write("params.yaml", "scale: 0.5\n")
    project.write("raw.txt", "b\na\nab\n")
    project.commit()
    return project


def lines(result: Result) -> list[str]:
    """Standard output with every duration as ``T`` and every commit as ``REV``; errors must be empty."""
    assert result.stderr == ""
    text = re.sub(r"\b\d+\.\d+ s\b", "T", result.stdout)
    return re.sub(r"\([0-9a-f]{7}\)", "(REV)", text).splitlines()


FIRST = """\
Running stage 'prepare' (1 of 4): never ran
> sort raw.txt > sorted.txt
Stage 'prepare' ran in T
Running stage 'count@a' (2 of 4): never ran
> grep -c a sorted.txt > "count.a"
Stage 'count@a' ran in T
Running stage 'count@b' (3 of 4): never ran
> grep -c b sorted.txt > "count.b"
Stage 'count@b' ran in T
Running stage 'sum' (4 of 4): never ran
> python -c 'from sum import *'
Stage 'sum' ran in T
4 of 4 stages ran in T: prepare, count@a, count@b, sum

Path       total   scaled.total
───────────────────────────────
sum.json       4              2

Experiment 'first' (REV)
""".splitlines()

SKIPPED = [
    f"Stage '{name}' didn't change, skipping" for name in ("prepare", "count@a", "count@b", "sum")
]


def test_run_tells_what_ran_and_why(small: Sandbox) -> None:
    assert lines(small.exp("run", "-n", "first")) == FIRST
    assert lines(small.exp("run")) == [
        *SKIPPED,
        "Nothing changed: all 4 stages are up to date",
        "Experiment 'first' (REV) holds this state already",
    ]

    small.write("raw.txt", "b\nb\n")
    small.exp("run", "-n", "second", code=1)  # grep finds no a
    small.write("raw.txt", "b\na\nab\n")
    assert lines(small.exp("repro")) == [
        "Stage 'prepare' is cached, outputs restored (dep changed: raw.txt)",
        "Stage 'count@a' is cached, outputs restored (out changed: count.a)",
        *SKIPPED[2:],
        "2 stages restored from the cache; 2 up to date",
    ]


def test_what_is_restored_is_executable_only_if_that_is_recorded(small: Sandbox) -> None:
    small.exp("repro", "-q")
    (small.root / "sorted.txt").chmod(0o755)
    (small.root / "dvc.lock").unlink()
    assert "'prepare' is cached, outputs restored" in small.exp("repro").stdout
    assert (small.root / "sorted.txt").stat().st_mode & 0o111 == 0


def test_a_failure(small: Sandbox) -> None:
    small.write("raw.txt", "b\nb\n")
    result = small.exp("repro", code=1)
    assert re.sub(r"\d+\.\d+ s", "T", result.stdout).splitlines()[-1] == (
        "1 of 4 stages ran in T: prepare; 1 failed: count@a; 2 not reached"
    )
    assert result.stderr == (
        "error: stage 'count@a' failed: its command ended with exit code 1\n"
        "  at:      dvc.yaml:6:3\n"
        '  command: grep -c a sorted.txt > "count.a"\n'
        "  in:      .\n"
        "  see its output above; the outs of earlier runs are still in the cache\n"
    )


def test_keep_going(small: Sandbox) -> None:
    small.write("raw.txt", "b\nb\n")
    result = small.exp("repro", "-k", code=1)
    assert "Stage 'count@b' ran in" in result.stdout
    assert "Stage 'sum' not tried: a stage it depends on failed" in result.stdout
    assert result.stdout.splitlines()[-1].endswith(
        "1 failed: count@a; 1 not tried, depending on a failure"
    )


def test_several_jobs_name_the_stage_on_every_line(small: Sandbox) -> None:
    printed = lines(small.exp("repro", "-j", "2"))
    assert "prepare | > sort raw.txt > sorted.txt" in printed
    assert 'count@a | > grep -c a sorted.txt > "count.a"' in printed
    assert printed[-1] == "4 of 4 stages ran in T: prepare, count@a, count@b, sum"


def test_quiet_prints_nothing_but_what_stages_print(small: Sandbox) -> None:
    small.write("dvc.yaml", PIPELINE.replace("cmd: sort", "cmd: echo hello && sort"))
    result = small.exp("run", "-q")
    assert (result.stdout, result.stderr) == ("hello\n", "")
    result = small.exp("run", "-q")
    assert (result.stdout, result.stderr) == ("", "")


def test_a_dry_run_changes_nothing(small: Sandbox) -> None:
    assert lines(small.exp("run", "--dry"))[:2] == [
        "Would run stage 'prepare' (1 of 4): never ran",
        "> sort raw.txt > sorted.txt",
    ]
    assert lines(small.exp("run", "--dry"))[-1] == (
        "4 of 4 stages would run: prepare, count@a, count@b, sum"
    )
    assert small.git("status", "--short") == ""
    assert small.git("for-each-ref", "refs/exps") == ""


def test_asking(small: Sandbox) -> None:
    small.exp("repro")
    small.write("params.yaml", "scale: 2\n")
    result = small.exp("repro", "-i", stdin="y\n")
    assert "Run stage 'sum'? [y/n] " in result.stdout
    assert "1 of 4 stages ran" in result.stdout


def test_status_and_why(small: Sandbox) -> None:
    assert lines(small.exp("status")) == [
        "prepare  never ran",
        "count@a  never ran",
        "count@b  never ran",
        "sum      never ran",
        "4 of 4 stages changed",
    ]
    small.exp("repro")
    assert lines(small.exp("status")) == ["Up to date: all 4 stages"]
    assert lines(small.exp("why", "sum")) == ["sum is up to date"]
    assert small.exp("status", "-q").code == 0

    small.write("params.yaml", "scale: 2\n")
    small.write("raw.txt", "a\nb\n")
    small.write("dvc.yaml", PIPELINE.replace("import *'", "import total'"))
    (small.root / "count.b").unlink()
    assert lines(small.exp("status")) == [
        "prepare  dep changed: raw.txt",
        "count@b  out missing: count.b",
        "sum      command changed; param changed: params.yaml:scale; dep missing: count.b",
        "count@a  depends on prepare",
        "3 of 4 stages changed; 1 may change with what they depend on",
    ]
    assert small.exp("status", "-q", code=1).stdout == ""
    why = lines(small.exp("why", "sum"))
    assert [re.sub(r"[0-9a-f]{32}", "OID", line) for line in why] == [
        "sum would run:",
        "  command changed",
        "      -python -c 'from sum import *'",
        "      +python -c 'from sum import total'",
        "  param changed: params.yaml:scale",
        "      was  0.5",
        "      now  2",
        "  dep missing: count.b",
        "      was  OID",
        "      now  missing",
        "  depends on stages that would run: count@a, count@b",
    ]
    assert [line.split()[0] for line in lines(small.exp("why", "count"))[:1]] == ["count@a"]


def test_status_as_json(small: Sandbox) -> None:
    small.exp("repro")
    small.write("params.yaml", "scale: 2\n")
    stages = json.loads(small.exp("status", "--json").stdout)["stages"]
    assert {stage["stage"]: stage["state"] for stage in stages} == {
        "prepare": "up to date",
        "count@a": "up to date",
        "count@b": "up to date",
        "sum": "changed",
    }
    assert stages[-1]["reasons"] == [
        {"kind": "param changed", "subject": "params.yaml:scale", "old": 0.5, "new": 2}
    ]


def test_dag(small: Sandbox) -> None:
    assert lines(small.exp("dag")) == ["● prepare", "● count (2 stages)", "● sum"]
    assert lines(small.exp("dag", "--full", "count")) == [
        "● prepare",
        "├─╮",
        "● │ count@a",
        "  ● count@b",
    ]
    assert lines(small.exp("dag", "prepare", "--mermaid")) == [
        "flowchart TD",
        '\tnode1["prepare"]',
    ]
    assert small.exp("dag", "--dot").stdout.startswith("digraph {\n")


def test_many_skipped_stages_share_a_line(project: Sandbox) -> None:
    items = ", ".join(str(i) for i in range(30))
    project.write(
        "dvc.yaml",
        f"stages:\n  s:\n    foreach: [{items}]\n    do:\n"
        '      cmd: echo ${item} > "s.${item}"\n      params: [x]\n      outs: ["s.${item}"]\n',
    )
    project.write("params.yaml", "x: 1\n")
    project.commit()
    project.exp("repro", "-q")
    assert lines(project.exp("repro")) == [
        "30 stages didn't change, skipping",
        "Nothing changed: all 30 stages are up to date",
    ]
    assert len(lines(project.exp("repro", "-v"))) == 31


def test_a_reader_that_stops_does_not_stop_the_run(small: Sandbox) -> None:
    small.command("sh", "-c", "exp repro | head -n 1")
    assert small.read("sum.json")
    assert lines(small.exp("status")) == ["Up to date: all 4 stages"]


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_commands_and_keeps_what_had_finished(
    small: Sandbox, jobs: str, sig: signal.Signals
) -> None:
    small.write("dvc.yaml", PIPELINE.replace("cmd: python", "cmd: echo $$ > pid; sleep 60; python"))
    process = subprocess.Popen(
        [str(exp_command()), "run", "-j", jobs],
        cwd=small.root,
        env=dict(small.env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    pid_file = small.root / "pid"
    deadline = time.monotonic() + 60
    while not (pid_file.exists() and pid_file.read_text().strip()):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(sig)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    said, unfinished = err.splitlines()
    assert said == "interrupted: what had finished is recorded"
    assert re.fullmatch(
        r"Experiment '(.+)' has not finished: `exp run -r \1` goes on with it", unfinished
    )
    assert "1 interrupted: sum" in out
    wait_for_the_end_of_group(int(pid_file.read_text()))
    assert small.git("for-each-ref", "refs/exps") == ""
    assert "3 up to date" in lines(small.exp("repro", "--dry"))[-1]


INTERRUPTED_UNNOTICED = """\
import _thread, os, signal, sys, threading, time
from redoit import Project
from redoit.model import Request

def trip():
    while not os.path.exists("began") or frame().f_code.co_name not in ("wait", "_drain", "_wait"):
        time.sleep(0.01)
    _thread.interrupt_main(signal.SIGTERM)

def frame():
    return sys._current_frames()[threading.main_thread().ident]

threading.Thread(target=trip, daemon=True).start()
done = Project().repro(Request(jobs=int(sys.argv[1]), interactive=sys.argv[2] == "True"))
print([each.outcome.name for each in done.stages])
"""


@pytest.mark.parametrize(("jobs", "interactive"), [(1, False), (1, True), (2, False)])
def test_a_signal_that_comes_just_before_the_main_thread_waits_is_noticed(
    project: Sandbox, jobs: int, interactive: bool
) -> None:
    project.write("dvc.yaml", "stages:\n  a:\n    cmd: touch began; sleep 30; touch done\n")
    # As in that moment, the handler is due, and no call of the system is interrupted.
    code = (sys.executable, "-c", INTERRUPTED_UNNOTICED, str(jobs), str(interactive))
    done = subprocess.run(
        code, cwd=project.root, env=dict(project.env), capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "['INTERRUPTED']"
    assert not (project.root / "done").exists()


def test_where_the_time_went(small: Sandbox) -> None:
    table = small.exp("run", "-j2", "--profile", "--profile-json", "p.json").stdout
    rows = dict(re.findall(r"^(\w+) +(\d+\.\d{3})", table, re.M))
    assert list(rows) == [
        *("start", "git", "params", "load", "plan", "look", "check", "wait", "prepare", "command"),
        *("commit", "journal", "record", "experiment", "other", "total"),
    ]
    profile = json.loads(small.read("p.json"))
    assert {stage["stage"] for stage in profile["stages"]} == {
        "prepare",
        "count@a",
        "count@b",
        "sum",
    }
    phases = {phase["phase"]: phase for phase in profile["phases"]}
    assert phases["command"]["times"] == 4
    assert phases["command"]["in_workers"] > 0 and phases["command"]["seconds"] == 0
    total = sum(phase["seconds"] for phase in profile["phases"])
    assert abs(total - profile["seconds"]) < 1e-6
    again = small.exp("repro", "--profile").stdout
    assert "command" not in again and "in workers" not in again
    assert (
        "--profile-json cannot be"
        in small.exp("run", "--temp", "--profile-json", "p.json", code=2).stderr
    )
    lost = small.exp("repro", "-q", "--profile-json", "no/p.json", code=1)
    assert lost.stderr.startswith("error: cannot write where the time went: No such file")
    assert lost.stdout == ""


def wait_for_the_end_of_group(group: int) -> None:
    """Soon: what was killed counts as long as init has not taken notice."""
    deadline = time.monotonic() + 10
    with pytest.raises(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            time.sleep(0.02)


def test_colours_only_on_a_terminal_and_never_with_no_color(small: Sandbox) -> None:
    small.exp("repro", "-q")
    small.write("params.yaml", "scale: 2\n")
    assert "\x1b[" not in small.exp("why", "sum").stdout
    for variables, coloured in (("", True), ("NO_COLOR=1 ", False), ("TERM=dumb ", False)):
        shown = in_terminal(small, f"{variables}exp why sum")
        assert "params.yaml:scale" in shown
        assert ("\x1b[31m0.5\x1b[0m" in shown) is coloured


def test_live_progress_in_a_terminal(small: Sandbox) -> None:
    shown = in_terminal(small, "exp run -j 2 -n live")
    assert "running" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
    assert "4 of 4 stages ran in" in shown
    assert "\x1b[?25l" not in in_terminal(small, "CI=1 exp run -j 2 -f")
    # Nothing to do: nothing to draw.
    assert "\x1b[?25l" not in in_terminal(small, "exp run -j 2")


def in_terminal(sandbox: Sandbox, command: str) -> str:
    """What ``command`` shows in a terminal of 80 columns."""
    pid, terminal = pty.fork()
    if pid == 0:  # the child: nothing but exec
        os.chdir(sandbox.root)
        env = {**sandbox.env, "TERM": "xterm", "COLUMNS": "80"}
        os.execve("/bin/sh", ["sh", "-c", command], env)
    shown = b""
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # Linux: the other end is closed
            break
        if not data:
            break
        shown += data
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, shown
    return shown.decode()


def test_a_metrics_file_that_cannot_be_read_is_no_failure(project: Sandbox) -> None:
    project.write(
        "dvc.yaml", "stages:\n  bad:\n    cmd: echo '{' > m.json\n    metrics: [m.json]\n"
    )
    project.commit()
    result = project.exp("run", "-n", "kept")
    assert result.stderr.splitlines()[-1] == (
        "warning: the metrics cannot be shown: this is not JSON: Expecting property name enclosed in "
        "double quotes (m.json:2:1)"
    )
    assert result.stdout.splitlines()[-1].startswith("Experiment 'kept'")

"""``exp show`` and ``exp diff``, as a user calls them."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
from fcntl import ioctl
from pathlib import Path

import pytest

from tests.sandbox import Sandbox, exp_command

PIPELINE = """\
stages:
  train:
    cmd: cat params.yaml > metrics.yaml && cp in.txt model.bin
    deps: [in.txt]
    params: [lr, net]
    outs: [model.bin]
    metrics: [metrics.yaml]
"""


def commit(project: Sandbox, message: str, second: int) -> None:
    project.git("add", "-A")
    project.command("git", "commit", "-qm", message, GIT_COMMITTER_DATE=f"{second} +0000")


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A baseline with three experiments, made at known times; the workspace is as the last left it."""
    from tests.sandbox import dvc_sandbox

    folder = tmp_path_factory.mktemp("tried")
    project = dvc_sandbox(folder / "repo", folder / "home")
    project.write("dvc.yaml", PIPELINE)
    project.write("in.txt", "data\n")
    project.write("params.yaml", "lr: 0.123456789\nnet: {depth: 1}\nother: 5\n")
    project.exp("repro")
    commit(project, "baseline", 1_700_000_000)
    for number, lr in enumerate(("0.5", "0.25", "0.75")):
        project.write("params.yaml", f"lr: {lr}\nnet: {{depth: {number}}}\nother: 5\n")
        project.exp(
            "run", "-n", f"try{number}", GIT_COMMITTER_DATE=f"{1_700_000_100 + number} +0000"
        )
    return project


def table(text: str) -> list[list[str]]:
    """Cells of each line, with every sha as ``SHA``."""
    text = re.sub(r"\b[0-9a-f]{7}\b(?= \[)", "SHA", text)
    return [re.split(r"\s{2,}", line) for line in text.splitlines()]


def test_the_table(tried: Sandbox) -> None:
    assert table(tried.exp("show", "--drop", ".*other|in.txt").stdout) == [
        ["Experiment", "Created"]
        + [f"{file}.yaml:{key}" for file in ("metrics", "params") for key in ("lr", "net.depth")],
        ["workspace", "-", "0.75", "2", "0.75", "2"],
        ["main", "Nov 14, 2023", "0.12346", "1", "0.12346", "1"],
        ["├── SHA [try2]", "Nov 14, 2023", "0.75", "2", "0.75", "2"],
        ["├── SHA [try1]", "Nov 14, 2023", "0.25", "1", "0.25", "1"],
        ["└── SHA [try0]", "Nov 14, 2023", "0.5", "0", "0.5", "0"],
    ]


def names(text: str) -> list[str]:
    return re.findall(r"\[(try\d)\]", text)


@pytest.mark.parametrize(
    ("options", "order"),
    [
        ((), ["try2", "try1", "try0"]),
        (("--sort-by", "params.yaml:lr"), ["try1", "try0", "try2"]),
        (("--sort-by", "metrics.yaml:lr", "--sort-order", "desc"), ["try2", "try0", "try1"]),
    ],
)
def test_the_order_of_experiments(
    options: tuple[str, ...], order: list[str], tried: Sandbox
) -> None:
    assert names(tried.exp("show", *options).stdout) == order


@pytest.mark.parametrize(
    ("options", "columns"),
    [
        (("--only-changed", "--drop", "metrics"), "Created params.yaml:lr params.yaml:net.depth"),
        (
            ("--only-changed", "--drop", ".*", "--keep", "in.txt", "--keep", "params.yaml:o"),
            "params.yaml:other in.txt",
        ),
        (
            ("--param-deps", "--drop", "metrics|other"),
            "Created params.yaml:lr params.yaml:net.depth in.txt",
        ),
    ],
)
def test_the_columns(options: tuple[str, ...], columns: str, tried: Sandbox) -> None:
    head = table(tried.exp("show", *options).stdout)[0]
    assert head == ["Experiment", *columns.split()]


def test_markdown(tried: Sandbox) -> None:
    text = tried.exp(
        "show", "--md", "--precision", "2", "--keep", ".*params.yaml:lr", "--drop", ".*"
    )
    assert [line.replace(" ", "") for line in text.stdout.splitlines()][:4] == [
        "|Experiment|params.yaml:lr|",
        "|--------------------|----------------|",
        "|workspace|0.75|",
        "|main|0.12|",
    ]


def test_csv_has_all_digits(tried: Sandbox) -> None:
    lines = tried.exp("show", "--csv", "--drop", "metrics|in.txt").stdout.splitlines()
    assert lines[0] == (
        "Experiment,rev,typ,Created,parent,params.yaml:lr,params.yaml:net.depth,params.yaml:other"
    )
    assert lines[2] == ",main,baseline,2023-11-14T22:13:20,,0.123456789,1,5"


def test_the_second_look_reads_no_commit_and_says_the_same(tried: Sandbox) -> None:
    first = tried.exp("show", "--json", "-A").stdout
    database = tried.root / ".dvc/tmp/redoit/revisions.db"
    before = database.stat().st_mtime_ns
    assert tried.exp("show", "--json", "-A").stdout == first
    assert database.stat().st_mtime_ns == before
    assert tried.exp("show", "--json", "-A", "--force").stdout == first
    database.write_bytes(b"no database")
    assert tried.exp("show", "--json", "-A").stdout == first


def test_what_only_the_cache_has_is_read_from_there(tried: Sandbox) -> None:
    """metrics.yaml is in the cache, not in Git; without the cache it is an error, until it is back."""
    cache, away = tried.root / ".dvc/cache", tried.root / ".dvc/away"
    before = tried.exp("show", "--json", "--hide-workspace", "-f").stdout
    assert json.loads(before)[0]["data"]["metrics"]["metrics.yaml"]["data"]["lr"] == 0.123456789
    cache.rename(away)
    gone = json.loads(tried.exp("show", "--json", "--hide-workspace", "-f").stdout)
    assert gone[0]["data"]["metrics"]["metrics.yaml"]["error"]["type"] == "MissingObject"
    assert "!" in table(tried.exp("show", "-f").stdout)[2]
    away.rename(cache)
    assert tried.exp("show", "--json", "--hide-workspace").stdout == before


def test_nothing_of_the_user_is_touched(tried: Sandbox) -> None:
    index = (tried.root / ".git/index").read_bytes()
    refs = tried.git("for-each-ref")
    tried.exp("show")
    tried.exp("diff", "try0")
    assert (tried.root / ".git/index").read_bytes() == index
    assert tried.git("for-each-ref") == refs


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("show", "--sort-by", "lr"),
            [
                "error: --sort-by lr may mean 2 columns",
                "  metrics: metrics.yaml:lr",
                "  params:  params.yaml:lr",
                "  name its file too, as in params.yaml:lr",
            ],
        ),
        (
            ("show", "--sort-by", "net.dept"),
            [
                "error: --sort-by net.dept: there is no such metric or param",
                "  did you mean 'net.depth'?",
            ],
        ),
        (
            ("show", "--drop", "a(b"),
            [
                "error: --drop a(b: this is not a regular expression",
                "  because: missing ), unterminated subpattern at position 1",
                r"  a dot stands for any character, \. for a dot; see Python's module re",
            ],
        ),
        (
            ("show", "--json", "--csv"),
            ["error: --json and --csv cannot be given together", "  leave one of them out"],
        ),
    ],
)
def test_usage_errors(arguments: tuple[str, ...], told: list[str], tried: Sandbox) -> None:
    assert tried.exp(*arguments, code=2).stderr.splitlines() == told


@pytest.mark.parametrize(
    "arguments", [("show", "--rev", "tri1"), ("diff", "tri1"), ("diff", "main", "tri1")]
)
def test_an_unknown_revision(arguments: tuple[str, ...], tried: Sandbox) -> None:
    result = tried.exp(*arguments, code=1)
    assert result.stderr.splitlines() == [
        "error: 'tri1' is neither a commit nor an experiment",
        "  did you mean 'try1'?",
    ]


def test_without_a_commit(repo: Sandbox) -> None:
    repo.write(".dvc/config", "")
    assert json.loads(repo.exp("show", "--json").stdout) == []
    assert "no commit" in repo.exp("diff", code=1).stderr


def test_what_cannot_be_read_is_told(project: Sandbox) -> None:
    project.write("params.yaml", "lr: 1\n")
    project.commit()
    project.write("dvc.yaml", "stage: 1\n")
    result = project.exp("show")
    assert result.stderr == 'warning: workspace cannot be read: unknown field "stage" in dvc.yaml\n'
    assert [line[0] for line in table(result.stdout)] == ["Experiment", "workspace", "main"]
    assert table(result.stdout)[2][-1] == "1"
    assert "workspace cannot be read" in project.exp("diff").stderr


# --- diff -----------------------------------------------------------------------------------------


def test_diff_of_two_experiments(tried: Sandbox) -> None:
    assert table(tried.exp("diff", "try0", "try2").stdout) == [
        ["Path", "Metric", "try0", "try2", "Change"],
        ["metrics.yaml", "lr", "0.5", "0.75", "0.25"],
        ["metrics.yaml", "net.depth", "0", "2", "2"],
        [""],
        ["Path", "Param", "try0", "try2", "Change"],
        ["params.yaml", "lr", "0.5", "0.75", "0.25"],
        ["params.yaml", "net.depth", "0", "2", "2"],
    ]


def test_diff_with_the_workspace(tried: Sandbox) -> None:
    assert table(tried.exp("diff", "--no-path", "--precision", "3").stdout)[:2] == [
        ["Metric", "HEAD", "workspace", "Change"],
        ["lr", "0.123", "0.75", "0.627"],
    ]
    assert (
        tried.exp("diff", "try2").stdout
        == "no metric and no param differs between try2 and workspace\n"
    )
    assert tried.exp("diff", "try2", "--md").stdout == "\n"


def test_diff_as_data(tried: Sandbox) -> None:
    found = json.loads(tried.exp("diff", "try0", "try1", "--json", "--all").stdout)
    assert found["params"] == {
        "params.yaml": {
            "lr": {"old": 0.5, "new": 0.25, "diff": -0.25},
            "net.depth": {"old": 0, "new": 1, "diff": 1},
            "other": {"old": 5, "new": 5, "diff": 0},
        }
    }
    markdown = tried.exp("diff", "try0", "try1", "--md").stdout.splitlines()
    assert markdown[2].replace(" ", "") == "|metrics.yaml|lr|0.5|0.25|-0.25|"


# --- terminal -------------------------------------------------------------------------------------


def on_terminal(project: Sandbox, *arguments: str, columns: int, lines: int, **env: str) -> str:
    """What ``exp ARGUMENTS`` prints on a terminal of that size."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    process = subprocess.Popen(
        [str(exp_command()), *arguments],
        cwd=project.root,
        env={**project.env, "TERM": "xterm", **env},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    while True:
        ready, _, _ = select.select([ours], [], [], 30)
        assert ready, said
        try:
            some = os.read(ours, 65536)
        except OSError:
            break
        if not some:
            break
        said += some
    os.close(ours)
    assert process.wait(timeout=30) == 0, said
    return said.decode().replace("\r\n", "\n")


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_a_wide_table_goes_on_below(columns: int, tried: Sandbox) -> None:
    text = on_terminal(tried, "show", columns=columns, lines=50)
    assert "\x1b[1m" in text
    lines = plain(text).splitlines()
    assert max(map(len, lines)) <= columns
    heads = [line.split()[1:] for line in lines if line.startswith("Experiment")]
    assert len(heads) == {80: 3, 120: 2, 200: 1}[columns]
    assert [name for head in heads for name in head] == tried.exp("show").stdout.split("\n")[
        0
    ].split()[1:]
    assert plain(text).count("[try1]") == len(heads)


def test_a_long_table_is_paged(tried: Sandbox, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    pager = f"cat > {seen}; echo paged"
    assert (
        on_terminal(tried, "show", columns=80, lines=6, DVC_PAGER=pager, PAGER="false") == "paged\n"
    )
    assert plain(seen.read_text()) == tried.exp("show").stdout
    assert on_terminal(tried, "show", columns=80, lines=6, PAGER=pager) == "paged\n"
    assert "[try1]" in on_terminal(tried, "show", "--no-pager", columns=80, lines=6, PAGER=pager)
    assert "[try1]" in on_terminal(tried, "show", columns=80, lines=60, PAGER=pager)
    assert "[try1]" in on_terminal(tried, "show", columns=80, lines=6, PAGER="no-such-pager")

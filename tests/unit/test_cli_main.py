"""The command line itself: what it refuses and how, its endings, and what becomes of options."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import pytest

from redoit.cli import main as main_module
from redoit.cli.main import COMMANDS, cli, run
from redoit.cli.options import request_of, run_options
from redoit.errors import Interrupted, Locked
from redoit.model import Request


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rnu"], "error: there is no command 'rnu'\n  did you mean `exp run`?"),
        (["zzz"], "error: there is no command 'zzz'\n  `exp --help` lists them all"),
        (["--verson"], "error: there is no option --verson\n  did you mean --version?"),
        (["run", "--froce"], "error: there is no option --froce\n  did you mean --force?"),
        (["run", "--zzz"], "error: there is no option --zzz\n  see `exp run --help`"),
        (["run", "-j"], "error: option '-j' requires an argument\n  see `exp run --help`"),
        (
            ["run", "-j", "0"],
            "error: invalid value for '-j' / '--jobs': 0 is not in the range x>=1\n"
            "  see `exp run --help`",
        ),
        (
            ["repro", "-q", "-v"],
            "error: -q and -v cannot be given together\n  leave one of them out",
        ),
        (
            ["dag", "--dot", "--mermaid"],
            "error: --mermaid and --dot cannot be given together\n  leave one of them out",
        ),
        (["why"], "error: missing argument 'STAGE'\n  see `exp why --help`"),
        (
            ["cache", "migrate"],
            "error: missing option '--to'. Choose from: md5, xxh128\n"
            "  see `exp cache migrate --help`",
        ),
        (
            ["repro", "--glob=x"],
            "error: option '--glob' does not take a value\n  see `exp repro --help`",
        ),
    ],
)
def test_wrong_usage(
    arguments: Sequence[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err == message + "\n"
    assert captured.out == ""


def test_help_lists_every_command_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    for name, about in COMMANDS.items():
        assert name in text
        assert about in text
    assert "130  interrupted" in text


def test_without_a_command_help_is_shown_and_the_usage_is_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run([]) == 2
    assert capsys.readouterr().out.startswith("Usage: exp")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_there_and_explains_itself(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([name, "--help"]) == 0
    assert f"Usage: exp {name}" in capsys.readouterr().out


def ending(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let every command end with ``error``."""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(main_module.cli, "invoke", fail)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (Locked("another run is going on", hint="wait"), 1, "error: another run is going on\n"),
        (Interrupted("stopped"), 130, "error: stopped\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (click.Abort(), 130, "interrupted\n"),
        (KeyError("x"), 1, "error: this is a bug in Redoit, not a mistake of yours\n"),
        (click.ClickException("cannot open"), 1, "error: cannot open\n"),
    ],
)
def test_every_ending_has_its_words_and_its_code(
    error: BaseException,
    code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ending(monkeypatch, error)
    assert run(["run"]) == code
    captured = capsys.readouterr()
    assert captured.err.startswith(message)
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_verbose_errors_have_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    folder = os.getcwd()
    try:
        os.chdir("/")
        assert run(["status", "-v"]) == 1
    finally:
        os.chdir(folder)
    text = capsys.readouterr().err
    assert text.startswith("Traceback")
    assert "error: this is not a project" in text


def asked(arguments: Sequence[str]) -> Request:
    """The Request that the run options make of ``arguments``."""
    found: list[Request] = []

    @click.command()
    @run_options
    @click.pass_context
    def command(ctx: click.Context, /, **_: Any) -> None:
        found.append(request_of(ctx.params))

    command.main(list(arguments), standalone_mode=False)
    return found[0]


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        ([], {}),
        (["a", "b/dvc.yaml:c"], {"targets": ("a", "b/dvc.yaml:c")}),
        (["-f"], {"force": True}),
        (["-i"], {"interactive": True}),
        (["-s", "a"], {"single_item": True, "targets": ("a",)}),
        (["-p"], {"pipeline": True}),
        (["-P"], {"all_pipelines": True}),
        (["-R"], {"recursive": True}),
        (["--downstream"], {"downstream": True}),
        (["--force-downstream"], {"force_downstream": True}),
        (["--dry"], {"dry": True}),
        (["-k"], {"keep_going": True}),
        (["--keep-going"], {"keep_going": True}),
        (["--ignore-errors"], {"ignore_errors": True}),
        (["-k", "--ignore-errors"], {"ignore_errors": True}),
        (["--ignore-errors", "-k"], {"keep_going": True}),
        (["-j4"], {"jobs": 4}),
        (
            ["--jobs", "2", "-fsk", "--", "-odd"],
            {
                "jobs": 2,
                "force": True,
                "single_item": True,
                "keep_going": True,
                "targets": ("-odd",),
            },
        ),
    ],
)
def test_options_become_fields_of_the_request(
    arguments: Sequence[str], fields: dict[str, Any]
) -> None:
    assert asked(arguments) == Request(**fields, cwd=os.getcwd())


def test_short_help_comes_without_loading_a_command() -> None:
    context = click.Context(cli, info_name="exp")
    assert cli.list_commands(context) == list(COMMANDS)
    assert cli.get_command(context, "nothing") is None


@pytest.mark.parametrize(
    ("columns", "widest"), [("60", 58), ("90", 88), ("300", 98), ("many", 78), ("", 78)]
)
def test_help_fits_the_terminal(
    columns: str, widest: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(os, "get_terminal_size", _no_terminal)
    assert run(["run", "--help"]) == 0
    text = capsys.readouterr().out
    options = text[text.index("Options:") :].splitlines()
    assert widest - 8 <= max(map(len, options)) <= widest


def _no_terminal(*_: object) -> None:
    raise OSError


def test_ctrl_c_while_it_is_imported(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("import signal\nsignal.raise_signal(signal.SIGINT)\n")
    done = subprocess.run(
        [sys.executable, "-c", "from redoit.cli.start import main; main()", "--help"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")

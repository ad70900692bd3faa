"""The pages are true: commands and options are all there, outputs are real, links lead somewhere."""

from __future__ import annotations

import re
import runpy
import shlex
import sys
from pathlib import Path

import click
import pytest

from redoit import Project
from redoit.cli.main import cli
from redoit.spec import schema
from tests.docs.console import comparable, play
from tests.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [
    *sorted(DOCS.rglob("*.md")),
    *sorted(ROOT.glob("*.md")),
    ROOT / "examples/digits/README.md",
]

generator = runpy.run_path(str(DOCS / "generate_commands.py"))


def test_the_page_of_commands_is_current() -> None:
    assert (DOCS / "commands.md").read_text() == generator["page"](), (
        "run python docs/generate_commands.py"
    )


def test_every_command_and_option_is_documented() -> None:
    page = (DOCS / "commands.md").read_text()
    commands = dict(generator["commands"]())
    assert len(commands) > 8
    for name, command in commands.items():
        assert command.help, f"{name} has no help"
        heading = re.search(rf"^#+ {re.escape(name)}$", page, re.M)
        assert heading, f"{name} is not documented"
        section = page[heading.end() :].split("\n#", 1)[0]
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{name} {option.name} has no help"
                for spelling in option.opts:
                    assert f"`{spelling}" in section, f"{name} {spelling} is not documented"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_on_the_pages_exist(page: Path) -> None:
    """Every `exp …` in code is a command that there is, with options that it has."""
    text = page.read_text()
    code = re.findall(r"`(exp [^`]+)`", text)
    code += re.findall(r"(?:^\$ |&& |\| |^)(exp [a-z][^\n|&#;>)]*)", text, re.M)
    for line in code:
        check(line)


def check(line: str) -> None:
    words = [word for word in shlex.split(line)[1:] if word not in ("…", "...")]
    command: click.Command = cli
    context = click.Context(cli, info_name="exp")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        if words[0].isupper():  # `exp COMMAND --help`
            return
        found = command.get_command(context, words[0])
        assert found is not None, f"no such command: {line}"
        command = found
        words = words[1:]
    known = {"--help", "--version"} if command is cli else {"--help"}
    known |= {name for param in command.params for name in param.opts}
    for word in words:
        if word.startswith("--"):
            assert word.partition("=")[0] in known, f"no such option: {line}"
        elif re.fullmatch(r"-[A-Za-z]\w*", word):
            assert word[:2] in known, f"no such option: {line}"


def test_the_tutorial_prints_what_it_says(tmp_path: Path) -> None:
    folder, home = tmp_path / "project", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    page = (DOCS / "tutorial.md").read_text()
    played = list(play(page, folder, home))
    assert len(played) > 20
    for step, printed in played:
        assert comparable(printed) == comparable(step.printed), (
            f"after: {step.command}python -m tests.docs.console docs/tutorial.md writes it anew"
        )


def test_the_page_of_the_python_interface_is_true(project: Sandbox) -> None:
    page = (DOCS / "python.md").read_text()
    snippet = re.search(r"```python\n(.*?)```", page, re.S)
    assert snippet
    project.write("dvc.yaml", "stages:\n  train:\n    cmd: echo 1 > m\n    outs: [m]\n")
    project.write("snippet.py", snippet[1])
    project.commit()
    printed = project.command(sys.executable, "snippet.py").stdout.splitlines()
    assert printed[0] == "train ['never ran']"
    assert re.fullmatch(r"train ran \d\.\d s", printed[1])
    assert printed[2] == "from-python {}"
    assert printed[3].startswith("error: ")

    verbs = {name for name in vars(Project) if not name.startswith("_")}
    assert {verb for verb in verbs if f"{verb}(" not in page and f"`{verb}`" not in page} == set()


def test_every_field_of_dvc_yaml_is_documented() -> None:
    page = (DOCS / "dvc-yaml.md").read_text()
    fields = {
        "vars", "stages", "params", "metrics", "plots", "artifacts", "cmd", "wdir", "deps", "outs",
        "frozen", "always_changed", "desc", "meta", "foreach", "do", "matrix", "item", "key",
        *schema.PLOT_PROPERTIES, "cache", "persist", "remote", "push", "type", "labels",
    }  # fmt: skip
    assert {field for field in fields if f"`{field}`" not in page} == set()


def test_the_first_command_of_the_readme_is_the_one_of_the_check() -> None:
    readme = (ROOT / "README.md").read_text()
    check_script = (ROOT / ".ci" / "run").read_text()
    assert ".venv/bin/python -m pytest -n auto" in readme
    assert "-m pytest -n auto" in check_script
    assert "'.[test,examples]'" in readme
    assert "'.[test,examples]'" in check_script

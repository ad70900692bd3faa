"""Every command in a process of its own: it imports all that it needs by itself.

``Sandbox.exp`` forks a process in which everything has been imported. The commands of the tutorial and of the reference
are typed in a shell; here are the others, one after the other in one project.
"""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import click
import pytest

from tests.docs.console import steps
from tests.sandbox import Sandbox, dvc_sandbox

DOCS = Path(__file__).parents[2] / "docs"
PIPELINE = """\
stages:
  make:
    cmd: cat params.yaml > out; echo "{\\"x\\":1}" > m.json; printf 'a\\n1\\n' > p.csv
    params: [x]
    outs: [out]
    metrics: [m.json: {cache: false}]
    plots: [p.csv: {cache: false}]
"""
LINES = """\
exp config core.autostage false  #
exp remote add -d up ../store  #
exp remote modify up jobs 2  #
exp remote rename up top  #
exp remote default top  #
exp remote list  # top
exp run -n one  # Experiment 'one'
exp run -n two -S x=2  # Experiment 'two'
exp save -n kept  # kept
exp branch one topic  # topic
exp rename two deux  # deux
exp show  # deux
exp diff one deux  # params.yaml
exp params show  # x
exp plots show --json  # p.csv
exp plots diff one deux --json  # p.csv
exp plots templates  # confusion
exp push hub  # Pushed 'deux'
exp remove deux  # Removed
exp pull hub deux  # Pulled 'deux'
exp clean  #
exp data add file  # Added file.dvc
exp data move file moved  # moved
exp data status  # moved
exp data commit  # Nothing
exp data push  # 1 file sent
exp data fetch  #
exp data checkout  #
exp data pull  #
exp data import-url ../web web  # web
exp data import ../other given  # given
exp data update web.dvc  # web
exp data remove moved.dvc  # moved
exp data gc -wf  #
exp cache dir  # cache
exp cache verify  #
exp run --queue -n three -S x=3  # Queued experiment 'three'
exp queue status  # 1 queued
exp queue logs three  #! it is queued
exp queue kill three  #! is not running
exp queue retry three  #! has not failed
exp queue stop  #
exp queue remove three  # three
exp cache migrate --to xxh128  #
exp remote remove top  #
""".splitlines()
"""Behind ``#`` what it prints among other things, behind ``#!`` the error it ends with."""


@pytest.fixture
def project(tmp_path: Path) -> Sandbox:
    box = dvc_sandbox(tmp_path / "repo", tmp_path / "home")
    other = dvc_sandbox(tmp_path / "other", tmp_path / "home")
    other.write("given", "given\n")
    other.commit()
    box.write("../web", "web\n")
    box.write("file", "a file\n")
    box.write("params.yaml", "x: 1\n")
    box.write("dvc.yaml", PIPELINE)
    box.write(".gitignore", "/file\n/moved\n")
    box.commit()
    box.git("init", "-q", "--bare", "../hub")
    box.git("remote", "add", "hub", "../hub")
    return box


def test_every_other_command(project: Sandbox) -> None:
    for line in LINES:
        command, sign, text = re.split(r"  (#!?) ?", line)
        result = project.program(*shlex.split(command)[1:], code=int(sign == "#!"))
        assert text in (result.stderr if result.code else result.stdout), result
    told = project.exp("list").stdout
    assert told == project.program("list").stdout != ""


def test_no_command_is_left_out() -> None:
    tutorial = "".join(step.command for step in steps((DOCS / "tutorial.md").read_text()))
    typed = (Path(__file__).with_name("test_reference.py")).read_text()
    everything = "\n".join([tutorial, typed, *LINES])
    commands = runpy.run_path(str(DOCS / "generate_commands.py"))["commands"]()
    single = [name for name, command in commands if not isinstance(command, click.Group)]
    assert len(single) > 40
    assert [name for name in single if not re.search(rf"\b{name}(?![-\w])", everything)] == []

"""``exp remote``: what it prints, and its errors word for word."""

from __future__ import annotations

import pytest

from redoit import Project
from redoit.redact import redacted
from tests.sandbox import Sandbox

CONFIG = """\
# who keeps our data
[core]
    remote = up
['remote "up"']
    url = ssh://ada:secret@example.org/data    # the old machine
"""


def test_lists_without_passwords_and_keeps_comments(project: Sandbox) -> None:
    project.write(".dvc/config", CONFIG)
    assert project.exp("remote", "list").stdout == (
        "up\tssh://ada:***@example.org/data\t(default)\n"
    )
    project.exp("remote", "add", "--local", "here", "../store")
    listed = project.exp("remote", "list").stdout.splitlines()
    assert listed[1] == f"here\t{project.root.parent}/store"
    assert project.exp("remote", "list", "--local").stdout == "here\t../../store\n"
    assert project.exp("remote", "default").stdout == "up\n"
    assert project.exp("remote", "default", "--local", code=1).stdout == (
        "There is no default remote\n"
    )
    project.exp("remote", "modify", "up", "port", "2222")
    text = project.read(".dvc/config")
    assert text == CONFIG + "    port = 2222\n"
    assert project.exp("remote", "add", "-d", "Next", "/n").stdout == (
        "'next' is the default remote\n"
    )
    assert project.exp("remote", "add", "-q", "-df", "Next", "/n").stdout == ""
    remotes = Project(project.root).remotes
    assert [line.name for line in remotes.list()] == ["up", "next", "here"]
    assert remotes.default() == "next"


def test_errors(project: Sandbox) -> None:
    project.write(".dvc/config", CONFIG)

    def error(*words: str, code: int = 1) -> str:
        return project.exp("remote", *words, code=code).stderr

    assert error("add", "up", "/x") == (
        "error: there is a remote 'up' already\n"
        "  url:  ssh://ada:***@example.org/data\n"
        f"  file: {project.root}/.dvc/config\n"
        "  choose another name, or replace it with --force\n"
    )
    assert error("modify", "upp", "url", "/x") == (
        "error: there is no remote 'upp'\n  did you mean 'up'?\n"
    )
    assert error("remove", "--local", "up") == (
        "error: there is no remote 'up'\n"
        f"  file: {project.root}/.dvc/config.local\n"
        "  `exp remote add up URL` adds it\n"
    )
    assert error("modify", "up", "portt", "1") == (
        "error: unknown option 'portt' in section [remote]\n"
        f"  file: {project.root}/.dvc/config\n"
        "  did you mean 'port'?\n"
    )
    assert "the value of url is missing" in error("modify", "up", "url", code=2)
    assert "--unset takes no VALUE" in error("modify", "-u", "up", "url", "x", code=2)
    assert "cannot be the name of a remote" in error("add", 'a"b', "/x", code=2)
    assert "cannot be given together" in error("list", "--local", "--global", code=2)
    assert project.read(".dvc/config") == CONFIG


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("https://u:p@h/x", "https://u:***@h/x"),
        ("failed: ssh://:p@h:22/x now", "failed: ssh://:***@h:22/x now"),
        ("https://h/x?sig=abc&v=1", "https://h/x?sig=***&v=1"),
        ("s3://b/k?X-Amz-Signature=ab&X-Amz-Security-Token=cd", "s3://b/k?X-Amz-Signature=***&X-Amz-Security-Token=***"),
        ("https://u@h/x:y@z", "https://u@h/x:y@z"),
        ("/plain/path", "/plain/path"),
    ],
)  # fmt: skip
def test_redacted(text: str, seen: str) -> None:
    assert redacted(text) == seen

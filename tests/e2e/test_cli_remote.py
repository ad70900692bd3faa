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
    assert project.exp("remote", "list", "--local").stdout == listed[1] + "\n"
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
    ("url", "what", "hint"),
    [
        ("", "the URL is empty", "give a path, or a URL such as s3://bucket/folder"),
        ("s3:/b/x", "'s3:/b/x' is no URL", "did you mean 's3://b/x'? A path of that name is ./s3:/b/x"),
        ("s3:///b", "'s3:///b' is no URL", "did you mean 's3://b'? A path of that name is ./s3:///b"),
        ("http://", "'http://' is no URL", "after http:// a name is missing"),
        ("remote://upp/x", "there is no remote 'upp'", "did you mean 'up'?"),
        ("remote://new/x", "there is no remote 'new'", "known are: up"),
    ],
)  # fmt: skip
def test_what_is_no_url(project: Sandbox, url: str, what: str, hint: str) -> None:
    project.write(".dvc/config", CONFIG)
    assert (
        project.exp("remote", "add", "new", url, code=None).stderr == f"error: {what}\n  {hint}\n"
    )
    assert project.exp("remote", "modify", "up", "url", url, code=None).code
    assert project.read(".dvc/config") == CONFIG


def test_names_are_changed_everywhere(project: Sandbox) -> None:
    """In the levels above too, and where other remotes refer to them; what is referred to is not removed."""
    project.write(".dvc/config", CONFIG)
    project.exp("remote", "add", "in", "remote://up/deep")
    project.exp("remote", "modify", "--local", "-q", "up", "password", "secret")
    project.exp("remote", "add", "--local", "there", "remote://up")
    error = project.exp("remote", "remove", "up", code=1).stderr
    assert "another file has options of the remote 'up'" in error
    assert "`exp remote remove --local up` first" in error
    project.exp("remote", "rename", "up", "big")
    assert project.exp("remote", "list").stdout.splitlines() == [
        "in\tremote://big/deep",
        "big\tssh://ada:***@example.org/data\t(default)",
        "there\tremote://big",
    ]
    assert "password = secret" in project.read(".dvc/config.local")
    project.exp("remote", "remove", "--local", "big")
    assert project.exp("remote", "remove", "big", code=1).stderr == (
        "error: the remote 'in' refers to 'big'\n"
        "  url: remote://big/deep\n"
        "  `exp remote modify in url URL`, or `exp remote remove in` first\n"
    )


def test_secrets_are_not_shown(project: Sandbox) -> None:
    """Not in lists, nor in errors about the line that holds one; that Git would keep one is said."""
    told = project.exp("remote", "add", "web", "https://ada:hunter2@example.org/x").stderr
    assert told == (
        "warning: the URL holds a password, and stands in .dvc/config, which Git keeps\n"
        "  add it with --local: https://ada:***@example.org/x\n"
    )
    told = project.exp("remote", "modify", "web", "password", "hunter2").stderr
    assert "`exp remote modify -u web password`, and set it with --local" in told
    assert project.exp("remote", "modify", "--local", "web", "password", "hunter2").stderr == ""
    listed = project.exp("config", "--list").stdout
    assert "remote.web.password=***" in listed
    assert "hunter2" not in listed
    assert project.exp("config", "remote.web.password").stdout == "hunter2\n"
    for lines in (
        "url = s3://b\n    password = hunter2",
        "url = s3://b\n    secret_access_keyy = hunter2",
        "url = foo://ada:hunter2@example.org",
        "url = /x\n    password hunter2",
    ):
        project.write(".dvc/config.local", "")
        project.write(".dvc/config", f"['remote \"b\"']\n    {lines}\n")
        told = project.exp("remote", "list", code=1).stderr
        assert "hunter2" not in told
        assert "***" in told


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

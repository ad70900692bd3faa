"""``exp remote`` against a real DVC: the same commands leave the same configuration files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compat.oracle import Oracle
from tests.sandbox import Sandbox, dvc_sandbox

pytestmark = pytest.mark.oracle

STORIES: dict[str, list[tuple[str, ...]]] = {
    "add": [("add", "-d", "Up", "../store"), ("add", "up", "/x"), ("add", "other", "/abs")],
    "replace": [
        ("add", "up", "/x"),
        ("modify", "up", "jobs", "3"),
        ("add", "-f", "up", "s3://b/k"),
    ],
    "options": [
        ("add", "up", "s3://b/k"),
        ("modify", "up", "region", "eu"),
        ("modify", "up", "bogus", "1"),
        ("modify", "nope", "url", "x"),
        ("modify", "--local", "up", "access_key_id", "AK"),
        ("modify", "up", "credentialpath", "keys/file"),
        ("modify", "--unset", "up", "region"),
        ("modify", "-u", "up", "region"),
        ("modify", "up", "jobs", "many"),
        ("remove", "--local", "up"),
        ("remove", "up"),
    ],
    "default": [
        ("default", "up"),
        ("add", "up", "/x"),
        ("add", "other", "/y"),
        ("default", "up"),
        ("default", "--local", "other"),
        ("default", "-u", "--local"),
        ("default", "--unset"),
    ],
    "rename": [
        ("add", "-d", "up", "/x"),
        ("add", "other", "/y"),
        ("default", "--local", "up"),
        ("rename", "up", "other"),
        ("rename", "nope", "new"),
        ("rename", "up", "new"),
    ],
    "remove": [
        ("add", "-d", "up", "/x"),
        ("default", "--local", "up"),
        ("remove", "nope"),
        ("remove", "up"),
    ],
    "levels": [
        ("add", "--global", "-d", "mine", "/x"),
        ("add", "--local", "here", "/y"),
        ("modify", "--local", "mine", "jobs", "2"),
        ("remove", "--local", "mine"),
        ("rename", "--global", "mine", "yours"),
        ("add", "--system", "all", "https://example.org/data"),
        ("default", "all"),
    ],
    "refused": [("add", "bad", "foo://x"), ("modify", "up"), ("add", "up", "ssh://u@h/p")],
}
FILES = (
    ".dvc/config",
    ".dvc/config.local",
    "../home/dvc-global/config",
    "../home/dvc-system/config",
)


def files_of(box: Sandbox) -> dict[str, str]:
    return {name: path.read_text() for name in FILES if (path := box.root / name).exists()}


@pytest.mark.parametrize("story", STORIES)
def test_the_same_files(tmp_path: Path, dvc: Oracle, story: str) -> None:
    theirs = dvc_sandbox(tmp_path / "theirs/repo", tmp_path / "theirs/home")
    ours = dvc_sandbox(tmp_path / "ours/repo", tmp_path / "ours/home")
    for box in (theirs, ours):
        box.write("sub/x", "")
        box.write(".dvc/config", "[cache]\n    type = copy\n")
    for words in STORIES[story]:
        said = dvc("remote", *words, cwd=theirs.root / "sub", env=theirs.env, code=None)
        told = ours.exp("remote", *words, cwd="sub", code=None)
        assert (told.code == 0) == (said.code == 0), f"{said}\n{told}"
        assert said.code == 0 or told.stderr.startswith("error: "), told
        assert files_of(ours) == {name: text for name, text in files_of(theirs).items() if text} | {
            name: "" for name, text in files_of(ours).items() if not text
        }, f"{said}\n{told}"
    assert dvc("remote", "list", cwd=ours.root, env=ours.env).code == 0

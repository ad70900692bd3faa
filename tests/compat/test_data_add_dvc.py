"""``exp data add``, ``remove`` and ``move`` against a real DVC: the same files, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compat.oracle import Oracle, files
from tests.sandbox import Sandbox, dvc_sandbox

pytestmark = pytest.mark.oracle

STORIES: dict[str, list[tuple[str, ...]]] = {
    "add": [("add", "file", "sub/dir"), ("add", "file"), ("add", "with space"), ("add", "ünï")],
    "refused": [
        ("add", "nothing"), ("add", "tracked"), ("add", "../outside"), ("add", "linked/inner"),
        ("add", "out"), ("add", "sub"),
    ],
    "remove": [("add", "file", "sub/dir"), ("remove", "file.dvc"), ("remove", "--outs", "sub/dir.dvc"), ("remove", "out"), ("remove", "--outs", "sub/dvc.yaml:next"), ("remove", "-q", "make", "twice")],
    "move": [("add", "file", "sub/dir"), ("move", "file", "other"), ("move", "other", "sub"), ("move", "sub/dir", "new/place")],
}  # fmt: skip

PIPELINE = """\
# DVC keeps this comment
stages:
  make:
    cmd: echo 1 > out
    outs: [out]
  # and this
  twice:
    cmd: echo 2 > second
    metrics:
    - second:
        cache: false
  last:
    cmd: echo 4 > fourth
    outs:
    - fourth
"""


def fill(box: Sandbox) -> None:
    box.write("file", "a file\n")
    box.write("with space", "x\n").chmod(0o755)
    box.write("ünï", "u\n")
    box.write("sub/dir/one", "1\n")
    box.write("sub/dir/deep/two", "2\n")
    box.write("tracked", "by Git\n")
    box.write("../outside", "o\n")
    box.write("real/inner", "i\n")
    (box.root / "linked").symlink_to("real")
    box.write("dvc.yaml", PIPELINE)
    box.write("sub/dvc.yaml", "stages:\n  next:\n    cmd: echo 3 > third\n    outs:\n    - third\n")
    box.write("out", "1\n")
    (box.root / "new").mkdir()
    box.git("add", "tracked", "dvc.yaml")
    box.git("commit", "-qm", "tracked")


@pytest.mark.parametrize("story", STORIES)
def test_the_same_files(tmp_path: Path, dvc: Oracle, story: str) -> None:
    theirs = dvc_sandbox(tmp_path / "theirs/repo", tmp_path / "theirs/home")
    ours = dvc_sandbox(tmp_path / "ours/repo", tmp_path / "ours/home")
    for box in (theirs, ours):
        fill(box)
    if story == "remove":
        ours.exp("repro", "-qP")
        dvc("repro", "-qP", cwd=theirs.root, env=theirs.env)
    for words in STORIES[story]:
        told = ours.exp("data", *words, code=None)
        said = dvc(*words, cwd=theirs.root, env=theirs.env, code=None)
        assert (told.code == 0) == (said.code == 0), f"{said}\n{told}"
        assert said.code == 0 or told.stderr.startswith("error: "), told
        assert files(ours, ".dvc/tmp/") == files(theirs, ".dvc/tmp/"), f"{said}\n{told}"
    if story in ("add", "move"):
        recorded = [name for name in files(ours, ".dvc/") if name.endswith(".dvc")]
        assert len(recorded) >= 2
        assert dvc.on(ours, "status", "--json", *recorded) == "{}\n"


def test_changes_are_recorded(project: Sandbox) -> None:
    """By add and by commit; comments stay; a stage of which more has changed is refused."""
    box = project
    fill(box)
    box.exp("data", "add", "-q", "file", "sub/dir")
    text = box.read("file.dvc")
    box.write("file.dvc", "# mine\n" + text)
    (box.root / "file").chmod(0o644)
    box.write("file", "changed\n")
    assert box.exp("data", "add", "file").stdout == "Added file.dvc\n"
    assert box.read("file.dvc").startswith("# mine\nouts:\n- md5: ")
    assert box.exp("data", "add", "file").stdout == "Unchanged: file.dvc\n"
    box.exp("repro", "-qP")
    assert box.exp("data", "commit").stdout == "Nothing has changed\n"
    box.write("sub/dir/four", "4\n")
    assert box.exp("data", "commit", "sub/dir").stdout == "Recorded sub/dir.dvc\n"
    assert "nfiles: 3" in box.read("sub/dir.dvc")
    box.write("dvc.yaml", box.read("dvc.yaml").replace("echo 1", "echo 2"))
    error = box.exp("data", "commit", code=1).stderr
    assert "more than the outs of stage 'make' has changed" in error
    assert box.exp("data", "commit", "-f").stdout == "Recorded make\n"
    assert "echo 2" in box.read("dvc.lock")
    assert "lies inside 'sub/dir'" in box.exp("data", "add", "sub/dir/one", code=1).stderr

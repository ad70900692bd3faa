"""``exp data add`` of what lies elsewhere, ``--no-relink``, and Git's index with ``core.autostage``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compat.oracle import Oracle
from tests.sandbox import Sandbox, dvc_sandbox
from tests.unit.store_room import files_below


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    made = dvc_sandbox(tmp_path / "repo", tmp_path / "home")
    made.write("../far/one", "1\n")
    made.write("../far/sub/two", "2\n")
    made.write("../file", "a file\n")
    made.exp("remote", "add", "-qd", "up", "../store")
    return made


def recorded(box: Sandbox) -> dict[str, bytes]:
    """The files of the workspace; but DVC has what it only sent ignored when it comes back, we at once."""
    found = files_below(box.root)
    return {name: data for name, data in found.items() if not name.startswith((".git", ".dvc/"))}


@pytest.mark.oracle
def test_the_same_as_dvc(tmp_path: Path, box: Sandbox, dvc: Oracle) -> None:
    theirs = dvc_sandbox(tmp_path / "theirs/repo", tmp_path / "theirs/home")
    theirs.write("../far/one", "1\n")
    theirs.write("../far/sub/two", "2\n")
    theirs.write("../file", "a file\n")
    theirs.exp("remote", "add", "-qd", "up", "../store")
    for words, same in (
        (("add", "../file", "-o", "here"), True),
        (("add", "../far", "-o", "here"), False),
        (("add", "-f", "../far/one", "-o", "here"), True),
        (("add", "--to-remote", "../far", "-o", "sent"), True),
        (("add", "--to-remote", "../file"), True),
        (("add", "../file", "../far", "-o", "x"), False),
        (("add", "-r", "up", "../file"), False),
    ):
        told = box.exp("data", *words, code=None)
        said = dvc(*words, cwd=theirs.root, env=theirs.env, code=None)
        assert (told.code == 0) == (said.code == 0) == same, f"{told}\n{said}"
        assert recorded(box) == recorded(theirs), f"{told}\n{said}"
    ours = {n: d for n, d in files_below(tmp_path / "store").items() if not n.endswith(".tmp")}
    there = files_below(tmp_path / "theirs/store")
    assert ours == {name: data for name, data in there.items() if not name.endswith(".tmp")}


def test_what_was_sent_comes_back(box: Sandbox) -> None:
    box.exp("data", "add", "-q", "--to-remote", "../far", "-o", "sent")
    assert not (box.root / "sent").exists()
    assert (
        not list((box.root / ".dvc/cache").rglob("*"))
        if (box.root / ".dvc/cache").exists()
        else True
    )
    box.exp("data", "pull", "-q")
    assert files_below(box.root / "sent") == files_below(box.root.parent / "far")
    told = box.exp("data", "add", "../file", "-o", "sent", code=None)  # into the directory
    assert told.code == 1
    assert "it lies inside 'sent', which is data already" in told.stderr
    told = box.exp("data", "add", "../nothing", "-o", "x", code=1)
    assert "there is nothing at '../nothing'" in told.stderr
    told = box.exp("data", "add", "s3://bucket/key", "-o", "x", code=1)
    assert "is not a path of this machine" in told.stderr
    told = box.exp("data", "add", "../file", "-o", "../outside", code=1)
    assert "it is not inside the project" in told.stderr


def test_no_relink_leaves_the_files_as_they_are(box: Sandbox) -> None:
    box.exp("config", "cache.type", "symlink")
    box.write("one", "1\n")
    box.write("two", "2\n")
    box.exp("data", "add", "-q", "--no-relink", "one")
    box.exp("data", "add", "-q", "two")
    assert not (box.root / "one").is_symlink()
    assert (box.root / "two").is_symlink()
    box.write("one", "changed\n")
    box.exp("data", "commit", "-q", "--no-relink")
    assert not (box.root / "one").is_symlink()
    assert "Nothing has changed" in box.exp("data", "commit").stdout


def test_autostage(box: Sandbox) -> None:
    def staged() -> set[str]:
        return set(box.git("diff", "--cached", "--name-only", "--no-renames").split())

    box.exp("config", "core.autostage", "true")
    box.write(
        "dvc.yaml", "stages:\n  make:\n    cmd: cat file > out\n    deps: [file]\n    outs: [out]\n"
    )
    box.commit("before")
    box.write("file", "a file\n")
    box.exp("data", "add", "-q", "file")
    assert staged() == {"file.dvc", ".gitignore"}
    box.commit("added")
    box.exp("repro", "-q")
    assert staged() == {"dvc.lock", ".gitignore"}
    box.commit("made")
    box.write("file", "changed\n")
    box.exp("data", "commit", "-q", "file.dvc")
    assert staged() == {"file.dvc"}
    box.exp("data", "move", "-q", "file", "other")
    assert staged() == {"file.dvc", "other.dvc", ".gitignore"}
    box.exp("data", "remove", "-q", "other.dvc")
    assert staged() == {"file.dvc", ".gitignore"}


def test_stages_are_removed(box: Sandbox) -> None:
    text = (
        "vars:\r\n- n: 1\r\n\r\nstages:\r\n  one: {cmd: 'echo ${n} > one', outs: [one]}\r\n"
        "  # all of them\r\n  each:\r\n    matrix: {of: [a, b]}\r\n    cmd: mkdir ${item.of}\r\n"
        "    outs:\r\n    - ${item.of}\r\n# the end"
    )
    box.write("dvc.yaml", text)
    box.write("folder/dvc.yaml", "stages:\n  one:\n    cmd: echo 1 > one\n    outs: [one]\n")
    box.exp("config", "cache.type", "symlink")
    box.exp("repro", "-qP")
    told = box.exp("data", "remove", "each@a", code=1).stderr
    assert "'each@a' is one of 2 stages that the entry 'each' makes" in told
    told = box.exp("data", "remove", "../a", cwd="folder", code=1).stderr
    assert "'../a' is an out of the stage 'each@a'\n" in told
    assert "`exp data remove each` removes the stage" in told
    assert "belongs to the stage 'each@a'" in box.exp("data", "move", "a", "x", code=1).stderr
    assert box.read(".gitignore") == "/one\n/a\n/b\n"
    told = box.exp("data", "remove", "one", cwd="folder").stdout
    assert told == "Removed folder/dvc.yaml:one\n"
    assert files_below(box.root / "folder") == {"one": b"1\n"}
    assert not (box.root / "folder/one").is_symlink()  # the cache may be cleaned now
    told = box.exp("data", "remove", "--outs", "one", "each").stdout
    assert told == "Removed one\nRemoved each@a\nRemoved each@b\n"
    assert (box.root / "dvc.yaml").read_bytes() == text[: text.index("stages:")].encode() + (
        b"# the end"
    )
    assert {each.name for each in box.root.iterdir()} >= {"dvc.yaml", "folder"}
    assert not {"one", "a", "b", "dvc.lock", ".gitignore"} & {p.name for p in box.root.iterdir()}


def test_long_names(box: Sandbox) -> None:
    longest = "n" * 251
    for name in (longest, "ü" * 120, longest + "n"):
        box.write(name, "data\n")
    box.exp("data", "add", longest, "ü" * 120)
    before = recorded(box)
    ignored = (box.root / ".gitignore").read_bytes()
    told = box.exp("data", "add", longest + "n", code=1)
    assert "would be too long" in told.stderr
    assert recorded(box) == before
    assert (
        box.root / ".gitignore"
    ).read_bytes() == ignored  # what has no .dvc file stays in Git's sight

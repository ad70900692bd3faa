"""Commits, trees and files read from Git's store, and a project's files in a tree."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from redoit.errors import GitError
from redoit.git import Git
from redoit.git_objects import GitObjects
from redoit.model import RepoPath as P
from redoit.spec.tree_files import TreeFiles
from tests.sandbox import Sandbox


@pytest.fixture
def objects(repo: Sandbox) -> Iterator[GitObjects]:
    with contextlib.closing(GitObjects(Git(str(repo.root)))) as opened:
        yield opened


@pytest.fixture
def tree(repo: Sandbox, objects: GitObjects) -> TreeFiles:
    """The project ``inner`` in a repository with links and odd names."""
    repo.write("inner/a.txt", "a")
    repo.write("inner/sub/b ü\n.txt", "b")
    repo.write("outside.txt", "out")
    for target, link in (
        ("sub", "inner/folder"),
        ("../outside.txt", "inner/up.txt"),
        ("a.txt", "inner/link"),
        ("nowhere", "inner/dangling"),
        ("loop", "inner/loop"),
        ("/etc/passwd", "inner/absolute"),
        ("../../..", "inner/far"),
    ):
        os.symlink(target, repo.root / link)
    rev = repo.commit()
    (repo.root / "inner/a.txt").write_text("changed since")
    return TreeFiles(str(repo.root / "inner"), objects, objects.commit(rev).tree, "inner/")


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("a.txt", b"a"),
        ("./a.txt", b"a"),
        ("sub/../a.txt", b"a"),
        ("sub/b ü\n.txt", b"b"),
        ("folder/b ü\n.txt", b"b"),
        ("link", b"a"),
        ("up.txt", b"out"),
        ("../outside.txt", b"out"),
    ],
)
def test_read(path: str, content: bytes, tree: TreeFiles) -> None:
    assert tree.read(P(path)) == content
    assert tree.exists(path)
    assert not tree.is_dir(path)


@pytest.mark.parametrize(
    "path", ["b", "a.txt/x", "dangling", "loop", "absolute", "far", "../../x", "sub/nothing"]
)
def test_what_is_not_there(path: str, tree: TreeFiles) -> None:
    assert not tree.exists(path)
    with pytest.raises(FileNotFoundError) as caught:
        tree.read(P(path))
    assert str(caught.value) == f"[Errno 2] No such file or directory: {path!r}"


def test_folders(tree: TreeFiles) -> None:
    assert tree.is_dir("")
    assert tree.is_dir("sub")
    assert tree.is_dir("folder")
    with pytest.raises(IsADirectoryError):
        tree.read(P("sub"))
    with pytest.raises(FileNotFoundError):
        list(tree.list("a.txt"))
    listed = {entry.name: entry for entry in tree.list("")}
    assert set(listed) == {
        "a.txt",
        "sub",
        "folder",
        "up.txt",
        "link",
        "dangling",
        "loop",
        "absolute",
        "far",
    }
    assert listed["folder"].is_dir()
    assert not listed["folder"].is_dir(follow_symlinks=False)
    assert listed["sub"].is_dir(follow_symlinks=False)


def test_commits(repo: Sandbox, objects: GitObjects) -> None:
    repo.write("x", "1")
    first = repo.commit("first")
    repo.command(
        "git",
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        "é\n\nmore",
        GIT_COMMITTER_DATE="1234567890 +0200",
    )
    found = objects.find("HEAD")
    assert found is not None
    assert found.parents == (first,)
    assert found.time == 1234567890
    assert found.message == "é\n\nmore\n"
    assert objects.find("main~1") == objects.commit(first)
    assert objects.commit(first).parents == ()


@pytest.mark.parametrize(
    "name", ["", "nothing", "-x", "HEAD\nHEAD", "HEAD^{tree}", "a b", "HEAD~9"]
)
def test_no_commit(name: str, repo: Sandbox, objects: GitObjects) -> None:
    repo.commit()
    assert objects.find(name) is None
    assert objects.find("HEAD") is not None  # the process is still in step
    with pytest.raises(GitError):
        objects.commit(name)


def test_an_object_that_the_repository_lacks(repo: Sandbox, objects: GitObjects) -> None:
    repo.commit()
    with pytest.raises(GitError, match="lacks the object"):
        objects.blob("1" * 40)


def test_an_end_of_git_is_told(tmp_path: Path) -> None:
    with (
        contextlib.closing(GitObjects(Git(str(tmp_path)))) as objects,
        pytest.raises(GitError) as caught,
    ):
        objects.find("HEAD")
    assert "not a git repository" in str(caught.value.facts["git says"])

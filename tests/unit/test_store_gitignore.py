"""Lines of ``.gitignore``: where they go, and when none is needed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from redoit.errors import StoreError
from redoit.model import RepoPath
from redoit.project import Layout
from redoit.store.gitignore import GitIgnore, escaped

P = RepoPath


def git(root: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    root = tmp_path / "p"
    (root / ".dvc").mkdir(parents=True)
    (root / "sub").mkdir()
    git(root, "init", "-q")
    return root


def ignore(root: Path, *paths: str) -> None:
    GitIgnore(Layout(str(root))).add([P(path) for path in paths])


def test_each_folder_has_its_own(root: Path) -> None:
    ignore(root, "b", "a", "sub/c", "b")
    ignore(root, "a", "sub/c")
    assert (root / ".gitignore").read_text() == "/b\n/a\n"
    assert (root / "sub" / ".gitignore").read_text() == "/c\n"


@pytest.mark.parametrize(
    ("before", "path", "after"),
    [
        (b"x\n", "a", b"x\n/a\n"),
        (b"x", "a", b"x\n/a\n"),
        (b"", "a", b"/a\n"),
        (b"/a\n", "a", b"/a\n"),
        (b"/a\r\n", "a", b"/a\r\n"),
        (b"a\n", "a", b"a\n"),
        (b"*.csv\n", "a.csv", b"*.csv\n"),
        (b"*.csv\n!a.csv\n", "a.csv", b"*.csv\n!a.csv\n/a.csv\n"),
        (b"folder/\n", "folder", b"folder/\n"),
        (b"file/\n", "file", b"file/\n/file\n"),
        (b"sub\n", "sub/x", None),
        (b"sub/*\n", "sub/x", None),
        (b"# caf\xc3\xa9 \xff\n", "\u00e9", b"# caf\xc3\xa9 \xff\n/\xc3\xa9\n"),
        (b"x\n", "a[1]*?!#", b"x\n/a\\[1\\]\\*\\?\\!\\#\n"),
        (b"/a\\[1]\n", "a[1]", b"/a\\[1]\n"),
        (b"", "a\\b", b"/a\\\\b\n"),
    ],
)
def test_when_a_line_is_needed(root: Path, before: bytes, path: str, after: bytes | None) -> None:
    (root / "folder").mkdir()
    (root / "file").write_text("")
    (root / ".gitignore").write_bytes(before)
    ignore(root, path)
    file = root / ".gitignore"
    if after is None:
        assert file.read_bytes() == before
        assert not (root / "sub" / ".gitignore").exists()
    else:
        assert file.read_bytes() == after
        assert git(root, "check-ignore", path)


def test_other_places_where_git_looks(root: Path, tmp_path: Path) -> None:
    (root / ".git" / "info" / "exclude").write_text("a\n")
    (tmp_path / "xdg" / "git").mkdir(parents=True)
    (tmp_path / "xdg" / "git" / "ignore").write_text("b\n")
    ignore(root, "a", "b", "c")
    assert (root / ".gitignore").read_text() == "/c\n"


def test_an_out_that_git_tracks(root: Path) -> None:
    (root / "data").mkdir()
    (root / "data" / "x").write_text("x")
    git(root, "add", "data/x")
    for path in ("data", "data/x"):
        with pytest.raises(StoreError) as caught:
            ignore(root, path)
        assert f"git rm -r --cached {path}" in (caught.value.hint or "")
    assert not (root / ".gitignore").exists()
    ignore(root, "data/y")


def test_where_there_is_nothing_to_do(root: Path, tmp_path: Path) -> None:
    plain = tmp_path / "no git"
    (plain / ".dvc").mkdir(parents=True)
    ignore(plain, "a")
    assert not (plain / ".gitignore").exists()
    ignore(root, "/outside", "../outside")
    (root / ".dvc" / "config").write_text("[core]\nno_scm = true\n")
    ignore(root, "a")
    assert not (root / ".gitignore").exists()


def test_in_a_sub_directory_of_the_repository(root: Path) -> None:
    inner = root / "inner"
    (inner / ".dvc").mkdir(parents=True)
    (root / ".gitignore").write_text("*.tmp\n")
    ignore(inner, "x.tmp", "y")
    assert (inner / ".gitignore").read_text() == "/y\n"
    assert (root / ".gitignore").read_text() == "*.tmp\n"


def test_lines_are_taken_away_again(root: Path) -> None:
    room = GitIgnore(Layout(str(root)))
    room.remove(P("a"))
    room.add([P("a"), P("b[1]")])
    room.remove(P("b[1]"))
    assert (root / ".gitignore").read_text() == "/a\n"
    room.remove(P("a"))
    assert not (root / ".gitignore").exists()
    room.add([P("a")])
    assert (root / ".gitignore").read_text() == "/a\n"


def test_a_file_that_changes_meanwhile(root: Path) -> None:
    room = GitIgnore(Layout(str(root)))
    room.add([P("a")])
    (root / ".gitignore").write_text("/b\n")
    room.add([P("b"), P("c")])
    assert (root / ".gitignore").read_text() == "/b\n/c\n"


def test_a_folder_that_cannot_be_written(root: Path) -> None:
    (root / ".gitignore").mkdir()
    with pytest.raises(StoreError, match="cannot write into the workspace"):
        ignore(root, "a")


def test_escaped() -> None:
    assert escaped("plain ö name") == "plain ö name"
    assert escaped("a[b]") == "a\\[b\\]"


@pytest.mark.parametrize("name", ["two\nlines", "back\r", "\n", "space ", "spaces  ", "a\\ "])
def test_a_name_that_would_end_its_line_is_ignored_alone(root: Path, name: str) -> None:
    for each in (name, "two", "lines", "back", "space"):
        (root / each).touch()
        (root / "sub" / each).touch()
    ignore(root, name)
    listing = ["git", "ls-files", "-z", "--others", "--ignored", "--exclude-standard"]
    assert subprocess.check_output(listing, cwd=root) == f"{name}\0".encode()
    GitIgnore(Layout(str(root))).remove(P(name))
    assert not (root / ".gitignore").exists()

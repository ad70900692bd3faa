"""Lines of ``.gitignore`` and ``.dvcignore``: a table of rules and paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from redoit.model import RepoPath
from redoit.project import Layout
from redoit.spec import read_ignore
from redoit.spec.rules import Rules


@pytest.mark.parametrize(
    ("rule", "names", "not_names"),
    [
        ("a", ["a", "x/a", "x/y/a"], ["ab", "x/ab"]),
        ("/a", ["a"], ["x/a"]),
        ("a/b", ["a/b"], ["x/a/b", "b"]),
        ("**/a/b", ["a/b", "x/a/b", "x/y/a/b"], ["a/x/b"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["a", "b", "x/a/b"]),
        ("a/**", ["a/b", "a/b/c"], ["a", "b/a"]),
        ("*.txt", ["x.txt", ".txt", "d/x.txt"], ["x.txt.gz", "txt"]),
        ("a*b", ["ab", "axxb", "d/a-b"], ["abc", "a/b"]),
        ("/*.c", ["x.c"], ["d/x.c"]),
        ("a?c", ["abc"], ["ac", "a/c"]),
        ("[ab].c", ["a.c", "b.c"], ["c.c", "ab.c"]),
        ("[!a]", ["b"], ["a", "ab"]),
        ("[a-c]x", ["bx"], ["dx"]),
        ("[]-]", ["]", "-"], ["a"]),
        ("\\*", ["*"], ["a"]),
        ("\\!a", ["!a"], ["a"]),
        ("\\#a", ["#a"], ["a"]),
        ("a\\ ", ["a "], ["a"]),
        ("a  ", ["a"], ["a  "]),
        ("[a", [], ["[a", "a"]),
        ("# a", [], ["# a", "a"]),
        ("", [], ["a"]),
        ("!", [], ["a", "!"]),
        ("/", [], ["a"]),
    ],
)
def test_one_rule(rule: str, names: list[str], not_names: list[str]) -> None:
    rules = Rules([rule])
    decided = {
        path: rules.decide(path, path.rpartition("/")[2], False) for path in names + not_names
    }
    assert decided == {**dict.fromkeys(names, True), **dict.fromkeys(not_names)}


@pytest.mark.parametrize(
    ("lines", "path", "is_dir", "verdict"),
    [
        (["a/"], "a", True, True),
        (["a/"], "a", False, None),
        (["a", "!a"], "a", False, False),
        (["!a", "a"], "a", False, True),
        (["*", "!*.c"], "x.c", False, False),
        (["*.c", "!/x.c"], "x.c", False, False),
        (["/a", "!a/"], "a", False, True),
        (["/a", "!a/"], "a", True, False),
    ],
)
def test_the_last_rule_wins(
    lines: list[str], path: str, is_dir: bool, verdict: bool | None
) -> None:
    assert Rules(lines).decide(path, path.rpartition("/")[2], is_dir) is verdict


def test_ten_thousand_names_cost_no_more_than_one() -> None:
    rules = Rules([f"/out{number}" for number in range(10_000)])
    assert rules.decide("out9999", "out9999", False) is True
    assert rules.decide("other", "other", False) is None


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".dvc").mkdir()
    return tmp_path


def ignores(root: Path, *paths: str) -> list[bool]:
    ignore = read_ignore(Layout(str(root)))
    return [ignore.ignores(RepoPath(path.rstrip("/")), path.endswith("/")) for path in paths]


def test_always_left_out(root: Path) -> None:
    assert (
        ignores(root, ".git/", ".git", ".git/x", ".hg/", ".dvc/", ".dvc/x", "a/.dvc/x")
        == [True] * 7
    )
    assert ignores(root, "", "a", "a/b/", ".gitignore", "../x", "/abs", ".hg") == [False] * 7


def test_rules_of_folders(root: Path) -> None:
    (root / "a" / "b").mkdir(parents=True)
    (root / ".dvcignore").write_text("*.tmp\n  /top \n")
    (root / "a" / ".dvcignore").write_text("!keep.tmp\n/b/x\n")
    assert ignores(root, "x.tmp", "a/x.tmp", "top", "a/b/x", "top/y") == [True] * 5
    assert ignores(root, "a/keep.tmp", "a/top", "b/x", "x") == [False] * 4


def test_a_project_inside_is_left_out(root: Path) -> None:
    (root / "other" / ".dvc").mkdir(parents=True)
    assert ignores(root, "other/", "other/x", "others/") == [True, True, False]


def test_an_ignored_folder_cannot_be_taken_back_in_part(root: Path) -> None:
    (root / ".dvcignore").write_text("data\n!data/keep\n")
    assert ignores(root, "data/", "data/keep", "data/x") == [True, True, True]

"""``exp save``, ``list``, ``rename``, ``remove``, ``branch`` and ``clean``, as a user calls them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.sandbox import Result, Sandbox

PIPELINE = """\
stages:
  double:
    cmd: cat in.txt in.txt > out.txt
    deps: [in.txt]
    params: [x]
    outs: [out.txt]
    metrics: [score.json: {cache: false}]
"""


@pytest.fixture
def ran(project: Sandbox) -> Sandbox:
    """A pipeline whose outs somebody else has made: nothing is recorded yet."""
    project.write("dvc.yaml", PIPELINE)
    project.write("in.txt", "a\n")
    project.write("params.yaml", "x: 1\n")
    project.write(".gitignore", "/out.txt\nprivate/\n")
    project.commit("start")
    project.write("out.txt", "a\na\n")
    project.write("score.json", '{"score": 2}\n')
    return project


def refs(project: Sandbox) -> dict[str, str]:
    """Name → commit of every experiment."""
    text = project.git("for-each-ref", "--format=%(refname) %(objectname)", "refs/exps")
    return {ref.rpartition("/")[2]: rev for ref, rev in map(str.split, text.splitlines())}


def files(project: Sandbox, rev: str) -> set[str]:
    return set(project.git("ls-tree", "-r", "--name-only", rev).splitlines())


def said(result: Result) -> list[str]:
    """All that was printed, with every sha as ``SHA``."""
    return re.sub(r"\b[0-9a-f]{7}\b", "SHA", result.stdout + result.stderr).splitlines()


# --- save -----------------------------------------------------------------------------------------


def test_save_records_what_lies_there(ran: Sandbox) -> None:
    ran.write("note.txt", "mine")
    result = ran.exp("save", "-n", "mine", "-m", "by hand")
    assert said(result) == [
        "Experiment 'mine' (SHA)",
        "warning: 1 untracked file left out: note.txt (-I PATH includes them)",
    ]
    rev = refs(ran)["mine"]
    assert ran.git("log", "-1", "--format=%s", rev) == "by hand"
    assert {"dvc.lock", "score.json"} <= files(ran, rev)
    assert {"out.txt", "note.txt"}.isdisjoint(files(ran, rev))
    # The cache has the data, and the lock says that nothing has to run.
    assert len(list((ran.root / ".dvc" / "cache").rglob("*"))) > 2
    assert "Nothing changed" in ran.exp("repro").stdout
    assert ran.exp("run").stdout.splitlines()[-1].endswith("holds this state already")


def test_save_includes_what_is_asked_for_and_no_data(ran: Sandbox) -> None:
    ran.write("sub/private/key.txt", "ignored")
    ran.write("sub/new.txt", "new")
    (ran.root / "sub" / "nested").mkdir()
    ran.command("git", "init", "-q", "sub/nested")
    ran.write("sub/nested/file", "of another repository")
    ran.exp("save", "-n", "part", "-I", "new.txt", cwd="sub")
    assert files(ran, refs(ran)["part"]) >= {"sub/new.txt"}
    ran.exp("save", "-n", "all", "-I", ".")
    found = files(ran, refs(ran)["all"])
    assert {"sub/new.txt", "sub/private/key.txt"} <= found
    assert not [p for p in found if p.startswith((".dvc/cache", ".dvc/tmp", "sub/nested", "out"))]


def test_save_of_targets_records_those_alone(ran: Sandbox) -> None:
    ran.write("dvc.yaml", PIPELINE + "  other:\n    cmd: touch other\n    outs: [other]\n")
    error = ran.exp("save", code=1).stderr
    assert error.splitlines()[0] == (
        "error: stage 'other' cannot be recorded: its outs are not all there"
    )
    assert not (ran.root / "dvc.lock").exists()
    assert refs(ran) == {}
    ran.exp("save", "double", "-n", "one")
    assert "double" in ran.git("show", f"{refs(ran)['one']}:dvc.lock")
    assert "other" not in ran.read("dvc.lock")
    ran.write("sub/dvc.yaml", "stages:\n  deep:\n    cmd: touch deep\n    outs: [deep]\n")
    ran.write("sub/deep", "")
    ran.exp("save", "-R", "sub", "-n", "two")
    assert "deep" in ran.read("sub/dvc.lock")


def test_save_prints_json_and_replaces_with_force(ran: Sandbox) -> None:
    first = json.loads(ran.exp("save", "-n", "x", "--json").stdout)["ref"]
    assert refs(ran) == {"x": first}
    assert ran.exp("save", "-n", "x", code=1).stderr.splitlines()[0] == (
        "error: the experiment 'x' exists already"
    )
    ran.write("params.yaml", "x: 2\n")
    assert ran.exp("save", "-n", "x", "-f", "-q").stdout == ""
    assert refs(ran)["x"] != first


@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        (["-n", "a/b"], "error: 'a/b' cannot be the name of an experiment: it has a slash"),
        (["-I", "nowhere"], "error: there is nothing at 'nowhere' that could be included"),
        (["nostage"], "error: there is no stage 'nostage'"),
    ],
)
def test_save_refuses(ran: Sandbox, arguments: list[str], first: str) -> None:
    assert ran.exp("save", *arguments, code=1).stderr.startswith(first)
    assert refs(ran) == {}
    assert not (ran.root / "dvc.lock").exists()


# --- list -----------------------------------------------------------------------------------------


@pytest.fixture
def several(ran: Sandbox) -> Sandbox:
    """Experiments ``a`` and ``both`` on the first commit, ``b`` and ``both`` on the second, HEAD."""
    # Commits made within one second would be one and the same, or have no order.
    ran.exp("save", "-n", "a", "-m", "first a")
    ran.exp("save", "-n", "both", "-m", "first both")
    later = {"GIT_COMMITTER_DATE": "2035-01-01T00:00:00Z"}
    ran.command("git", "commit", "-q", "--allow-empty", "-m", "next", **later)
    ran.exp("save", "-n", "b", "-m", "second b", **later)
    ran.exp("save", "-n", "both", "-m", "second both", **later)
    return ran


def names(project: Sandbox, *arguments: str) -> list[str]:
    return sorted(project.exp("list", "--name-only", *arguments).stdout.split())


def test_list(several: Sandbox) -> None:
    several.git("tag", "-a", "v1", "-m", "one", "HEAD~1")
    printed = said(several.exp("list", "-A"))
    assert printed[0] == "main:" and printed[3] == "v1:"
    assert sorted(printed[1:3]) == ["\tSHA [b]", "\tSHA [both]"]
    assert names(several) == ["b", "both"]
    assert names(several, "--rev", "v1") == ["a", "both"]
    assert names(several, "--rev", "HEAD", "-n", "2") == names(several, "-A")
    assert names(several, "--rev", "HEAD", "-n", "-1") == names(several, "-A")
    assert names(several, "--rev", "HEAD", "--rev", "HEAD~1") == ["a", "b", "both", "both"]
    shas = several.exp("list", "--sha-only").stdout.split()
    assert refs(several)["b"] in shas and len(shas) == 2
    assert several.exp("list", "--rev", "nowhere", code=1).stderr.splitlines()[0] == (
        "error: 'nowhere' is no commit of this repository"
    )


def test_refs_of_dvc_are_no_experiments(several: Sandbox) -> None:
    for ref in ("refs/exps/exec/EXEC_APPLY", "refs/exps/stash", "refs/exps/celery/stash"):
        several.git("update-ref", ref, "HEAD")
    assert names(several, "-A") == ["a", "b", "both", "both"]
    several.exp("remove", "-A")
    assert several.git("rev-parse", "refs/exps/stash") == several.git("rev-parse", "HEAD")


# --- rename, remove, branch -----------------------------------------------------------------------


def test_rename(several: Sandbox) -> None:
    rev = refs(several)["b"]
    assert said(several.exp("rename", "b", "c")) == ["Experiment 'c' (SHA), formerly 'b'"]
    assert refs(several)["c"] == rev and "b" not in refs(several)
    assert several.exp("rename", "c", "both", code=1).stderr.splitlines()[0] == (
        "error: the experiment 'both' exists already"
    )
    several.exp("rename", rev[:8], "both", "-f")
    assert refs(several)["both"] in several.git("for-each-ref", "refs/exps")
    assert names(several) == ["both"]
    assert "a slash" in several.exp("rename", "both", "x/y", code=1).stderr


def test_remove_takes_all_or_nothing(several: Sandbox) -> None:
    before = several.git("for-each-ref")
    error = several.exp("remove", "a", "bot", code=1).stderr
    assert error == "error: there is no experiment 'bot'\n  did you mean 'both'?\n"
    assert several.git("for-each-ref") == before
    assert said(several.exp("remove", "a", "both")) == ["Removed 'a' (SHA)", "Removed 'both' (SHA)"]
    assert names(several, "-A") == ["b", "both"]
    assert names(several) == ["b"]  # of two with one name, that on HEAD was meant


def test_remove_by_baseline(several: Sandbox) -> None:
    several.exp("remove", "--rev", "HEAD")
    assert names(several, "-A") == ["a", "both"]
    several.exp("remove", "a", "--keep")
    assert names(several, "-A") == ["a"]
    several.exp("remove", "--rev", "HEAD", "-n", "2")
    assert names(several, "-A") == []
    assert said(several.exp("remove", "-A")) == ["There was nothing to remove"]


@pytest.mark.parametrize(
    "arguments", [[], ["a", "-A"], ["--keep"], ["a", "--rev", "HEAD"], ["--queue", "a"]]
)
def test_remove_wants_to_know_what(several: Sandbox, arguments: list[str]) -> None:
    several.exp("remove", *arguments, code=2)
    assert names(several, "-A") == ["a", "b", "both", "both"]


def test_an_ambiguous_name(several: Sandbox) -> None:
    several.git("commit", "-q", "--allow-empty", "-m", "third")
    error = several.exp("branch", "both", code=1).stderr
    assert error.startswith("error: 'both' may mean 2 experiments\n  1: refs/exps/")
    ref = error.splitlines()[1].split()[1]
    several.exp("branch", ref, "chosen")
    assert several.git("rev-parse", "chosen") == several.git("rev-parse", ref)


def test_branch(several: Sandbox) -> None:
    head = several.git("symbolic-ref", "HEAD")
    assert said(several.exp("branch", "a")) == [
        "Branch 'a-branch' (SHA) of experiment 'a'",
        "To go there: git checkout a-branch",
    ]
    assert several.git("rev-parse", "a-branch") == refs(several)["a"]
    assert several.git("symbolic-ref", "HEAD") == head
    several.exp("branch", "a", "team/a")
    for branch, first in {
        "team/a": "error: the branch 'team/a' exists already",
        "a..b": "error: 'a..b' cannot be the name of a branch",
        "-x": "error: there is no option -x",
    }.items():
        assert several.exp("branch", "a", branch, code=None).stderr.startswith(first)
    assert several.exp("branch", "main", code=1).stderr == (
        "error: there is no experiment 'main'\n"
        "  it is a commit, but no experiment; `exp list -A` lists the experiments\n"
    )


# --- a Git remote ---------------------------------------------------------------------------------


def test_at_a_remote(several: Sandbox, tmp_path: Path) -> None:
    several.command("git", "init", "-q", "--bare", str(tmp_path / "hub"))
    several.git("remote", "add", "hub", str(tmp_path / "hub"))
    several.git("push", "-q", "hub", "refs/exps/*:refs/exps/*")
    several.exp("remove", "-A")
    assert names(several, "hub") == ["b", "both"]
    assert names(several, "-A", str(tmp_path / "hub")) == ["a", "b", "both", "both"]
    several.exp("rename", "-g", "hub", "b", "c")
    several.exp("remove", "-g", "hub", "both")
    assert names(several, "-A", "hub") == ["a", "both", "c"]
    several.exp("remove", "-g", "hub", "c", "--keep")
    assert names(several, "-A", "hub") == ["c"]
    assert names(several, "-A") == []
    assert several.exp("list", "nowhere", code=1).stderr.startswith(
        "error: the Git remote 'nowhere' cannot be used\n"
    )


def test_rename_at_a_remote_what_is_not_here(
    several: Sandbox, tmp_path: Path, clean_env: dict[str, str]
) -> None:
    several.git("clone", "-q", "--bare", str(several.root), str(tmp_path / "hub"))
    several.git("push", "-q", str(tmp_path / "hub"), "refs/exps/*:refs/exps/*")
    several.git("clone", "-q", str(tmp_path / "hub"), str(tmp_path / "clone"))
    clone = Sandbox(tmp_path / "clone", clean_env)
    clone.git("remote", "rename", "origin", "hub")
    clone.exp("rename", "-g", "hub", "b", "better")
    assert names(clone, "hub") == ["better", "both"]
    assert "refs/exps" not in clone.git("for-each-ref")


# --- clean ----------------------------------------------------------------------------------------


def test_clean(several: Sandbox) -> None:
    left = several.write(".dvc/tmp/redoit/index-1-abcdef", "")
    kept = several.write(".dvc/tmp/redoit/backup/x/file", "mine")
    folder = several.write(".dvc/tmp/redoit/apply-1-abc/new/file", "").parents[1]
    assert said(several.exp("clean")) == ["Removed 2 leftovers: apply-1-abc, index-1-abcdef"]
    assert kept.exists() and not left.exists() and not folder.exists()
    assert said(several.exp("clean")) == ["There was nothing to remove"]

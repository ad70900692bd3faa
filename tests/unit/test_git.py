"""What we ask of Git, on real repositories: where we are, what is tracked, what a private index leaves alone."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from redoit.errors import GitError
from redoit.git import Git, why_not_ref_part
from tests.sandbox import Sandbox


@pytest.fixture
def here(repo: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A repository with one commit; its environment is that of this process too."""
    for name in list(os.environ):
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    for name, value in repo.env.items():
        monkeypatch.setenv(name, value)
    repo.write("tracked.txt", "1\n")
    repo.write("sub/inner.txt", "1\n")
    repo.commit()
    return repo


def entries(sandbox: Sandbox, tree: str) -> dict[str, str]:
    listed = sandbox.git("ls-tree", "-r", "-z", tree).split("\0")
    return {line.split("\t")[1]: line.split()[0] + " " + line.split()[2] for line in listed if line}


def names(sandbox: Sandbox, tree: str) -> set[str]:
    return set(entries(sandbox, tree))


def snapshot(git: Git, folder: Path, new: list[str] | None = None) -> str:
    with git.private_index(str(folder)) as index:
        git.add_changes(index)
        if new:
            git.add(new, index)
        return git.write_tree(index)


def test_places_and_head(here: Sandbox) -> None:
    git = Git(str(here.root / "sub"))
    assert git.toplevel == str(here.root)
    assert git.git_dir == str(here.root / ".git")
    assert git.prefix() == "sub/"
    assert Git(str(here.root)).prefix() == ""
    assert git.head() == here.git("rev-parse", "HEAD")
    new = here.commit("another")
    assert git.head() == new
    here.git("checkout", "-q", "--detach", "HEAD~1")
    assert git.head() == here.git("rev-parse", "HEAD")


def test_a_work_tree_and_a_submodule(here: Sandbox, tmp_path: Path) -> None:
    here.git("worktree", "add", "-q", str(tmp_path / "tree"), "-b", "side")
    git = Git(str(tmp_path / "tree" / "sub"))
    assert git.toplevel == str((tmp_path / "tree").resolve())
    assert git.git_dir == str(here.root / ".git/worktrees/tree")
    (tmp_path / "tree/tracked.txt").write_text("2\n")
    assert names(here, snapshot(git, tmp_path / "x")) == {"tracked.txt", "sub/inner.txt"}
    here.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(here.root), "m")
    inner = Git(str(here.root / "m"))
    assert inner.toplevel == str(here.root / "m")
    assert inner.head() == here.git("rev-parse", "HEAD")


def test_the_callers_own_variables_do_not_lead_astray(
    here: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As in a hook, where Git says which index and folder it works on."""
    head = here.git("rev-parse", "HEAD")
    for name in (
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_PREFIX",
        "GIT_OBJECT_DIRECTORY",
    ):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_LITERAL_PATHSPECS", "1")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    git = Git(str(here.root))
    assert git.head() == head
    assert git.tracked() == ["sub/inner.txt", "tracked.txt"]


def test_no_repository_no_commit_bare_no_git(
    tmp_path: Path, here: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert not Git(str(empty)).is_repository()
    with pytest.raises(GitError, match="not in a Git repository") as caught:
        Git(str(empty)).head()
    assert "git init" in str(caught.value.hint)
    subprocess.run(["git", "init", "-q", str(empty)], check=True)
    assert Git(str(empty)).is_repository()
    with pytest.raises(GitError, match="no commit yet"):
        Git(str(empty)).head()
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "bare")], check=True)
    with pytest.raises(GitError, match="bare"):
        Git(str(tmp_path / "bare")).head()
    with pytest.raises(GitError, match="no folder"):
        Git(str(tmp_path / "missing")).head()
    monkeypatch.setenv("PATH", str(empty))
    assert not Git(str(here.root)).is_repository()
    with pytest.raises(GitError, match="not installed"):
        Git(str(here.root)).head()


def test_files(here: Sandbox) -> None:
    here.write(".gitignore", "*.log\n")
    here.write("sub/new file.txt", "")
    here.write("sub/ä[1]*.txt", "")
    here.write("sub/1.txt", "")
    here.write("sub/x.log", "")
    subprocess.run(["git", "init", "-q", str(here.root / "nested")], check=True)
    here.write("nested/file", "")
    git = Git(str(here.root))
    assert git.ignored(["sub/x.log", "sub/inner.txt", "sub/new file.txt"]) == {"sub/x.log"}
    assert git.ignored([]) == set()
    assert set(git.untracked(["sub", "nested"])) == {
        "sub/new file.txt",
        "sub/ä[1]*.txt",
        "sub/1.txt",
    }
    assert git.untracked(["sub/ä[1]*.txt", "sub/x.log", "missing"]) == ["sub/ä[1]*.txt"]
    assert Git(str(here.root / "sub")).untracked(["1.txt"]) == ["1.txt"]
    assert git.tracked(["sub"]) == ["sub/inner.txt"]
    many = [f"sub/missing{'x' * 100}{number}" for number in range(3000)]
    assert git.untracked([*many, "sub/1.txt"]) == ["sub/1.txt"]


def test_a_private_index_leaves_the_users_alone(here: Sandbox, tmp_path: Path) -> None:
    here.write("staged.txt", "1\n")
    here.git("add", "staged.txt")
    here.write("staged.txt", "2\n")
    here.write("tracked.txt", "2\n")
    (here.root / "sub/inner.txt").unlink()
    here.write("new.txt", "")
    here.write("run.sh", "").chmod(0o755)
    (here.root / "link").symlink_to("tracked.txt")
    here.write("later.txt", "later\n")
    here.git("add", "-N", "later.txt")
    index = here.root / ".git/index"
    status = here.git("status", "--porcelain")
    before = (index.read_bytes(), index.stat().st_mtime_ns)
    tree = snapshot(Git(str(here.root)), tmp_path / "tmp", ["run.sh", "link"])
    assert (index.read_bytes(), index.stat().st_mtime_ns) == before
    assert entries(here, tree).keys() == {
        "staged.txt",
        "tracked.txt",
        "run.sh",
        "link",
        "later.txt",
    }
    assert here.git("show", f"{tree}:staged.txt") == "2"
    assert entries(here, tree)["run.sh"].startswith("100755")
    assert entries(here, tree)["link"].startswith("120000")
    assert here.git("status", "--porcelain") == status
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_change_in_the_same_instant_as_the_index_is_seen(here: Sandbox, tmp_path: Path) -> None:
    """Git compares a file's time with the index's: the copy must keep the time of the original."""
    file, index = here.root / "tracked.txt", here.root / ".git/index"
    for number in range(5):
        file.write_text("aa\n")
        moment = time.time_ns()
        os.utime(file, ns=(moment, moment))
        here.git("update-index", "tracked.txt")
        os.utime(index, ns=(moment, moment))
        file.write_text("bb\n")
        os.utime(file, ns=(moment, moment))
        tree = snapshot(Git(str(here.root)), tmp_path / str(number))
        assert here.git("show", f"{tree}:tracked.txt") == "bb"


def test_without_an_index_and_with_leftovers(here: Sandbox, tmp_path: Path) -> None:
    (here.root / ".git/index").unlink()
    folder = tmp_path / "tmp"
    folder.mkdir()
    for name in ("index-1-old", "index-1-old.lock", "other"):
        (folder / name).write_text("")
        os.utime(folder / name, (1, 1))
    (folder / "index-2-young").write_text("")
    tree = snapshot(Git(str(here.root)), folder)
    assert names(here, tree) == {"tracked.txt", "sub/inner.txt"}
    assert sorted(path.name for path in folder.iterdir()) == ["index-2-young", "other"]


def test_unmerged(here: Sandbox) -> None:
    git = Git(str(here.root / "sub"))
    assert git.unmerged() == []
    here.git("checkout", "-q", "-b", "side")
    here.write("tracked.txt", "side\n")
    here.commit("side")
    here.git("checkout", "-q", "main")
    here.write("tracked.txt", "main\n")
    here.commit("main")
    here.git("merge", "-q", "side", code=1)
    assert git.unmerged() == ["tracked.txt"]


def test_commits_are_in_the_users_name(here: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    git = Git(str(here.root))
    head, tree = git.head(), here.git("rev-parse", "HEAD^{tree}")
    hook = here.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    here.git("config", "commit.gpgSign", "true")
    here.git("config", "i18n.commitEncoding", "latin-1")
    rev = git.commit_tree(tree, head, "Grüße\n\nmore")
    form = "--format=%an %ae %cn %ce|%P|%T|%B"
    shown = here.git("log", "-1", "--encoding=UTF-8", form, rev)
    assert shown.strip() == (
        f"Ada Author ada@example.org Ada Author ada@example.org|{head}|{tree}|Grüße\n\nmore"
    )
    for name in list(os.environ):
        if name.startswith(("GIT_AUTHOR", "GIT_COMMITTER")):
            monkeypatch.delenv(name)
    here.git("config", "user.useConfigOnly", "true")
    monkeypatch.setenv("LOGNAME", "ada")
    shown = here.git("log", "-1", "--format=%an|%ae", git.commit_tree(tree, head, "x"))
    assert shown.startswith("ada|ada@")
    here.git("config", "user.name", "Configured")
    here.git("config", "user.email", "c@example.org")
    rev = git.commit_tree(tree, head, "x")
    assert here.git("log", "-1", "--format=%an|%ae", rev) == "Configured|c@example.org"


def test_refs(here: Sandbox) -> None:
    git = Git(str(here.root))
    head, tree = git.head(), here.git("rev-parse", "HEAD^{tree}")
    assert git.refs("refs/exps/") == []
    assert git.create_ref("refs/exps/aa/one", head)
    assert not git.create_ref("refs/exps/aa/one", head)
    other = git.commit_tree(tree, head, "x")
    assert not git.create_ref("refs/exps/aa/one", other)
    assert git.create_ref("refs/exps/aa/one", other, replace=True)
    assert git.refs("refs/exps/") == [("refs/exps/aa/one", other, tree)]
    here.git("pack-refs", "--all")
    assert not git.create_ref("refs/exps/aa/one", head)
    here.git("tag", "-m", "x", "annotated")
    with pytest.raises(GitError, match="update-ref"):
        git.create_ref("refs/exps/aa/one/below", head)


def test_the_lock_of_a_killed_git_does_not_block_for_ever(here: Sandbox) -> None:
    git = Git(str(here.root))
    lock = here.root / ".git/refs/exps/aa/one.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text("")
    os.utime(lock, (1, 1))
    assert git.create_ref("refs/exps/aa/one", git.head())
    (lock.parent / "two.lock").write_text("")
    remover = threading.Timer(0.2, (lock.parent / "two.lock").unlink)
    remover.start()
    assert git.create_ref("refs/exps/aa/two", git.head())
    remover.join()


def test_a_failing_command_says_what_git_said(here: Sandbox) -> None:
    with pytest.raises(GitError, match="git read-tree failed") as caught:
        Git(str(here.root)).run("-c", "core.safecrlf=false", "read-tree", "nothing")
    assert "Not a valid object name nothing" in str(caught.value.facts["git says"])


GOOD_NAMES = ["a", "puffy-daks", "ä", "a.b", "-x", "a@b", "x@", "A_1", "lock", "😀", "a" * 200]
BAD_NAMES = ["", ".a", "a.", "a..b", "a b", "a~", "a^", "a:b", "a?", "a*", "a[", "a\\b", "a/b"]
BAD_NAMES += ["a.lock", "@", "a@{b", "a\tb", "a\x7f", "a\n", "\ud800"]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_names_that_git_takes(name: str) -> None:
    assert why_not_ref_part(name) is None
    assert (
        subprocess.run(["git", "check-ref-format", f"refs/exps/aa/{name}"], check=False).returncode
        == 0
    )


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_git_refuses(name: str) -> None:
    assert why_not_ref_part(name)
    if name not in ("a/b", "@", "\ud800"):  # Git takes these as more than a part, or as bytes
        ref = f"refs/exps/aa/{name}"
        assert subprocess.run(["git", "check-ref-format", ref], check=False).returncode


def test_a_name_too_long_for_a_file() -> None:
    assert why_not_ref_part("a" * 201)

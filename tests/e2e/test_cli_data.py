"""``exp data``: push, pull and checkout on the command line, and what they refuse."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.sandbox import Sandbox, dvc_sandbox, git_sandbox

PIPELINE = "stages:\n  make:\n    cmd: mkdir many && echo 1 > many/one && echo 2 > two\n    outs: [many, two]\n"


@pytest.fixture
def made(tmp_path: Path) -> Sandbox:
    """A project with a remote, in which the pipeline has run."""
    box = git_sandbox(tmp_path / "repo", tmp_path / "home")
    box.exp("init", "-q")
    box.exp("remote", "add", "-qd", "up", "../store")
    box.write("dvc.yaml", PIPELINE)
    box.exp("repro", "-q")
    box.commit()
    return box


def clone(box: Sandbox, name: str = "clone") -> Sandbox:
    box.git("clone", "-q", str(box.root), f"../{name}")
    return Sandbox(box.root.parent / name, box.env)


def test_words(made: Sandbox) -> None:
    assert made.exp("data", "push").stdout == "3 files sent, 70 B\n"
    assert made.exp("data", "push").stdout == "Everything is there already\n"
    assert made.exp("data", "push", "-q").stdout == ""
    other = clone(made)
    assert other.exp("data", "fetch", "two").stdout == "1 file got, 2 B\n"
    assert other.exp("data", "pull").stdout == "1 file got, 2 B\nA\tmany\nA\ttwo\n"
    assert other.exp("status").stdout == "Up to date: 1 stage\n"
    assert other.exp("data", "checkout").stdout == "The workspace is as recorded\n"
    (other.root / "two").unlink()
    assert other.exp("data", "checkout", "--summary").stdout == "1 path added\n"


def test_what_is_large_or_of_another_kind_is_left(made: Sandbox) -> None:
    made.write(
        "dvc.yaml",
        "stages:\n  make:\n    cmd: seq 500 > large && echo 1 > m.json && echo x,y > p.csv\n"
        "    outs: [large]\n    metrics: [m.json]\n    plots: [p.csv]\n",
    )
    made.exp("repro", "-q")
    made.exp("data", "push", "-q")
    made.commit()
    other = clone(made)
    assert other.exp("data", "fetch", "--type", "metrics").stdout == "1 file got, 2 B\n"
    assert other.exp("data", "fetch", "--max-size", "1000").stdout == "1 file got, 4 B\n"
    assert other.exp("data", "fetch", "--type", "plots").stdout == "Everything is there already\n"
    assert other.exp("data", "fetch").stdout == "1 file got, 1.9 kB\n"


def test_targets(made: Sandbox) -> None:
    """Patterns go into directories, as a shell's; what a branch alone has is found there; a slip is an error."""
    box = made
    box.write("raw/a/1.txt", "1\n")
    box.write("raw/a/2.bin", "2\n")
    box.write("raw/b/3.txt", "3\n")
    box.exp("data", "add", "-q", "raw")
    box.write("sub/dvc.yaml", "stages:\n  c:\n    cmd: echo c > c.bin\n    outs: [c.bin]\n")
    box.write("late/dvc.yaml", "stages:\n  d:\n    cmd: echo d > d\n    outs: [d]\n")
    box.exp("repro", "-q", "sub/dvc.yaml")
    box.commit()
    box.git("checkout", "-q", "-b", "side")
    box.write("raw/a/4.txt", "4\n")
    box.write("alone", "alone\n")
    box.exp("data", "add", "-q", "raw", "alone")
    box.commit("side")
    box.git("checkout", "-q", "main")
    box.exp("data", "checkout", "-q")
    box.exp("data", "push", "-q", "-a")
    assert box.exp("data", "push", "late/d").stdout == "Everything is there already\n"

    def got(*words: str) -> set[str]:
        told = other.exp("data", "pull", *words).stdout.splitlines()
        return {line[2:] for line in told if line.startswith(("A\t", "M\t"))}

    other = clone(box)
    told = other.exp("data", "pull", "--glob", "raw/*/*.txt", code=1).stderr
    assert "not known: which files are in raw" in told
    told = other.exp("data", "fetch", "raw/c", code=1).stderr
    assert "there is no 'c' in the directory 'raw' as it is recorded" in told
    assert "did you mean 'raw/a/1.txt'?" in other.exp("data", "pull", "raw/a/1.tx", code=1).stderr
    assert got("--glob", "raw/*/*.txt") == {"raw/a/1.txt", "raw/b/3.txt"}
    assert got("--glob", "**/*.bin") == {"raw/a/2.bin", "sub/c.bin"}
    told = other.exp("data", "pull", "--glob", "*.bin", code=1).stderr
    assert "no data and no .dvc file matches '*.bin'" in told
    assert "there is no 'a/9' in" in other.exp("data", "checkout", "raw/a/9", code=1).stderr
    assert (
        "'alone' is neither data nor a stage" in other.exp("data", "fetch", "alone", code=1).stderr
    )
    other.git("branch", "side", "origin/side")
    assert other.exp("data", "fetch", "-a", "raw/a", "alone").stdout == "2 files got, 8 B\n"
    assert "'alon' is neither" in other.exp("data", "fetch", "-a", "alon", code=1).stderr


def test_what_is_here_needs_no_remote(made: Sandbox) -> None:
    made.exp("remote", "add", "-qdf", "up", "ssh://127.0.0.1:1/store")
    assert made.exp("data", "pull").stdout.startswith("Everything is there already\n")
    made.exp("data", "fetch", "many")
    (made.root / ".dvc/cache").rename(made.root / "away")
    assert "the remote 'up' cannot be used" in made.exp("data", "fetch", code=1).stderr


def test_data_of_another_remote(made: Sandbox) -> None:
    """What a remote that was named cannot have is missing, and is said."""
    text = made.read("dvc.yaml").replace("[many, two]", "[many, {two: {remote: other}}]")
    made.write("dvc.yaml", text)
    assert made.exp("data", "push", code=1).stderr == (
        "error: there is no remote 'other'\n  named by: two\n  known are: up\n"
    )
    made.exp("remote", "add", "-q", "other", "../elsewhere")
    made.exp("data", "push", "-q")
    made.commit()
    other = clone(made)
    told = other.exp("data", "pull", "-r", "up", code=1).stderr
    assert "  missing: two\n" in told
    assert other.read("many/one") == "1\n"
    assert other.exp("data", "pull").stdout == "1 file got, 2 B\nA\ttwo\n"


def test_edits_are_not_overwritten(made: Sandbox) -> None:
    os.chmod(made.root / "two", 0o644)
    made.write("two", "edited\n")
    made.write("many/new", "new\n")
    error = made.exp("data", "checkout", code=1).stderr
    assert error == (
        "error: 2 changed paths are not in the cache, and would be overwritten\n"
        "  changed: many, two\n"
        "  `exp data commit` keeps the changes, --force drops them\n"
    )
    assert made.read("two") == "edited\n"
    assert made.exp("data", "checkout", "two", "-f").stdout == "M\ttwo\n"
    assert made.read("two") == "2\n"
    assert (made.root / "many/new").exists()


def test_nothing_is_written_through_a_link_out_of_the_project(made: Sandbox) -> None:
    box = made
    box.write("sub/dvc.yaml", "stages:\n  b:\n    cmd: echo b > b\n    outs: [b]\n")
    box.exp("repro", "-q", "sub/dvc.yaml")
    outside = box.root.parent / "outside"
    box.command("rm", "-r", "sub/b")
    box.command("mv", "sub", str(outside))
    (box.root / "sub").symlink_to(outside)
    box.exp("data", "checkout", code=None)
    assert not (outside / "b").exists()


def test_nothing_is_restored_through_a_link_out_of_the_project(made: Sandbox) -> None:
    """Also not by a run: it would do so without running anything."""
    made.write("sub/x", "1\n")
    made.exp("data", "add", "-q", "sub/x")
    made.write("x.dvc", made.read("sub/x.dvc").replace("path: x", "path: sub/x"))
    (made.root / "sub/x.dvc").unlink()
    made.exp("data", "push", "-q", "x.dvc")
    made.command("rm", "-r", "sub")
    outside = made.root.parent / "outside"
    outside.mkdir()
    (made.root / "sub").symlink_to(outside)
    user = "stages:\n  u:\n    cmd: cat sub/x\n    deps: [sub/x]\n"
    made.write("dvc.yaml", user)
    for words in (["repro"], ["repro", "--pull"], ["repro", "--pull", "-s", "u"]):
        told = made.exp(*words, code=1).stderr
        assert "a symbolic link leads out of the project, so nothing is written there" in told
    assert not list(outside.iterdir())


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("../../evil", "lies outside of the project, so nothing is written there"),
        ("{tmp}/evil", "lies outside of the project, so nothing is written there"),
        ("..", '".." is the project itself'),
        ("../..", 'the project itself lies in "../.."'),
    ],
)
def test_nothing_is_written_outside_of_the_project(made: Sandbox, path: str, why: str) -> None:
    """Whatever a .dvc file of others says; not even when it is got from a remote."""
    tmp = made.root.parent
    made.write("good", "1\n")
    made.exp("data", "add", "-q", "good")
    text = made.read("good.dvc").replace("path: good", f"path: {path.format(tmp=tmp)}")
    made.write("sub/evil.dvc", text)
    for command in ("checkout", "pull", "status"):
        told = made.exp("data", command, "sub/evil.dvc", code=1).stderr
        assert why in told
        assert "sub/evil.dvc:5:9\n" in told
    assert not (tmp / "evil").exists()


def test_a_stage_cannot_have_the_cache_keep_what_lies_outside(made: Sandbox) -> None:
    """What lies there stays; without the cache it is the command's affair, but nothing is restored there."""
    evil = made.root.parent / "evil.json"
    evil.write_text("mine\n")
    stage = "stages:\n  e:\n    cmd: echo 1 > ../evil.json\n    metrics: [../evil.json{}]\n"
    made.write("dvc.yaml", stage.format(""))
    assert "has an out outside of the project" in made.exp("repro", code=1).stderr
    assert evil.read_text() == "mine\n"
    made.exp("save", code=1)
    made.write("dvc.yaml", stage.format(": {cache: false}"))
    made.exp("repro", "-q")
    evil.unlink()
    told = made.exp("repro").stdout
    assert evil.read_text() == "1\n"
    assert "Stage 'e' ran" in told


def test_errors(made: Sandbox) -> None:
    def error(*words: str, code: int = 1) -> str:
        return made.exp("data", *words, code=code).stderr

    assert error("push", "-r", "upp") == "error: there is no remote 'upp'\n  did you mean 'up'?\n"
    assert "did you mean 'many'" in error("pull", "mani")
    other = clone(made)
    said = other.exp("data", "pull", code=1).stderr
    assert "failed:  many, two\n" in said
    assert "store: nothing was pushed yet, or it is not mounted\n" in said
    (made.root.parent / "store").mkdir()
    assert other.exp("data", "pull", code=1).stderr == (
        "error: not everything could be got\n"
        "  missing: many, two\n"
        "  push it from where it is, or run the stages that make it\n"
    )
    assert other.exp("data", "checkout", code=1).stderr == (
        "error: the cache does not have all of the data\n"
        "  missing: many, two\n"
        "  `exp data pull` gets them from a remote; `exp repro` makes what stages write\n"
    )
    assert other.exp("data", "pull", "--allow-missing").stdout.startswith("Everything is there")
    made.exp("remote", "default", "-u")
    assert error("push") == (
        "error: it is not said which remote to use\n"
        "  `exp remote default NAME` says it, for `exp data` also -r NAME: up\n"
    )
    made.exp("remote", "add", "cloud", "oss://bucket/path")
    assert "of a kind that is not supported: oss://" in error("push", "-r", "cloud")
    made.exp("remote", "add", "dav", "webdav://127.0.0.1:1/x")
    made.exp("remote", "modify", "dav", "bearer_token_command", "touch hacked")
    assert "which would run a program" in error("push", "-r", "dav")
    assert not (made.root / "hacked").exists()
    made.exp("remote", "add", "-f", "gs", "gs://bucket/path")
    made.write(
        "hidden/sitecustomize.py",
        "import sys\n"
        "class Without:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'gcsfs':\n"
        "            raise ModuleNotFoundError(name=name)\n"
        "sys.meta_path.insert(0, Without())\n",
    )
    hidden = {"PYTHONPATH": str(made.root / "hidden")}
    assert made.exp("data", "push", "-r", "gs", code=1, **hidden).stderr == (
        "error: the remote 'gs' needs a package that is not installed\n"
        "  package: gcsfs\n"
        "  pip install 'redoit[gs]'\n"
    )


def test_relink(made: Sandbox) -> None:
    made.exp("config", "cache.type", "symlink")
    made.exp("data", "checkout", "--relink")
    assert (made.root / "two").is_symlink()
    assert (made.root / "many/one").is_symlink()
    made.exp("config", "cache.type", "copy")
    made.exp("data", "checkout", "--relink")
    assert not (made.root / "two").is_symlink()
    assert made.exp("status").stdout == "Up to date: 1 stage\n"


@pytest.mark.parametrize("link", ["symlink", "hardlink", "copy"])
def test_a_digest_that_leads_out_of_the_cache_names_nothing(tmp_path: Path, link: str) -> None:
    box = dvc_sandbox(tmp_path / "repo", tmp_path / "home")
    box.exp("config", "cache.type", link)
    secret = tmp_path / "secret"
    secret.write_text("not for them\n")
    secret.chmod(0o444)  # as an object of the cache that is believed
    folder = box.root / ".dvc/cache/files/md5"
    folder.mkdir(parents=True)
    digest = "../" + "../" * 4 + "secret"
    assert (folder / digest[:2] / digest[2:].lstrip("/")).exists()
    box.write("dvc.yaml", "stages:\n  s:\n    cmd: make a\n    outs: [a]\n")
    record = f"{{path: a, hash: md5, md5: {digest}, size: 13}}"
    box.write("dvc.lock", f"schema: '2.0'\nstages:\n  s:\n    cmd: make a\n    outs: [{record}]\n")
    box.exp("data", "checkout", code=1)
    assert not os.path.lexists(box.root / "a")
    os.unlink(box.root / "dvc.yaml")
    box.write("a.dvc", f"outs:\n- md5: {digest}\n  hash: md5\n  path: a\n")
    assert "must be a digest (hex digits)" in box.exp("data", "checkout", code=1).stderr
    assert not os.path.lexists(box.root / "a")


def test_what_is_damaged_in_the_cache_is_named_and_got_anew(made: Sandbox) -> None:
    box = made
    box.exp("data", "push", "-q")
    objects = [path for path in (box.root / ".dvc/cache/files").rglob("*") if path.is_file()]
    (listing,) = (path for path in objects if path.suffix == ".dir")
    (inner,) = (path for path in objects if path.read_bytes() == b"1\n")
    for damaged, content, mode, name in (
        (listing, b"[{", 0o444, "many/"),
        (listing, listing.read_bytes().replace(b"one", b"two"), 0o444, "many/"),
        (listing, None, 0o555, "many/"),
        (listing, b"", 0, "many/"),  # a link to itself: it cannot be read
        (inner, b"3\n", 0o644, "many/one"),
        (inner, None, 0o555, "many/one"),
    ):
        damaged.unlink()
        if content is None:
            damaged.mkdir(mode)
        elif not mode:
            damaged.symlink_to(damaged)
        else:
            damaged.write_bytes(content)
            damaged.chmod(mode)
        told = box.exp("data", "status", "--granular").stdout
        assert told == (f"Damaged in the cache (`exp data fetch` gets them anew):\n  {name}\n")
        shutil.rmtree(box.root / "many")
        told = box.exp("data", "checkout", code=1).stderr
        assert told.splitlines()[1] == "  damaged: many"
        assert str(damaged) in box.exp("cache", "verify", code=1).stdout
        box.exp("data", "pull", "-q")
    assert box.exp("cache", "verify").stdout == "All objects are as their names say\n"
    assert box.exp("data", "status").stdout == "Nothing has changed\n"
    listing.chmod(0o644)
    listing.write_text("[{")
    listing.chmod(0o444)
    assert box.exp("data", "status", "--json").stdout == '{"damaged": ["many/"]}\n'
    assert "its content is not what its name says" in box.exp("data", "push", code=1).stderr

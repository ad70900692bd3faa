"""``exp data gc``: what is kept, here and at a remote."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import pytest

from redoit.files import locked
from tests.sandbox import Sandbox, git_sandbox

PIPELINE = "stages:\n  train:\n    cmd: mkdir -p many && cp params.yaml many/p && cp params.yaml one\n    params: [lr]\n    outs: [many, one]\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """lr 1 in the first commit (tag), 2 in the second (branch), 3 in an experiment, 4 nowhere, 5 in the workspace."""
    tmp_path = tmp_path_factory.mktemp("gc")
    box = git_sandbox(tmp_path / "repo", tmp_path / "home")
    box.exp("init", "-q", "--hash", "md5")
    box.exp("remote", "add", "-qd", "up", "../store")
    box.write("dvc.yaml", PIPELINE)
    for lr in (1, 2):
        box.write("params.yaml", f"lr: {lr}\n")
        box.exp("repro", "-q")
        box.commit(str(lr))
    box.git("tag", "first", "HEAD~1")
    box.exp("run", "-q", "-n", "three", "-S", "lr=3")
    for lr in (4, 5):
        box.write("params.yaml", f"lr: {lr}\n")
        box.exp("repro", "-q")
        box.exp("data", "push", "-q")
    box.exp("data", "push", "-q", "-A")
    return box


@pytest.fixture
def box(made: Sandbox, tmp_path: Path) -> Sandbox:
    """A copy of it, with its remote."""
    shutil.copytree(made.root.parent, tmp_path / "copy", symlinks=True)
    return Sandbox(tmp_path / "copy" / "repo", made.env)


def kept(folder: Path) -> set[int]:
    """The values of lr whose files are there, whole directories with them."""
    files = [p for p in (folder / "files").rglob("*") if p.is_file()]
    found = {int(p.read_text()[4:]) for p in files if p.suffix != ".dir"}
    assert len([p for p in files if p.suffix == ".dir"]) == len(found)
    return found


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (["-w"], {3, 5}),
        (["-a"], {2, 3, 5}),
        (["-T"], {1, 3, 5}),
        (["-A"], {1, 2, 3, 5}),
        (["--rev", "HEAD"], {2, 3, 5}),
        (["--rev", "HEAD", "-n", "2"], {1, 2, 3, 5}),
        (["--rev", "first", "-n", "-1"], {1, 3, 5}),
        (["-a", "-n", "2"], {1, 2, 3, 5}),
        (["--date", "2000-01-31"], {1, 2, 3, 5}),
        (["--all-experiments", "--date", "2100-01-31"], {3, 5}),
    ],
)
def test_what_is_kept(box: Sandbox, options: list[str], left: set[int]) -> None:
    cache, store = box.root / ".dvc/cache", box.root.parent / "store"
    assert kept(cache) == {1, 2, 3, 4, 5}
    assert kept(store) == {1, 2, 4, 5}
    said = box.exp("data", "gc", "--dry", *options).stdout
    assert said.startswith("Would remove ")
    assert kept(cache) == {1, 2, 3, 4, 5}
    box.exp("data", "gc", "-q", "-f", "-c", *options)
    assert kept(cache) == left
    assert kept(store) == left - {3}
    assert box.exp("data", "gc", "-f", "-c", *options).stdout == "Everything is in use\n"
    box.exp("apply", "--force", "three")
    assert box.read("many/p") == "lr: 3\n"


def test_a_remote_is_cleaned_by_its_own_lists(box: Sandbox) -> None:
    """What a directory holds is asked of the remote when the cache does not know."""
    shutil.rmtree(box.root / ".dvc/cache")
    # The experiment was not sent: what its directory holds is known nowhere.
    assert "directories: many/" in box.exp("data", "gc", "-f", "-c", "-A", code=1).stderr
    assert kept(box.root.parent / "store") == {1, 2, 4, 5}
    box.exp("data", "gc", "-q", "-f", "-c", "-A", "--skip-failed")
    assert kept(box.root.parent / "store") == {1, 2, 5}


def test_an_import_that_was_never_got_stops_nothing(box: Sandbox) -> None:
    out = f"{{md5: {'a' * 32}.dir, hash: md5, path: far}}"
    repo = f"{{url: ../far, rev_lock: {'b' * 40}}}"
    box.write("far.dvc", f"deps:\n- {{path: far, repo: {repo}}}\nouts:\n- {out}\n")
    box.exp("data", "gc", "-q", "-f", "-w")
    assert kept(box.root / ".dvc/cache") == {3, 5}
    box.write("near.dvc", f"outs:\n- {out.replace('far', 'near')}\n")
    box.write(f".dvc/cache/files/md5/00/{'0' * 30}", "nothing uses it\n")
    box.exp("data", "gc", "-q", "-f", "-w", code=1)


@pytest.mark.parametrize("damaged", [None, b"[{"])
def test_files_of_a_directory_without_a_list_are_no_garbage(
    box: Sandbox, damaged: bytes | None
) -> None:
    """The list is taken from the remote; where that has none either, nothing is removed."""
    folders = [box.root / ".dvc/cache/files/md5", box.root.parent / "store/files/md5"]
    (oid,) = re.findall(r"md5: (\w+\.dir)", box.read("dvc.lock"))
    place, sent = (folder / oid[:2] / oid[2:] for folder in folders)
    place.unlink()
    if damaged:
        place.write_bytes(damaged)
        place.chmod(0o444)
    file = next(p for p in folders[0].rglob("*") if p.is_file() and p.read_bytes() == b"lr: 5\n")
    assert "Would remove 6 objects" in box.exp("data", "gc", "--dry", "-w").stdout
    sent.rename(box.root / "list")
    # So that nothing else keeps the file:
    five, one = (hashlib.md5(b"lr: %d\n" % lr).hexdigest() for lr in (5, 1))
    box.write("dvc.lock", box.read("dvc.lock").replace(five, one))
    told = box.exp("data", "gc", "-f", "-w", code=1).stderr
    assert told.splitlines()[1:3] == [
        "  directories: many/",
        f"  looked for:  {place}",
    ]
    assert file.exists()
    (box.root / "list").rename(sent)
    box.exp("data", "gc", "-q", "-f", "-w")
    assert file.exists()
    box.exp("data", "fetch", "-q")
    assert place.read_bytes() == sent.read_bytes()


def test_what_a_killed_push_left_at_the_remote_goes(box: Sandbox) -> None:
    store = box.root.parent / "store"
    left = store / "files/md5/ab/.4711-0123456789ab.tmp"
    kept_too = [store / "notes/.4711-0123456789ab.tmp", store / "files/md5/ab/.hidden.tmp"]
    for file in (left, *kept_too):
        file.parent.mkdir(exist_ok=True)
        file.write_text("half")
    box.exp("data", "gc", "-q", "-f", "-w")
    assert left.exists()
    box.exp("data", "gc", "-q", "-f", "-w", "-c")
    assert not left.exists()
    assert all(file.exists() for file in kept_too)


def test_what_the_remote_lacks_is_kept(box: Sandbox) -> None:
    store = box.root.parent / "store"
    for file in (store / "files").rglob("*"):
        if file.is_file() and file.read_bytes() == b"lr: 4\n":
            file.unlink()
    cache = box.root / ".dvc/cache/files"
    box.exp("data", "gc", "-q", "-f", "-w", "--not-in-remote")
    files = [p.read_text() for p in cache.rglob("*") if p.is_file() and p.suffix != ".dir"]
    assert sorted(files) == ["lr: 3\n", "lr: 4\n", "lr: 5\n"]
    box.exp("data", "gc", "-q", "-f", "-w", "--not-in-remote", "-c", code=2)


def test_other_projects_of_the_same_cache(box: Sandbox) -> None:
    other = git_sandbox(box.root.parent / "other", box.root.parent / "home")
    other.exp("init", "-q", "--hash", "md5")
    other.exp("config", "cache.dir", str(box.root / ".dvc/cache"))
    other.write("data", "lr: 9\n")
    other.exp("data", "add", "-q", "data")
    box.exp("data", "gc", "-q", "-f", "-w", "-p", "../other")
    other.exp("data", "checkout", "-q")
    content = "lr: 9\n"
    cache = box.root / ".dvc/cache/files"
    assert content in [p.read_text() for p in cache.rglob("*") if p.is_file()]
    box.exp("data", "gc", "-q", "-f", "-w")
    assert content not in [p.read_text() for p in cache.rglob("*") if p.is_file()]


def test_other_work_trees_and_stashes(box: Sandbox) -> None:
    """What a linked work tree with the same cache uses is never garbage; a stash is a commit too."""
    cache = box.root / ".dvc/cache"
    box.git("worktree", "add", "-q", "--detach", "../beside tree", "HEAD")
    beside = Sandbox(box.root.parent / "beside tree", box.env)
    beside.write(".dvc/config.local", f"[cache]\n    dir = {cache}\n")
    for lr in (6, 7):
        beside.write("params.yaml", f"lr: {lr}\n")
        beside.exp("repro", "-q")
        if lr == 6:
            beside.commit("nowhere but in the other work tree")
    box.git("stash", "-q")
    box.exp("data", "gc", "-q", "-f", "-w")
    assert kept(cache) == {2, 3, 7}  # 2: the workspace, once its change is stashed
    for lr in (5, 6):
        box.write("params.yaml", f"lr: {lr}\n")
        box.exp("repro", "-q")
        box.git("checkout", "-q", ".")
    box.exp("data", "gc", "-q", "-f", "-A")
    assert kept(cache) == {2, 3, 5, 6, 7}
    with locked(str(beside.root / ".dvc/tmp/redoit/lock")):
        told = box.exp("data", "gc", "-f", "-w", code=1).stderr
    assert "a run is going on in another workspace" in told
    assert str(beside.root) in told
    beside.write("dvc.yaml", "stages: [\n")
    box.exp("data", "gc", "-f", "-w", code=1)
    assert kept(cache) == {2, 3, 5, 6, 7}


def test_refused(box: Sandbox) -> None:
    assert "it is not said what to keep" in box.exp("data", "gc", code=2).stderr
    assert "-n counts from" in box.exp("data", "gc", "-w", "-n", "2", code=2).stderr
    assert "--force does not ask" in box.exp("data", "gc", "-w", code=2).stderr
    box.write("dvc.yaml", "stages: [\n")
    box.commit("broken")
    box.write("dvc.yaml", PIPELINE)
    box.exp("data", "gc", "-f", "-A", code=1)
    assert kept(box.root / ".dvc/cache") == {1, 2, 3, 4, 5}
    told = box.exp("data", "gc", "-f", "-A", "--skip-failed").stderr
    assert "warning: the commit " in told
    assert kept(box.root / ".dvc/cache") == {1, 2, 3, 5}

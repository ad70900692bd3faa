"""``--pull`` and ``--allow-missing``: what runs, what is skipped, and what is downloaded for it."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from tests.compat.oracle import Oracle, bad_objects, dvc_decisions, our_decisions, workspace
from tests.sandbox import Sandbox, git_sandbox

PIPELINE = """\
stages:
  data_split:
    cmd: mkdir -p data/train_data && cat data/pool_data/* > data/train_data/all && cp -r data/train_data data/test_data
    deps: [data/pool_data]
    outs: [data/train_data, data/test_data]
  train:
    cmd: mkdir -p models results/train && tac data/train_data/all > models/model.pkl && echo pth > models/model.pth && echo r > results/train/r
    deps: [data/train_data]
    outs: [models/model.pkl, models/model.pth, results/train]
  evaluate:
    cmd: mkdir -p results/evaluate && cat data/test_data/all models/model.pkl > results/evaluate/out
    deps: [data/test_data, models/model.pkl]
    params: [threshold]
    outs: [results/evaluate]
  sagemaker:
    cmd: tar cf model.tar.gz models/model.pth
    deps: [models/model.pth]
    outs: [model.tar.gz]
"""
OBJECTS = {"data/test_data": 2, "models/model.pkl": 1}


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """The project of the documentation's example, run and pushed."""
    tmp = tmp_path_factory.mktemp("pull")
    box = git_sandbox(tmp / "origin", tmp / "home")
    box.exp("init", "-q", "--hash", "md5")
    box.exp("remote", "add", "-qd", "up", "../store")
    for i in range(3):
        box.write(f"data/pool_data/{i}", f"pool {i}\n")
    box.command("cp", "-r", "data/pool_data", str(tmp / "pool"))
    box.write("data/pool_data.dvc", "outs:\n- path: pool_data\n")
    box.write("params.yaml", "threshold: 1\n")
    box.write("dvc.yaml", PIPELINE)
    box.exp("repro", "-q")
    box.commit("origin")
    box.exp("data", "push", "-q", "--run-cache")
    return box


@pytest.fixture
def clone(origin: Sandbox, tmp_path: Path) -> Sandbox:
    """A machine where all data are missing."""
    origin.git("clone", "-q", str(origin.root), str(tmp_path / "clone"))
    box = Sandbox((tmp_path / "clone").resolve(), origin.env)
    box.exp("config", "--local", "remote.up.url", str(origin.root.parent / "store"))
    return box


def downloaded(box: Sandbox) -> int:
    """Every file of the cache was downloaded, as long as nothing has run."""
    return len([p for p in (box.root / ".dvc/cache/files").rglob("*") if p.is_file()])


def test_only_pull_pipeline_data_as_needed(clone: Sandbox) -> None:
    """The example of the documentation: only what the changed stage reads comes."""
    clone.write("params.yaml", "threshold: 2\n")
    clone.write(
        "dvc.yaml", PIPELINE.replace("> results/evaluate/out", "> results/evaluate/out; false")
    )
    result = clone.exp("run", "--pull", "--allow-missing", "-v", code=1)
    assert our_decisions(result).skipped == ("data/pool_data.dvc", "data_split", "train")
    assert our_decisions(result).executed == ("evaluate",)
    assert downloaded(clone) == sum(OBJECTS.values())

    clone.write("dvc.yaml", PIPELINE)
    result = clone.exp("run", "--pull", "--allow-missing", "-v", "-n", "next")
    decided = our_decisions(result)
    assert decided.executed == ("evaluate",)
    assert set(decided.skipped) == {"data/pool_data.dvc", "data_split", "train", "sagemaker"}
    assert not (clone.root / "data/pool_data").exists()
    assert "next" in clone.exp("list").stdout


def test_allow_missing_alone_downloads_nothing(clone: Sandbox) -> None:
    lock = clone.read("dvc.lock")
    result = clone.exp("repro", "--allow-missing", "-v")
    assert len(our_decisions(result).skipped) == 5
    assert our_decisions(result).executed == ()
    assert downloaded(clone) == 0
    assert clone.read("dvc.lock") == lock
    without = clone.exp("repro", code=1)
    assert "neither in the workspace nor in the cache" in without.stderr


def test_allow_missing_sees_data_that_changed_upstream(clone: Sandbox) -> None:
    """The record of the data is another one, so that what reads them must run, and lacks them."""
    text = clone.read("data/pool_data.dvc")
    digest = text.partition("md5: ")[2][:32]
    clone.write("data/pool_data.dvc", text.replace(digest, "0" * 32))
    result = clone.exp("repro", "--allow-missing", "-k", code=1)
    assert "stage 'data_split' cannot run: the dep 'data/pool_data' is not there" in result.stderr
    result = clone.exp("repro", "--allow-missing", "--pull", "-k", code=1)
    assert "missing: data/pool_data" in result.stderr


def test_pull_alone_gets_everything(clone: Sandbox) -> None:
    said = clone.exp("repro", "--pull", "--dry").stdout
    assert "Would run" not in said
    assert downloaded(clone) == 0
    result = clone.exp("repro", "--pull", "-v")
    assert our_decisions(result).executed == ()
    assert clone.read("results/evaluate/out")
    assert "Nothing changed" in clone.exp("repro").stdout
    assert clone.exp("status").stdout == "Up to date: all 5 stages\n"


def test_pull_restores_an_earlier_run(origin: Sandbox, clone: Sandbox) -> None:
    """A stage whose inputs an earlier run had comes from the run cache of the remote."""
    clone.write("dvc.lock", "")
    (clone.root / "dvc.lock").unlink()
    result = clone.exp("repro", "--pull")
    assert our_decisions(result).executed == ()
    assert set(our_decisions(result).restored) >= {"data_split", "train", "evaluate", "sagemaker"}
    assert (clone.root / "dvc.lock").read_text() == origin.read("dvc.lock")


def test_pull_without_the_run_cache_runs(clone: Sandbox) -> None:
    (clone.root / "dvc.lock").unlink()
    result = clone.exp("repro", "--pull", "--no-run-cache", "data_split")
    assert our_decisions(result).executed == ("data_split",)


def test_hash_types_make_no_difference(clone: Sandbox) -> None:
    """Data recorded by DVC 2, without a hash type, are data that are missing, not data that changed."""
    text = clone.read("data/pool_data.dvc")
    clone.write("data/pool_data.dvc", text.replace("  hash: md5\n", ""))
    result = clone.exp("repro", "--allow-missing", "-v")
    assert len(our_decisions(result).skipped) == 5


@pytest.mark.parametrize("by", ["DVC 2", "another hand"])
def test_the_record_of_data_that_come_back_stays_as_it_was_written(clone: Sandbox, by: str) -> None:
    text = clone.read("data/pool_data.dvc").replace("  hash: md5\n", "")
    if by == "DVC 2":
        for folder in (store_of(clone) / "files/md5").iterdir():
            clone.command("cp", "-r", str(folder), str(store_of(clone)))
    else:
        text = text.replace("- md5:", "- hash: md5\n  md5:")
    clone.write("data/pool_data.dvc", text)
    said = clone.exp("repro", "--pull").stdout
    assert (clone.root / "data/pool_data").is_dir(), said
    assert clone.read("data/pool_data.dvc") == text
    assert "Nothing changed" in clone.exp("repro").stdout
    assert clone.read("data/pool_data.dvc") == text


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("change", "options"),
    [
        ("nothing", ("--allow-missing",)),
        ("nothing", ("--pull",)),
        ("params", ("--pull", "--allow-missing")),
        ("params", ("--pull",)),
    ],
)
def test_the_same_as_dvc(
    clone: Sandbox, tmp_path: Path, dvc: Oracle, options: tuple[str, ...], change: str
) -> None:
    clone.write(".dvc/config.local", f"['remote \"up\"']\n    url = {clone.root.parent}/store\n")
    clone.command("cp", "-r", str(store_of(clone)), str(clone.root.parent / "store"))
    theirs = Sandbox(tmp_path / "theirs", clone.env)
    clone.command("cp", "-r", str(clone.root), str(theirs.root))
    for box in (clone, theirs):
        if change == "params":
            box.write("params.yaml", "threshold: 2\n")
    ours = clone.exp("repro", "-v", *options)
    told = dvc("repro", *options, cwd=theirs.root, env=theirs.env)
    decided = our_decisions(ours)
    assert sorted(decided.executed) == sorted(dvc_decisions(told).executed)
    theirs_decided = dvc_decisions(told)
    stages = {"data_split", "train", "sagemaker"}
    assert {*decided.skipped, *decided.restored} >= stages
    if "--allow-missing" in options:  # what it pulls, DVC does not say to be skipped
        assert set(theirs_decided.skipped) >= stages, told
    assert workspace(clone.root) == workspace(theirs.root)


def store_of(box: Sandbox) -> Path:
    return Path(box.env["HOME"]).parent / "store"


def test_a_remote_without_the_data(clone: Sandbox) -> None:
    clone.exp("config", "--local", "remote.up.url", "/nowhere/at/all")
    clone.write("params.yaml", "threshold: 2\n")
    result = clone.exp("repro", "--pull", "--allow-missing", code=1)
    assert "not everything could be got" in result.stderr
    assert "data/test_data" in result.stderr
    assert "there is no folder /nowhere/at/all" in result.stderr
    result = clone.exp("repro", "--pull", code=1)
    assert "'data/pool_data' of 'data/pool_data.dvc' is neither" in result.stderr
    assert "there is no folder /nowhere/at/all" in result.stderr


def test_a_remote_that_was_tampered_with(clone: Sandbox) -> None:
    """What came is not believed; what to do is said, and then the same command completes it."""
    store = clone.root.parent / "store"
    clone.command("cp", "-r", str(store_of(clone)), str(store))
    clone.exp("config", "--local", "remote.up.url", str(store))
    name = hashlib.md5(b"pool 1\n", usedforsecurity=False).hexdigest()
    bad = store / "files/md5" / name[:2] / name[2:]
    bad.chmod(0o644)
    bad.write_bytes(b"pool 2\n")
    error = clone.exp("repro", "--pull", code=1).stderr
    assert "failed:  data/pool_data/1" in error
    assert f"files/md5/{name[:2]}/{name[2:]} at the remote is not what its name says" in error
    assert not bad_objects(clone.root)
    bad.write_bytes(b"pool 1\n")
    assert our_decisions(clone.exp("repro", "--pull")).executed == ()
    assert clone.read("data/pool_data/1") == "pool 1\n"


def test_what_was_only_got_forces_nothing(clone: Sandbox) -> None:
    said = clone.exp("repro", "--pull", "--force-downstream", "--dry").stdout
    assert "Would run" not in said
    assert our_decisions(clone.exp("repro", "--pull", "--force-downstream")).executed == ()


@pytest.mark.parametrize("options", [("--pull",), ("--allow-missing",)])
def test_a_dry_run_counts_with_what_would_be_made(clone: Sandbox, options: tuple[str, ...]) -> None:
    clone.write("dvc.yaml", PIPELINE.replace("tac", "tac -s 1"))
    said = our_decisions(clone.exp("repro", "--dry", "-v", *options))
    assert set(said.executed) == {"train", "evaluate", "sagemaker"}
    assert said.executed[0] == "train"


def test_a_part_of_a_directory_is_not_taken_for_all_of_it(clone: Sandbox) -> None:
    """A stage gets the one file that it reads; whoever needs the rest gets that, or is told that it lacks."""
    record = clone.read("data/pool_data.dvc")
    one = (
        "  one:\n    cmd: cp data/pool_data/1 one\n    deps: [data/pool_data/1]\n    outs: [one]\n"
    )
    clone.write("dvc.yaml", PIPELINE + one)
    flags = ("--pull", "--allow-missing")
    assert our_decisions(clone.exp("repro", *flags)).executed == ("one",)
    assert [path.name for path in (clone.root / "data/pool_data").iterdir()] == ["1"]
    got = downloaded(clone)

    for options in (flags, ("--allow-missing",)):
        assert "Nothing changed" in clone.exp("repro", *options).stdout
    assert downloaded(clone) == got
    result = clone.exp("repro", code=1)
    assert "'data/pool_data' of 'data/pool_data.dvc' is not all in the workspace" in result.stderr
    result = clone.exp("save", code=1)
    assert "cannot be recorded: of its outs only a part is there" in result.stderr
    assert clone.read("data/pool_data.dvc") == record

    clone.write("dvc.yaml", PIPELINE.replace("cp -r", "cp -R") + one)
    result = clone.exp("repro", "--allow-missing", "data_split", code=1)
    assert "the dep 'data/pool_data' is not all there" in result.stderr
    result = clone.exp("repro", *flags, "data_split")
    assert our_decisions(result).executed == ("data_split",)
    assert clone.read("data/train_data/all") == "pool 0\npool 1\npool 2\n"
    assert clone.read("data/pool_data.dvc") == record


def test_a_part_of_a_directory_that_was_edited(clone: Sandbox) -> None:
    """Neither the edit nor what was not got is lost."""
    clone.exp("data", "pull", "-q", "data/pool_data/1")
    (clone.root / "data/pool_data/1").unlink()
    clone.write("data/pool_data/1", "mine\n")
    result = clone.exp("repro", "data_split", code=1)
    assert "was put into the workspace only in part, and then edited" in result.stderr
    clone.exp("repro", "--pull", "data_split")
    assert clone.read("data/train_data/all") == "pool 0\nmine\npool 2\n"
    assert "nfiles: 3" in clone.read("data/pool_data.dvc")


def test_links_to_objects_that_are_lost(clone: Sandbox) -> None:
    """With ``cache.type = symlink`` a cache that was cleaned leaves links that lead nowhere."""
    clone.exp("config", "--local", "cache.type", "symlink")
    clone.exp("data", "pull", "-q")
    shutil.rmtree(clone.root / ".dvc/cache/files")
    assert "Nothing changed" in clone.exp("repro", "--allow-missing", "evaluate").stdout
    clone.write("params.yaml", "threshold: 2\n")
    result = clone.exp("repro", "--allow-missing", "evaluate", code=1)
    assert "is not all there" in result.stderr
    result = clone.exp("repro", "--pull", "--allow-missing", "evaluate")
    assert our_decisions(result).executed == ("evaluate",)
    clone.write("data/pool_data/mine", "added\n")
    clone.exp("repro", "--pull", "data/pool_data.dvc")
    assert clone.read("data/pool_data/1") == "pool 1\n"
    assert clone.read("data/pool_data/mine") == "added\n"
    (clone.root / "data/pool_data/mine").unlink()
    clone.exp("repro", "--pull")
    assert clone.git("status", "--short", "*.dvc") == ""

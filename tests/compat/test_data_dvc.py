"""Data travel between DVC and Redoit: what one has pushed, the other pulls."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest

from tests.compat.oracle import Oracle, files
from tests.sandbox import Sandbox, dvc_sandbox

pytestmark = pytest.mark.oracle

PIPELINE = """\
stages:
  make:
    cmd: mkdir -p many && cat source > one && cat data/a > many/two && cp raw many/three
    deps: [source, data, raw]
    outs:
    - one
    - many
    - own:
        push: false
"""


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory, dvc: Oracle) -> Sandbox:
    """A project of DVC's with data, a pipeline that has run twice, a branch and a tag with other data."""
    tmp = tmp_path_factory.mktemp("data")
    box = dvc_sandbox(tmp / "origin", tmp / "home")
    box.write(".dvc/config", "[core]\n    remote = up\n['remote \"up\"']\n    url = ../../remote\n")
    for i in range(5):
        box.write(f"data/sub{i % 2}/{i}", f"{i}\n")
    box.write("data/a", "a\n")
    box.write("raw", "raw\n")
    dvc("add", "-q", "data", "raw", cwd=box.root, env=box.env)
    box.write("dvc.yaml", PIPELINE.replace("source > one", "source > one && echo x > own"))
    for text in ("first\n", "second\n"):
        box.write("source", text)
        dvc("repro", "-q", cwd=box.root, env=box.env)
        box.commit(text.strip())
    box.git("tag", "tagged", "HEAD~1")
    return box


def clone_of(origin: Sandbox, name: str) -> Sandbox:
    origin.git("clone", "-q", str(origin.root), f"../{name}")
    return Sandbox(origin.root.parent / name, origin.env)


def workspace(box: Sandbox) -> dict[str, bytes]:
    return files(box, ".dvc/")


@pytest.mark.parametrize("pusher", ["dvc", "exp"])
def test_there_and_back(dvc: Oracle, origin: Sandbox, pusher: str) -> None:
    """One pushes workspace, tags and run cache; both pull it, and then skip and restore the same stages."""
    store = origin.root.parent / "remote"
    shutil.rmtree(store, ignore_errors=True)
    words = ("push", "-q", "-T", "--run-cache")
    if pusher == "dvc":
        dvc(*words, cwd=origin.root, env=origin.env)
    else:
        origin.exp("data", *words)
    own = origin.root / "own"
    expected = {n: c for n, c in workspace(origin).items() if n != "own"}
    assert not [p for p in store.rglob("*") if p.is_file() and p.read_bytes() == own.read_bytes()]

    ours = clone_of(origin, f"ours-{pusher}")
    # What was never pushed is named; everything else is there.
    result = ours.exp("data", "pull", "--run-cache", code=1)
    assert "missing: own" in result.stderr
    assert workspace(ours) == expected
    if pusher == "exp":
        ours.exp("data", "pull", "-T", "--allow-missing", "-q")
        ours.git("checkout", "-q", "tagged")
        ours.exp("data", "checkout", "--allow-missing")
        assert ours.read("one") == "first\n"

    theirs = clone_of(origin, f"theirs-{pusher}")
    dvc("pull", "-q", "--run-cache", "--allow-missing", cwd=theirs.root, env=origin.env, code=None)
    assert workspace(theirs) == expected
    for box in (ours, theirs, origin):
        runs = box.root / ".dvc/cache/runs"
        assert len([p for p in runs.rglob("*") if p.is_file()]) == 2


def test_what_dvc_2_left_in_a_remote(dvc: Oracle, origin: Sandbox) -> None:
    """Objects without files/md5, and digests that do not count CR."""
    store = origin.root.parent / "remote"
    box = clone_of(origin, "old")
    box.write(
        "text.dvc", "outs:\n- md5: 15e56a2ba1f13aff6efa6dbe6b6c05ec\n  size: 7\n  path: text\n"
    )
    old = store / "15" / "e56a2ba1f13aff6efa6dbe6b6c05ec"
    old.parent.mkdir(parents=True, exist_ok=True)
    old.write_bytes(b"a\r\nbb\r\n")
    box.exp("data", "pull", "text.dvc", code=1)
    digest = box.command("sh", "-c", "printf 'a\\nbb\\n' | md5sum").stdout[:32]
    box.write("text.dvc", f"outs:\n- md5: {digest}\n  size: 7\n  path: text\n")
    target = store / digest[:2] / digest[2:]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(b"a\r\nbb\r\n")
    box.exp("data", "pull", "text.dvc")
    assert (box.root / "text").read_bytes() == b"a\r\nbb\r\n"
    assert "up to date" in dvc("status", "text.dvc", cwd=box.root, env=box.env).stdout


def test_parts_and_targets(dvc: Oracle, origin: Sandbox) -> None:
    origin.exp("data", "push", "-q")
    for number, targets in enumerate(
        [["data/sub1"], ["data/sub0/2"], ["-d", "make"], ["-R", "."], ["--glob", "r*"]]
    ):
        ours = clone_of(origin, f"parts-ours-{number}")
        theirs = clone_of(origin, f"parts-theirs-{number}")
        ours.exp("data", "pull", "-q", "--allow-missing", *targets)
        if targets[0] == "--glob":
            targets = ["raw"]
        dvc("pull", "-q", "--allow-missing", *targets, cwd=theirs.root, env=origin.env, code=None)
        assert workspace(ours) == workspace(theirs), targets


def test_the_same_status(dvc: Oracle, origin: Sandbox) -> None:
    """What changed against HEAD and in the workspace, by path and by file, as JSON."""
    origin.exp("data", "push", "-q")
    box = clone_of(origin, "status")
    box.exp("data", "pull", "-q", "--allow-missing")

    def compare(*options: str) -> dict[str, object]:
        said = dvc("data", "status", "--json", *options, cwd=box.root, env=box.env).stdout
        told = box.exp("data", "status", "--json", *options).stdout
        expected, found = normal(json.loads(said)), normal(json.loads(told))
        assert found == expected, (options, said, told)
        return found

    compare()
    box.command("chmod", "-R", "u+w", "data", "raw")
    box.write("data/a", "changed\n")
    box.write("data/new", "new\n")
    (box.root / "data/sub1/1").unlink()
    (box.root / "one").unlink()
    assert "uncommitted" in compare()
    compare("--granular")
    box.exp("data", "commit", "-q", "data")
    box.write("raw", "other\n")
    assert "committed" in compare()
    compare("--granular")
    compare("--unchanged")
    assert box.exp("data", "status", "-q", code=1).stdout == ""
    assert "  modified: data/" in box.exp("data", "status").stdout
    box.write("un tracked", "1\n")
    box.write("data.log", "1\n")
    box.write("deep/down/ü", "1\n")
    assert len(compare("--untracked-files")["untracked"]) >= 3  # type: ignore[arg-type]
    there = ("--not-in-remote", "--no-remote-refresh")
    assert "data/" in compare(*there)["not_in_remote"]  # type: ignore[operator]
    assert compare("--not-in-remote")["not_in_remote"] == ["data/"]
    store, away = box.root.parent / "remote", box.root.parent / "away"
    store.rename(away)  # it is not asked
    compare(*there)
    away.rename(store)
    box.exp("data", "push", "-q", "--", "data")
    told = json.loads(box.exp("data", "status", "--json", *there).stdout)
    assert "not_in_remote" not in told
    # Of directories the files that are not there, of those that are named.
    names = [hashlib.md5(box.read(path).encode()).hexdigest() for path in ("data/a", "data/sub0/2")]
    places = [store / f"files/md5/{name[:2]}/{name[2:]}" for name in names]
    contents = [place.read_bytes() for place in places]
    for name, place in zip(names, places, strict=True):
        (box.root / f".dvc/cache/files/md5/{name[:2]}/{name[2:]}").unlink()
        place.unlink()
    compare("--granular", "--not-in-remote")
    compare("--granular", "data/a", "data/sub1")
    box.command("rm", "-r", "data")
    assert "data/a" in compare("--granular")["uncommitted"]["deleted"]  # type: ignore[index, call-overload]
    for place, content in zip(places, contents, strict=True):
        place.write_bytes(content)


def normal(value: dict[str, object]) -> dict[str, object]:
    """Without order, and without what DVC says of Git itself."""
    kept = {k: v for k, v in value.items() if k != "git"}
    return {
        k: {i: sorted(j) for i, j in v.items()} if isinstance(v, dict) else sorted(v)  # type: ignore[call-overload]
        for k, v in kept.items()
    }

"""The cache against a real DVC: what one puts in, the other takes out."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from redoit.model import Algo, Content, Oid, RepoPath
from redoit.store.digests import digest_file
from tests.compat.oracle import Oracle
from tests.sandbox import Sandbox, dvc_sandbox
from tests.unit.store_room import Room, files_below

pytestmark = pytest.mark.oracle

NAMES = [
    "a",
    "b c",
    "ünï",
    "日本",
    "q'\"\\",
    "new\nline",
    "-x",
    "#y",
    "e.tar.gz",
    ".hidden",
    "Z",
    "[1]",
]


def make_folder(folder: Path, chance: random.Random, depth: int = 0) -> None:
    """A random directory: odd names, empty files and folders, executables, links, same content."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in chance.sample(NAMES, chance.randint(1, 6)):
        path = folder / name
        kind = chance.random()
        if kind < 0.25 and depth < 3:
            make_folder(path, chance, depth + 1)
        elif kind < 0.3:
            path.mkdir()
        else:
            size = chance.choice([0, 1, 100, 5000, 2**17, 2**17 + 1, 2**20 + 3])
            path.write_bytes(
                chance.choice([b"x", b"y\r\n", chance.randbytes(16)]) * (size // 3 + 1)
            )
            if chance.random() < 0.3:
                path.chmod(0o755)


def make_data(root: Path, seed: int) -> list[str]:
    """Random files and directories in ``root``; their names."""
    chance = random.Random(seed)
    paths = []
    for i in range(6):
        make_folder(root / f"dir{i}", chance)
        paths.append(f"dir{i}")
        file = root / f"file{i}"
        file.write_bytes(chance.randbytes(chance.choice([0, 7, 3000, 2**20 + 5])))
        file.chmod(chance.choice([0o644, 0o755]))
        paths.append(f"file{i}")
    (root / "hollow" / "inner").mkdir(parents=True)
    return [*paths, "hollow"]


def recorded(root: Path, path: str) -> Content:
    """What a ``.dvc`` file says about its out."""
    text = (root / f"{path}.dvc").read_text()

    def number(key: str) -> int | None:
        found = re.search(rf"^ *-? *{key}: (\d+)$", text, re.M)
        return int(found[1]) if found else None

    oid = re.search(r"md5: (\S+)", text)
    assert oid
    return Content(
        Oid(oid[1]), Algo.MD5, number("size") or 0, number("nfiles"), "isexec: true" in text
    )


def cache_of(root: Path) -> dict[str, tuple[bytes, int]]:
    cache = root / ".dvc" / "cache"
    return {
        str(file.relative_to(cache)): (file.read_bytes(), stat.S_IMODE(file.stat().st_mode))
        for file in cache.rglob("*")
        if file.is_file()
    }


def sandbox(tmp_path: Path, name: str, types: str) -> Sandbox:
    box = dvc_sandbox(tmp_path / name, tmp_path / "home")
    box.write(".dvc/config", f"[cache]\n    type = {types}\n")
    return box


@pytest.mark.parametrize(
    ("seed", "types"), [(1, "copy"), (2, "hardlink"), (3, "symlink"), (4, "copy")]
)
def test_the_same_cache(tmp_path: Path, dvc: Oracle, seed: int, types: str) -> None:
    """`dvc add` and our commit make the same objects and records; each accepts the other's."""
    theirs, ours = sandbox(tmp_path, "theirs", types), sandbox(tmp_path, "ours", types)
    paths = make_data(theirs.root, seed)
    assert make_data(ours.root, seed) == paths
    original = {path: files_below(ours.root / path) for path in paths}
    dvc("add", *paths, cwd=theirs.root, env=theirs.env)
    room = Room(ours.root)
    contents = {path: room.commit(path) for path in paths}
    room.store.ignore([RepoPath(path) for path in paths])

    assert contents == {path: recorded(theirs.root, path) for path in paths}
    assert cache_of(ours.root) == cache_of(theirs.root)
    assert (ours.root / ".gitignore").read_bytes() == (theirs.root / ".gitignore").read_bytes()

    # DVC finds nothing to do in what we committed.
    for path in paths:
        shutil.copy(theirs.root / f"{path}.dvc", ours.root)
    status = dvc("status", "--json", cwd=ours.root, env=ours.env)
    assert json.loads(status.stdout) == {}

    # DVC checks out what we committed, and the reverse; the files are of the same kind.
    for path in paths:
        for box in (ours, theirs):
            whole = box.root / path
            shutil.rmtree(whole) if whole.is_dir() and not whole.is_symlink() else whole.unlink()
    dvc("checkout", cwd=ours.root, env=ours.env)
    room = Room(theirs.root)
    for path in paths:
        entry = recorded(theirs.root, path)
        assert room.store.has(entry.entry(path))
        room.checkout(path, entry)
    for path in paths:
        assert files_below(ours.root / path) == files_below(theirs.root / path) == original[path]
        assert kinds(ours.root / path) == kinds(theirs.root / path)
    status = dvc("status", "--json", cwd=theirs.root, env=theirs.env)
    assert json.loads(status.stdout) == {}


def kinds(path: Path) -> list[tuple[str, bool, bool, int]]:
    """Of every file: is it a link, has it several names, and its mode."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [
        (
            str(file.relative_to(path)),
            file.is_symlink(),
            file.stat().st_nlink > 1 and not file.is_symlink(),
            stat.S_IMODE(file.stat().st_mode),
        )
        for file in files
        if not file.is_dir()
    ]


def test_links_in_outs(tmp_path: Path, dvc: Oracle) -> None:
    """Symlinks inside of outs, to files and to directories, and outs that are symlinks."""
    boxes = sandbox(tmp_path, "theirs", "copy"), sandbox(tmp_path, "ours", "copy")
    for box in boxes:
        box.write("else/where", "data")
        box.write("d/plain", "plain")
        (box.root / "d" / "file").symlink_to("../else/where")
        (box.root / "d" / "folder").symlink_to("../else")
    theirs, ours = boxes
    dvc("add", "d", cwd=theirs.root, env=theirs.env)
    room = Room(ours.root)
    assert room.commit("d") == recorded(theirs.root, "d")
    assert cache_of(ours.root) == cache_of(theirs.root)
    assert kinds(ours.root / "d") == kinds(theirs.root / "d")


def test_unprotect(tmp_path: Path, dvc: Oracle) -> None:
    for types in ("hardlink", "symlink", "copy"):
        theirs = sandbox(tmp_path, f"theirs-{types}", types)
        ours = sandbox(tmp_path, f"ours-{types}", types)
        for box in (theirs, ours):
            box.write("d/a", "a")
            box.write("f", "f").chmod(0o755)
        dvc("add", "d", "f", cwd=theirs.root, env=theirs.env)
        dvc("unprotect", "d", "f", cwd=theirs.root, env=theirs.env)
        room = Room(ours.root)
        for path in ("d", "f"):
            room.commit(path)
            room.store.unprotect(RepoPath(path))
        for path in ("d", "f"):
            assert kinds(ours.root / path) == kinds(theirs.root / path)


def test_ignored_files_in_outs(tmp_path: Path, dvc: Oracle) -> None:
    boxes = sandbox(tmp_path, "theirs", "copy"), sandbox(tmp_path, "ours", "copy")
    for box in boxes:
        box.write(".dvcignore", "*.tmp\n/d/skip\n!keep.tmp\nsub/only/\n")
        for name in (
            "a",
            "b.tmp",
            "keep.tmp",
            "skip",
            "sub/skip",
            "sub/only/x",
            "only/x",
            ".git/x",
        ):
            box.write(f"d/{name}", name)
    theirs, ours = boxes
    dvc("add", "d", cwd=theirs.root, env=theirs.env)
    room = Room(ours.root)
    assert room.commit("d") == recorded(theirs.root, "d")
    assert cache_of(ours.root) == cache_of(theirs.root)


IGNORED = [
    *("plain", "with space", "[brackets]", "star*", "ünï", "#hash", "!bang", "a?b"),
    *("out.csv", "kept.csv", "folder", "sub/x", "sub/deep/y", "back\\slash"),
]


def test_lines_of_gitignore(tmp_path: Path, dvc: Oracle) -> None:
    boxes = sandbox(tmp_path, "theirs", "copy"), sandbox(tmp_path, "ours", "copy")
    for box in boxes:
        box.write(".gitignore", "*.csv\n!kept.csv\nfolder/\n# no newline at the end\n/plain")
        box.write("sub/.gitignore", "x\r\n")
        box.write("folder/file", "x")
        for path in IGNORED:
            if path != "folder":
                box.write(path, "x")
    theirs, ours = boxes
    dvc("add", *IGNORED, cwd=theirs.root, env=theirs.env)
    room = Room(ours.root)
    room.store.ignore([RepoPath(path) for path in IGNORED])
    for name in (".gitignore", "sub/.gitignore", "sub/deep/.gitignore"):
        assert (ours.root / name).read_bytes() == (theirs.root / name).read_bytes(), name


def test_dvc_2_digests(tmp_path: Path, dvc_bin: Path) -> None:
    """md5 of line-ending-normalised text, chunk by chunk, as DVC's own function computes it."""
    chance = random.Random(5)
    pieces = [b"\r\n", b"\r", b"\n", b"text", b"\x00", b"\xff\xfe", b"a" * 600, b"\x80" * 300]
    files = []
    for i in range(60):
        data = b"".join(chance.choices(pieces, k=chance.randint(0, 12)))
        if i % 6 == 0:
            # Around the limits of chunks.
            data = b"z" * (2**20 - chance.randint(0, 4)) + b"\r\n" * 3 + data
        path = tmp_path / str(i)
        path.write_bytes(data)
        files.append(str(path))
    code = (
        "import sys, json\nfrom dvc_data.hashfile.hash import file_md5\n"
        "print(json.dumps([file_md5(path, name='md5-dos2unix') for path in sys.argv[1:]]))"
    )
    done = subprocess.run(
        [str(dvc_bin.parent / "python"), "-c", code, *files],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "DVC_NO_ANALYTICS": "1"},
    )
    expected = json.loads(done.stdout)
    assert [digest_file(path, Algo.MD5_DOS2UNIX).dos2unix for path in files] == expected


def test_a_dvc_2_project(tmp_path: Path, dvc: Oracle) -> None:
    """An old entry and an old cache: the same is up to date and restored as by DVC."""
    box = sandbox(tmp_path, "old", "copy")
    data = b"one\r\ntwo\r\n"
    path = tmp_path / "x"
    path.write_bytes(data)
    oid = digest_file(str(path), Algo.MD5_DOS2UNIX).dos2unix
    assert oid
    box.write(f".dvc/cache/{oid[:2]}/{oid[2:]}", data)
    box.write("f.dvc", f"outs:\n- md5: {oid}\n  size: {len(data)}\n  path: f\n")
    dvc("checkout", cwd=box.root, env=box.env)
    room = Room(box.root)
    content = Content(oid, Algo.MD5_DOS2UNIX, len(data))
    assert room.matches("f", content)
    assert room.store.has(content.entry("f"))
    box.write("f", data.replace(b"\r\n", b"\n"))
    room.look.forget(RepoPath("f"))
    assert room.matches("f", content)
    assert json.loads(dvc("status", "--json", cwd=box.root, env=box.env).stdout) == {}
    room.store.remove(RepoPath("f"))
    room.checkout("f", content)
    assert (box.root / "f").read_bytes() == data


def test_configuration(tmp_path: Path, dvc: Oracle) -> None:
    """What `dvc config` writes we read, and the reverse."""
    from redoit.config import load_config
    from redoit.config.edit import get_option, list_options, set_option

    box = sandbox(tmp_path, "p", "copy")
    values = {
        "cache.dir": "../some where",
        "cache.type": "reflink,copy",
        "core.remote": "Store",
        "core.autostage": "true",
        "remote.store.url": "s3://bucket/a#b",
        "remote.store.profile": 'it\'s "me", %d $x',
        "parsing.list": "append",
        "hydra.config_dir": "conf",
    }
    for name, value in values.items():
        if name.startswith("remote.") or name == "core.remote":
            set_option(str(box.root), name, value, cwd=str(box.root))
        else:
            dvc("config", name, value, cwd=box.root, env=box.env)
    for name in values:
        theirs = dvc("config", name, cwd=box.root, env=box.env).stdout.rstrip("\n")
        ours = get_option(str(box.root), name)
        assert ours is not None
        assert ours.value == theirs, name
    theirs = dvc("config", "--list", cwd=box.root, env=box.env).stdout.splitlines()
    assert sorted(f"{o.name}={o.value}" for o in list_options(str(box.root))) == sorted(theirs)
    assert load_config(str(box.root)).cache_dir("") == str(tmp_path / "some where")

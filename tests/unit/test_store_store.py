"""Commit and checkout: what lies in the cache and in the workspace afterwards."""

from __future__ import annotations

import errno
import os
import resource
import stat
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from redoit.errors import CorruptObject, MissingObject, StoreError
from redoit.model import Algo, Content, Entry, Oid, RepoPath
from redoit.store.digests import digest_data
from tests.unit.store_room import Room, files_below, opened

P = RepoPath
BIG = os.urandom(3 << 20)
SOME = {"a": b"aaa", "sub/b": b"bb\n", "sub/deep/ü ö": b"", 'odd "\\n': b"x", "big": BIG}
TYPES = ["copy", "reflink,copy", "hardlink", "symlink", "hardlink,copy"]


@pytest.fixture(params=["md5", "xxh128"])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Room:
    return Room(tmp_path / "p", algo=request.param)


def fill(room: Room, folder: str = "d") -> None:
    for name, data in SOME.items():
        room.write(f"{folder}/{name}", data)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# --- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"small\n", BIG], ids=["empty", "small", "big"])
def test_a_file_goes_and_comes_back(room: Room, data: bytes) -> None:
    file = room.write("f", data)
    content = room.commit("f", cached=True)
    algo = room.layout.algo
    assert content == Content(
        Oid(digest_data(data, algo).oid(algo) or ""), algo, len(data), None, False
    )
    assert room.objects() == {f"files/{algo.value}/{content.oid[:2]}/{content.oid[2:]}": data}
    assert mode(room.object_of(content)) == 0o444
    assert file.read_bytes() == data
    assert room.store.has(content.entry("f"))
    room.store.remove(P("f"))
    assert not room.look.exists(P("f"))
    room.checkout("f", content)
    assert file.read_bytes() == data
    assert not file.is_symlink()
    assert file.stat().st_nlink == 1
    assert os.access(file, os.W_OK)


def test_a_new_out_is_not_read_again(room: Room) -> None:
    """An out is committed right after it was written, and its stamp is still trusted."""
    room.write("f", b"x", old=False)
    room.write("d/f", b"x", old=False)
    with opened(room.root) as files:
        f, d = room.commit("f"), room.commit("d")
    assert files == ["f", "d/f"]
    with opened(room.root) as files:
        assert room.matches("f", f)
        room.again()
        assert room.matches("f", f)
        assert room.matches("d", d)
        assert room.commit("f") == f
        assert room.commit("d") == d
    assert files == []


def test_a_checked_out_file_is_not_read_again(room: Room) -> None:
    fill(room)
    room.write("f", BIG)
    f, d = room.commit("f"), room.commit("d")
    room.store.remove(P("f"))
    room.store.remove(P("d"))
    room.checkout("f", f)
    room.checkout("d", d)
    with opened(room.root) as files:
        assert room.matches("f", f)
        assert room.matches("d", d)
        room.again()
        assert room.matches("f", f)
        assert room.matches("d", d)
    assert files == []


def test_not_cached(room: Room) -> None:
    room.write("f", b"x")
    fill(room)
    f, d = room.commit("f", cached=False), room.commit("d", cached=False)
    assert room.objects() == {}
    assert not room.store.has(f.entry("f"))
    assert not room.store.has(d.entry("d"))
    assert (room.content("f"), room.content("d")) == (f, d)
    assert (room.commit("f"), room.commit("d")) == (f, d)
    assert room.store.has(f.entry("f"))
    assert room.store.has(d.entry("d"))


def test_keep_leaves_the_file_alone(tmp_path: Path) -> None:
    room = Room(tmp_path, config="[cache]\ntype = symlink\n")
    file = room.write("metrics.json", b"{}")
    content = room.store.keep(P("metrics.json"))
    assert room.store.has(content.entry(""))
    assert not file.is_symlink()
    room.store.remove(P("metrics.json"))
    room.checkout("metrics.json", content, copy=True)
    assert not file.is_symlink()
    assert os.access(file, os.W_OK)


@pytest.mark.parametrize("types", TYPES)
def test_executable(tmp_path: Path, types: str) -> None:
    room = Room(tmp_path, config=f"[cache]\ntype = {types}\n")
    file = room.write("f", b"#!/bin/sh\n")
    file.chmod(0o755)
    content = room.commit("f")
    assert content.isexec
    assert os.stat(file).st_mode & 0o100
    file.unlink()
    room.look.forget(P("f"))
    room.checkout("f", content)
    assert os.stat(file).st_mode & 0o100
    file.unlink()
    room.look.forget(P("f"))
    room.checkout("f", content._replace(isexec=False))
    if "hardlink" not in types and "symlink" not in types:
        assert not os.stat(file).st_mode & 0o111
    # The bit is given back even if the content is in place.
    room.checkout("f", content)
    assert os.stat(file).st_mode & 0o100


@pytest.mark.parametrize("types", TYPES)
@pytest.mark.parametrize("again", [False, True])
def test_links(tmp_path: Path, types: str, again: bool) -> None:
    """After a commit, and after a checkout, a file is what the first working type makes of it."""
    room = Room(tmp_path, config=f"[cache]\ntype = {types}\n")
    file, empty = room.write("f", b"data"), room.write("empty", b"")
    fill(room)
    contents = {path: room.commit(path) for path in ("f", "d", "empty")}
    if again:
        for path, content in contents.items():
            room.store.remove(P(path))
            room.checkout(path, content)
    source = room.object_of(contents["f"])
    first = types.partition(",")[0]
    assert file.is_symlink() is (first == "symlink")
    assert (file.stat().st_ino == source.stat().st_ino) is (first in ("hardlink", "symlink"))
    assert os.access(file, os.W_OK) or first in ("hardlink", "symlink")
    assert (empty.stat().st_nlink == 1) is True
    inner = tmp_path / "d" / "a"
    assert inner.is_symlink() is (first == "symlink")
    assert files_below(tmp_path / "d") == SOME
    assert all(mode(path) == 0o444 for path in Path(room.layout.cache_dir).rglob("*/*/*/*"))
    for path, content in contents.items():
        assert room.matches(path, content)
        assert room.commit(path) == content


def test_committing_what_is_linked_already_copies_nothing(tmp_path: Path) -> None:
    room = Room(tmp_path, config="[cache]\ntype = hardlink\n")
    file = room.write("f", BIG)
    before = file.stat().st_ino
    room.commit("f")
    assert file.stat().st_ino == before
    other = room.write("g", BIG)
    room.commit("g")
    assert other.stat().st_ino == before  # the same content exists once


def test_copies_replace_the_links_of_an_earlier_cache_type(tmp_path: Path) -> None:
    for types in ("hardlink", "symlink"):
        room = Room(tmp_path, config=f"[cache]\ntype = {types}\n")
        fill(room)
        file = room.write("f", b"data")
        contents = room.commit("f"), room.commit("d")
        room = Room(tmp_path, config="[cache]\ntype = copy\n")
        assert (room.commit("f"), room.commit("d")) == contents
        assert not file.is_symlink()
        assert file.stat().st_nlink == 1
        assert (tmp_path / "d" / "a").stat().st_nlink == 1
        assert os.access(file, os.W_OK)
        room.store.remove(P("f"))
        room.store.remove(P("d"))


def test_no_link_type_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(tmp_path, config="[cache]\ntype = hardlink\n")
    room.write("f", b"x")
    content = room.commit("f")
    room.store.remove(P("f"))

    def refuse(*_: object, **__: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(StoreError, match="no link type"):
        room.checkout("f", content)


def test_another_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hard links do not cross file systems: the next type is taken, or objects are copied."""
    real = os.link

    def refuse(source: str, target: str, **options: object) -> None:
        if not str(source).startswith("/proc/"):
            raise OSError(18, "Invalid cross-device link")
        real(source, target, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "link", refuse)
    room = Room(tmp_path, config="[cache]\ntype = hardlink,symlink\n")
    file = room.write("f", b"x")
    content = room.commit("f")
    assert file.is_symlink()
    assert room.store.has(content.entry(""))


def test_symlinked_outs_become_files_of_their_own(room: Room) -> None:
    target = room.write("elsewhere", b"data")
    (room.root / "f").symlink_to("elsewhere")
    (room.root / "d").mkdir()
    (room.root / "d" / "l").symlink_to("../elsewhere")
    f, d = room.commit("f"), room.commit("d")
    for path in ("f", "d/l"):
        assert not (room.root / path).is_symlink()
        assert (room.root / path).read_bytes() == b"data"
    assert target.read_bytes() == b"data"
    assert f.size == 4
    assert d.nfiles == 1
    room.again()
    assert room.matches("f", f)
    assert room.matches("d", d)


@pytest.mark.parametrize("path", ["missing", "broken", "f/x"])
def test_nothing_to_commit(room: Room, path: str) -> None:
    (room.root / "broken").symlink_to("nowhere")
    room.write("f", b"")
    with pytest.raises(StoreError, match="nothing to commit"):
        room.commit(path)


# --- directories ----------------------------------------------------------------------------------


def test_a_directory_goes_and_comes_back(room: Room) -> None:
    fill(room)
    content = room.commit("d")
    assert (content.nfiles, content.size) == (len(SOME), sum(map(len, SOME.values())))
    assert room.store.has(content.entry("d"))
    room.store.remove(P("d"))
    assert not (room.root / "d").exists()
    room.checkout("d", content)
    assert files_below(room.root / "d") == SOME
    assert room.content("d") == content


def test_an_empty_directory(room: Room) -> None:
    (room.root / "d" / "hollow").mkdir(parents=True)
    content = room.commit("d")
    assert (content.size, content.nfiles) == (0, 0)
    room.store.remove(P("d"))
    room.checkout("d", content)
    assert (room.root / "d").is_dir()
    assert room.store.has(content.entry("d"))


def test_a_directory_and_a_file_share_objects(room: Room) -> None:
    room.write("d/x", b"same")
    room.write("d/y", b"same")
    room.write("f", b"same")
    room.commit("d")
    room.commit("f")
    assert len(room.objects()) == 2


def test_only_what_differs_is_written(room: Room) -> None:
    fill(room)
    room.write(".dvcignore", "d/notes\n")
    content = room.commit("d")
    room.write("d/a", b"changed")
    room.write("d/extra/file", b"extra")
    room.write("d/notes", b"mine")
    (room.root / "d" / "sub" / "b").unlink()
    untouched = (room.root / "d" / "big").stat()
    room.checkout("d", content)
    after = files_below(room.root / "d")
    assert after.pop("notes") == b"mine"
    assert after == SOME
    big = (room.root / "d" / "big").stat()
    assert (big.st_ino, big.st_mtime_ns) == (untouched.st_ino, untouched.st_mtime_ns)
    room.again()
    assert room.matches("d", content)


def test_one_thing_becomes_another(room: Room) -> None:
    fill(room)
    d = room.commit("d")
    room.write("f", b"file")
    f = room.commit("f")
    room.checkout("d", f)
    assert (room.root / "d").read_bytes() == b"file"
    room.checkout("d", d)
    assert files_below(room.root / "d") == SOME
    (room.root / "f").unlink()
    (room.root / "f").symlink_to("d")
    room.look.forget(P("f"))
    room.checkout("f", f)
    assert files_below(room.root / "d") == SOME
    assert (room.root / "f").read_bytes() == b"file"
    assert not (room.root / "f").is_symlink()


def test_inside_a_directory_one_thing_becomes_another(room: Room) -> None:
    room.write("d/x/y", b"1")
    room.write("d/z", b"2")
    content = room.commit("d")
    room.store.remove(P("d"))
    room.write("d/x", b"now a file")
    room.write("d/z/deep/er", b"now a folder")
    room.checkout("d", content)
    assert files_below(room.root / "d") == {"x/y": b"1", "z": b"2"}


def test_nothing_is_written_through_a_symlink(room: Room) -> None:
    room.write("d/x/y", b"1")
    content = room.commit("d")
    room.store.remove(P("d"))
    room.write("precious/y", b"mine")
    (room.root / "d").mkdir()
    (room.root / "d" / "x").symlink_to("../precious")
    room.look.forget(P("d"))
    room.checkout("d", content)
    assert (room.root / "precious" / "y").read_bytes() == b"mine"
    assert (room.root / "d" / "x" / "y").read_bytes() == b"1"


def test_what_cannot_be_read_is_replaced(room: Room) -> None:
    fill(room)
    content = room.commit("d")
    (room.root / "d" / "broken").symlink_to("nowhere")
    room.look.forget(P("d"))
    room.checkout("d", content)
    assert files_below(room.root / "d") == SOME
    assert not os.path.lexists(room.root / "d" / "broken")


def test_a_directory_in_a_new_folder(room: Room) -> None:
    fill(room)
    content = room.commit("d")
    room.checkout("some/where/else", content)
    room.checkout("some/file", room.commit("d/a"))
    assert files_below(room.root / "some" / "where" / "else") == SOME


def test_only_changed_files_are_digested_again(room: Room) -> None:
    fill(room)
    room.commit("d")
    room.again()
    room.write("d/a", b"new")
    with opened(room.root) as files:
        content = room.commit("d")
    assert files == ["d/a"]
    assert content.nfiles == len(SOME)
    assert room.store.has(content.entry("d"))


# --- what is wrong with a cache ---------------------------------------------------------------------


def spoil(path: Path, data: bytes | None, *, writable: bool = False) -> None:
    """Give an object another content (None: remove it)."""
    path.chmod(0o644)
    path.unlink()
    if data is not None:
        path.write_bytes(data)
        path.chmod(0o644 if writable else 0o444)


@pytest.mark.parametrize(
    ("data", "writable", "there"),
    [
        (None, False, False),
        (b"shor", False, False),
        (b"other", False, True),  # as long and read-only: believed, as by DVC
        (b"other", True, False),
        (b"hello", True, True),
    ],
)
def test_objects_that_cannot_be_believed(
    room: Room, data: bytes | None, writable: bool, there: bool
) -> None:
    room.write("f", b"hello")
    content = room.commit("f")
    spoil(room.object_of(content), data, writable=writable)
    room.again()
    assert room.store.has(content.entry("f")) is there
    if there:
        assert mode(room.object_of(content)) == 0o444
    else:
        room.commit("f")
        assert room.object_of(content).read_bytes() == b"hello"
        room.again()
        assert room.store.has(content.entry("f"))


@pytest.mark.parametrize("data", [None, b"shor", b"other"])
def test_a_damaged_object_does_not_get_into_the_workspace(room: Room, data: bytes | None) -> None:
    room.write("f", b"hello")
    content = room.commit("f")
    spoil(room.object_of(content), data)
    room.again()
    file = room.write("f", b"mine")
    with pytest.raises(MissingObject if data is None else CorruptObject):
        room.checkout("f", content)
    assert file.read_bytes() == b"mine"


@pytest.mark.parametrize("victim", ["the list", "a file"])
@pytest.mark.parametrize("data", [None, b"", b"[]", b"{"])
def test_a_damaged_directory(room: Room, victim: str, data: bytes | None) -> None:
    fill(room)
    content = room.commit("d")
    inner = digest_data(b"aaa", room.layout.algo).oid(room.layout.algo)
    path = (
        room.object_of(content)
        if victim == "the list"
        else room.object_of(content._replace(oid=Oid(inner or "")))
    )
    spoil(path, data)
    room.again()
    assert not room.store.has(content.entry("d"))
    room.write("d/a", b"mine")
    with pytest.raises((MissingObject, CorruptObject)):
        room.checkout("d", content)
    assert (room.root / "d" / "a").read_bytes() == b"mine"
    room.write("d/a", b"aaa")
    assert room.commit("d") == content
    room.again()
    assert room.store.has(content.entry("d"))


def test_nothing_is_recorded(room: Room) -> None:
    assert not room.store.has(Entry("f", None))
    with pytest.raises(StoreError, match="not recorded"):
        room.checkout("f", Entry("f", None))


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    room = Room(tmp_path / "p", config="[cache]\ndir = ../../cache\n")
    file = room.write("f", b"x")
    fill(room)
    for path in ("f", "d"):
        with pytest.raises(StoreError) as caught:
            room.commit(path)
        assert "cannot write into the cache" in caught.value.what
        assert caught.value.facts["cache"] == str(tmp_path / "cache")
    assert file.read_bytes() == b"x"


def test_a_full_disk(room: Room) -> None:
    """No part of an object stays, and the out is still there."""
    file = room.write("f", BIG)
    room.write("d/f", BIG)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(BIG) // 2, hard))
    try:
        for path in ("f", "d"):
            with pytest.raises(StoreError) as caught:
                room.commit(path)
            assert caught.value.facts["because"] == "File too large"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert room.objects() == {}
    assert file.read_bytes() == BIG
    assert room.store.has(room.commit("f").entry("f"))


def test_what_a_full_disk_says(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.write("f", b"x")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreError) as caught:
        room.commit("f")
    assert caught.value.what == "the disk of the cache is full"
    assert "exp config cache.dir" in (caught.value.hint or "")


# --- the rest ---------------------------------------------------------------------------------------


def test_the_umask_does_not_close_objects(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        room = Room(tmp_path)
        file = room.write("f", b"x")
        content = room.commit("f")
        assert mode(room.object_of(content)) == 0o444
        room.store.remove(P("f"))
        room.checkout("f", content)
        assert mode(file) == 0o600
    finally:
        os.umask(before)


def test_a_shared_cache_is_open_to_the_group(tmp_path: Path) -> None:
    room = Room(tmp_path, config="[cache]\nshared = group\n")
    room.write("f", b"x")
    content = room.commit("f")
    assert mode(room.object_of(content).parent) == 0o2775
    assert mode(room.object_of(content).parent.parent) == 0o2775
    assert mode(room.object_of(content)) == 0o444


@pytest.mark.parametrize("kind", ["file", "folder", "symlink", "to folder", "read-only", "missing"])
def test_remove(room: Room, kind: str) -> None:
    kept = room.write("kept/file", b"x")
    if kind == "file":
        room.write("out", b"x").chmod(0o444)
    elif kind in ("folder", "read-only"):
        room.write("out/sub/x", b"x")
        if kind == "read-only":
            (room.root / "out" / "sub" / "x").chmod(0o444)
            (room.root / "out" / "sub").chmod(0o555)
            (room.root / "out").chmod(0o555)
    elif kind in ("symlink", "to folder"):
        (room.root / "out").symlink_to("kept/file" if kind == "symlink" else "kept")
    room.store.remove(P("out"))
    room.store.remove(P("out"))
    assert not os.path.lexists(room.root / "out")
    assert kept.read_bytes() == b"x"


@pytest.mark.parametrize("types", TYPES)
def test_unprotect(tmp_path: Path, types: str) -> None:
    room = Room(tmp_path, config=f"[cache]\ntype = {types}\n")
    fill(room)
    file = room.write("f", b"data")
    f, d = room.commit("f"), room.commit("d")
    room.store.unprotect(P("f"))
    room.store.unprotect(P("d"))
    room.store.unprotect(P("missing"))
    for path in (file, tmp_path / "d" / "sub" / "b"):
        assert not path.is_symlink()
        assert path.stat().st_nlink == 1
        assert os.access(path, os.W_OK)
        with path.open("ab") as handle:
            handle.write(b"more")
    assert room.object_of(f).read_bytes() == b"data"
    assert not room.matches("f", f)
    assert not room.matches("d", d)


def test_syncing_is_possible_at_any_time(room: Room) -> None:
    fill(room)
    room.store.sync()
    content = room.commit("d")
    room.store.sync()
    for i in range(80):
        room.write(f"x{i}", str(i))
        room.commit(f"x{i}")
    room.object_of(content).unlink()
    room.store.sync()
    room.store.sync()


@pytest.mark.parametrize("types", ["copy", "hardlink"])
def test_the_size_of_a_file_does_not_count_in_memory(tmp_path: Path, types: str) -> None:
    room = Room(tmp_path, algo="xxh128", config=f"[cache]\ntype = {types}\n")
    file = room.write("f", b"")
    os.truncate(file, 200 << 20)
    tracemalloc.start()
    try:
        content = room.commit("f")
        room.store.remove(P("f"))
        room.checkout("f", content)
        assert room.matches("f", content)
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()
    assert content.size == 200 << 20


def test_leftovers_are_swept(room: Room) -> None:
    """What a killed process left in the folder for names goes when it is a day old."""
    room.write("f", b"one")
    content = room.commit("f")
    drafts = Path(room.layout.tmp) / "drafts"
    drafts.mkdir(parents=True)
    for name, age in (("old.tmp", 25 * 3600), ("new.tmp", 3600), ("old.txt", 25 * 3600)):
        (drafts / name).write_bytes(b"x")
        os.utime(drafts / name, (time.time() - age,) * 2)
    room.write("f", b"two")
    room.checkout("f", content)
    assert sorted(path.name for path in drafts.iterdir()) == ["new.tmp", "old.txt"]


@pytest.mark.parametrize("types", ["copy", "hardlink"])
def test_in_several_threads(tmp_path: Path, types: str) -> None:
    """Commits of the same and of different content at the same time, looks in between."""
    from redoit.store.parallel import in_parallel

    def work(name: str) -> None:
        for i in range(20):
            room.write(f"{name}{i}", f"content {i}", old=False)
            room.write(f"dir-{name}/{i}", f"content {i}", old=False)
            content = room.commit(f"{name}{i}")
            folder = room.commit(f"dir-{name}")
            assert room.matches(f"{name}{i}", content)
            room.store.remove(P(f"{name}{i}"))
            room.checkout(f"{name}{i}", content)
            assert room.matches(f"dir-{name}", folder)

    room = Room(tmp_path, config=f"[cache]\ntype = {types}\n")
    tasks: list[Callable[[], None]] = [lambda n=n: work(n) for n in "abcd"]  # type: ignore[misc]
    in_parallel(tasks, jobs=4)
    assert list(room.store.verify()) == []
    room.again()
    assert all(room.content(f"{name}7") == room.content("a7") for name in "abcd")


@pytest.mark.parametrize("able", ["to open none", "to link none"])
def test_where_drafts_need_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, able: str
) -> None:
    """File systems without nameless files: nothing of the names is left."""
    if able == "to open none":
        monkeypatch.setattr("redoit.store.drafts._ANONYMOUS", 0)
    else:
        real = os.link

        def refuse(source: str, target: str, **options: object) -> None:
            if source.startswith("/proc/"):
                raise PermissionError(1, "Operation not permitted")
            real(source, target, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(os, "link", refuse)
    room = Room(tmp_path)
    fill(room)
    content = room.commit("d")
    room.store.remove(P("d"))
    room.checkout("d", content)
    room.write("d/a", b"changed")
    room.checkout("d", content)
    assert files_below(tmp_path / "d") == SOME
    assert not [path for path in tmp_path.rglob("*") if path.name.endswith(".tmp")]
    assert list(room.store.verify()) == []


def test_algo_of_another_project(tmp_path: Path) -> None:
    """What DVC or an earlier setting recorded can still be checked out."""
    room = Room(tmp_path)
    fill(room)
    room.write("f", b"x")
    f, d = room.commit("f"), room.commit("d")
    room = Room(tmp_path, algo="xxh128")
    for path, content in (("f", f), ("d", d)):
        room.store.remove(P(path))
        room.checkout(path, content)
        assert room.matches(path, content)
        now = room.content(path)
        assert now is not None
        assert now.algo is Algo.XXH128
    assert files_below(tmp_path / "d") == SOME

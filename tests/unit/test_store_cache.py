"""The cache as a whole: verify and migrate."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from redoit.errors import CorruptObject
from redoit.model import Algo, Content, Entry, Oid, RepoPath
from redoit.store import Item
from redoit.store.digests import digest_data
from redoit.store.drafts import Draft, Drafts
from redoit.store.tree import dir_oid, encode
from tests.unit.store_room import Room, files_below

P = RepoPath
BIG = os.urandom(2 << 20)


@pytest.fixture(params=["md5", "xxh128"])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Room:
    room = Room(tmp_path / "p", algo=request.param)
    room.write("d/a", b"a")
    room.write("d/sub/b", b"bb")
    room.write("f", BIG)
    return room


def other(algo: Algo) -> Algo:
    return Algo.XXH128 if algo is Algo.MD5 else Algo.MD5


# --- verify ---------------------------------------------------------------------------------------


def test_a_good_cache(room: Room) -> None:
    assert list(room.store.verify()) == []
    room.commit("d")
    room.commit("f")
    assert list(room.store.verify()) == []


def test_every_bad_object_is_named(room: Room) -> None:
    folder, file = room.commit("d"), room.commit("f")
    algo = room.layout.algo
    for i in range(150):
        room.write(f"x{i}", str(i))
        room.commit(f"x{i}")
    for what, data in ((file, BIG[:-1] + b"!"), (folder, b"[]")):
        room.object_of(what).chmod(0o644)
        room.object_of(what).write_bytes(data)
    no_list = dir_oid(b"no list", algo)
    bad_list = Path(room.store.object_path(no_list, algo))
    bad_list.parent.mkdir(parents=True, exist_ok=True)
    bad_list.write_bytes(b"no list")
    legacy = Path(room.layout.cache_dir) / "ab" / ("c" * 30)
    legacy.parent.mkdir()
    legacy.write_bytes(b"x")
    found = {bad.path: bad for bad in room.store.verify()}
    assert set(found) == {
        str(room.object_of(file)),
        str(room.object_of(folder)),
        str(bad_list),
        str(legacy),
    }
    assert found[str(legacy)].algo is Algo.MD5_DOS2UNIX
    assert found[str(bad_list)].problem == "it is no list of files"
    digest = digest_data(b"[]", algo).oid(algo)
    assert str(found[str(room.object_of(folder))]) == (
        f"{room.object_of(folder)}: its content has the digest {digest}"
    )
    assert found[str(room.object_of(file))].oid == file.oid


def test_what_is_no_object_is_passed_over(room: Room) -> None:
    cache = Path(room.layout.cache_dir)
    for name in ("files/md5/ab/.x.tmp", "runs/ab/cd/ef", "files/md5/abc/def", "x/y", "files/md5/f"):
        (cache / name).parent.mkdir(parents=True, exist_ok=True)
        (cache / name).write_bytes(b"x")
    assert list(room.store.verify()) == []


def test_an_object_that_is_no_file(room: Room) -> None:
    content = room.commit("f")
    room.object_of(content).unlink()
    room.object_of(content).mkdir()
    (bad,) = room.store.verify()
    assert bad.problem == "it cannot be read: this is neither a file nor a directory"


def test_dvc_2_objects_are_good(room: Room) -> None:
    for data in (b"a\r\nb\r\n", b"a\r\n\x00"):
        digests = digest_data(data, Algo.MD5_DOS2UNIX)
        path = Path(room.store.object_path(digests.dos2unix or Oid(""), Algo.MD5_DOS2UNIX))
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
    assert list(room.store.verify()) == []


# --- migrate --------------------------------------------------------------------------------------


def items(*pairs: tuple[str, Content], cached: bool = True) -> list[Item]:
    return [Item(P(path), content.entry(path), cached) for path, content in pairs]


def test_there_and_back(room: Room) -> None:
    before, to = room.layout.algo, other(room.layout.algo)
    contents = {"d": room.commit("d"), "f": room.commit("f")}
    room.store.remove(P("d"))
    found = room.store.migrate(items(*contents.items()), to)
    assert found.lost == []
    a, b = (str(digest_data(data, to).oid(to)) for data in (b"a", b"bb"))
    assert found.oids == {
        contents["f"].oid: digest_data(BIG, to).oid(to),
        contents["d"].oid: dir_oid(encode(["a", "sub/b"], [a, b], to), to),
    }
    # The same blocks under two names.
    old = room.object_of(contents["f"])
    new = Path(room.store.object_path(found.oids[contents["f"].oid], to))
    assert old.stat().st_ino == new.stat().st_ino
    assert list(room.store.verify()) == []
    moved = {path: c._replace(oid=found.oids[c.oid], algo=to) for path, c in contents.items()}
    room = Room(room.root, algo=to.value)
    for path, content in moved.items():
        assert room.store.has(content.entry(path))
        room.checkout(path, content)
    assert files_below(room.root / "d") == {"a": b"a", "sub/b": b"bb"}
    again = room.store.migrate(items(*moved.items()), before)
    assert again.oids == {new: old for old, new in found.oids.items()}


def test_entries_that_are_so_recorded_already_are_left_alone(room: Room) -> None:
    content = room.commit("f")
    found = room.store.migrate(items(("f", content)), room.layout.algo)
    assert (found.oids, found.lost) == ({}, [])
    found = room.store.migrate([Item(P("f"), Entry("f", None), True)], other(room.layout.algo))
    assert (found.oids, found.lost) == ({}, [])


def test_deps_are_taken_from_the_workspace(room: Room) -> None:
    to = other(room.layout.algo)
    pairs = [(path, room.commit(path, cached=False)) for path in ("f", "d")]
    found = room.store.migrate(items(*pairs, cached=False), to)
    assert found.oids[pairs[0][1].oid] == digest_data(BIG, to).oid(to)
    assert room.objects() == {}
    found = room.store.migrate(items(*pairs), to)
    assert len(found.oids) == 2
    assert len(room.objects()) == 4
    assert list(room.store.verify()) == []


def test_what_is_nowhere_is_said(room: Room) -> None:
    content = room.commit("f", cached=False)
    room.write("f", b"changed")
    lost = items(("f", content))
    found = room.store.migrate(lost, other(room.layout.algo))
    assert (found.oids, found.lost) == ({}, lost)


def test_a_damaged_object_is_not_migrated(room: Room) -> None:
    content = room.commit("f")
    room.object_of(content).chmod(0o644)
    room.object_of(content).write_bytes(b"x")
    with pytest.raises(CorruptObject):
        room.store.migrate(items(("f", content)), other(room.layout.algo))


def test_from_dvc_2(tmp_path: Path) -> None:
    room = Room(tmp_path)
    contents = []
    for data in (b"a\r\nb\n", b"plain\n"):
        oid = digest_data(data, Algo.MD5_DOS2UNIX).dos2unix or Oid("")
        path = Path(room.store.object_path(oid, Algo.MD5_DOS2UNIX))
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        contents.append(Content(oid, Algo.MD5_DOS2UNIX, len(data)))
    rows = encode(["x", "y"], [content.oid for content in contents], Algo.MD5_DOS2UNIX)
    oid = dir_oid(rows, Algo.MD5_DOS2UNIX)
    path = Path(room.store.object_path(oid, Algo.MD5_DOS2UNIX))
    path.parent.mkdir(parents=True)
    path.write_bytes(rows)
    folder = Content(oid, Algo.MD5_DOS2UNIX, 12, 2)
    assert room.store.has(folder.entry(""))
    found = room.store.migrate(items(("d", folder)), Algo.MD5)
    new = Content(found.oids[oid], Algo.MD5, 12, 2)
    room.checkout("d", new)
    assert files_below(tmp_path / "d") == {"x": b"a\r\nb\n", "y": b"plain\n"}
    assert room.matches("d", new)
    assert room.matches("d", folder)


def test_content_that_is_there_is_written_once_more_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether an object is there is not asked before one was: most content is new."""
    room = Room(tmp_path / "repo")
    for number in range(5):
        room.write(f"d/{number}", f"{number}\n")
    made = room.commit("d")
    files = [each for each in Path(room.layout.cache_dir).rglob("*") if each.is_file()]
    before = {each: each.stat().st_ino for each in files}
    room.state.close()
    shutil.rmtree(room.layout.tmp)
    room.again()
    drafts: list[str] = []
    real = Drafts.new

    def new(self: Drafts, folder: str, mode: int) -> Draft:
        drafts.append(folder)
        return real(self, folder, mode)

    monkeypatch.setattr(Drafts, "new", new)
    assert room.commit("d") == made
    assert len([each for each in drafts if not each.endswith("md5")]) == 1, (
        "but for trying to clone"
    )
    assert {each: each.stat().st_ino for each in before} == before

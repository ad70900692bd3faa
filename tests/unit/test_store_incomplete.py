"""What a directory lacks that nobody has deleted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from redoit.model import Entry, Oid, RepoPath
from redoit.store.incomplete import Lack, Mark, Marks
from redoit.store.listings import listing_of
from tests.unit.store_room import Room

D = RepoPath("d")


def made(tmp_path: Path, config: str = "") -> tuple[Room, Entry]:
    """A project with a directory in the workspace and in the cache."""
    room = Room(tmp_path / "repo", config=config)
    for name in ("a", "b/c", "b/d"):
        room.write(f"d/{name}", name)
    return room, room.commit("d").entry("d")


def remove(room: Room, *names: str) -> None:
    for name in names:
        room.store.remove(RepoPath(f"d/{name}"))


def lose(room: Room, entry: Entry, *names: str) -> None:
    """Take the objects of these files out of the cache."""
    for name, oid in listing_of(room.store.objects, entry.oid, entry.algo):  # type: ignore[arg-type]
        if name in names:
            os.unlink(room.store.object_path(oid, entry.algo))


def absent(lack: Lack | None) -> list[str] | None:
    return None if lack is None else [name for name, _ in lack.absent]


def test_what_was_deleted_does_not_lack(tmp_path: Path) -> None:
    room, entry = made(tmp_path)
    assert room.store.lack(D, entry) is None
    remove(room, "b/c")
    assert room.store.lack(D, entry) is None


def test_what_not_even_the_cache_has_was_not_deleted(tmp_path: Path) -> None:
    room, entry = made(tmp_path)
    remove(room, "b/c")
    lose(room, entry, "b/c")
    room.again()
    assert absent(room.store.lack(D, entry)) == ["b/c"]
    assert absent(room.store.lack(D, entry, "b")) == ["b/c"]
    assert room.store.lack(D, entry, "a") is None
    room.write("d/new", "mine")
    assert room.store.lack(D, entry) is None


def test_a_part_that_was_checked_out(tmp_path: Path) -> None:
    room, entry = made(tmp_path)
    files = dict(listing_of(room.store.objects, entry.oid, entry.algo))  # type: ignore[arg-type]
    room.store.remove(D)
    room.store.checkout_files(D, entry, [("b/c", files["b/c"])])
    assert room.store.lack(D, entry) == Lack((("a", files["a"]), ("b/d", files["b/d"])))
    room.write("d/b/c", "mine")
    lack = room.store.lack(D, entry)
    assert lack is not None
    assert lack.edited
    room.store.complete(D, entry, lack)
    assert (room.root / "d/b/c").read_text() == "mine"
    assert (room.root / "d/a").read_text() == "a"
    remove(room, "a")  # from now on that is a deletion
    assert room.store.lack(D, entry) is None


def test_a_part_of_other_data(tmp_path: Path) -> None:
    room, entry = made(tmp_path)
    files = dict(listing_of(room.store.objects, entry.oid, entry.algo))  # type: ignore[arg-type]
    room.write("d/a", "another")
    other = room.commit("d").entry("d")
    room.store.remove(D)
    room.store.checkout_files(D, entry, [("b/c", files["b/c"])])
    lack = room.store.lack(D, other)
    assert lack is not None
    assert lack.other
    room.commit("d")  # whoever says that this is all of it
    assert room.store.lack(D, other) is None


@pytest.mark.parametrize("listing_too", [True, False])
def test_links_to_lost_objects(tmp_path: Path, listing_too: bool) -> None:
    room, entry = made(tmp_path, "[cache]\n    type = symlink\n")
    assert (room.root / "d/a").is_symlink()
    lose(room, entry, "a")
    if listing_too:
        os.unlink(room.store.object_path(entry.oid, entry.algo))  # type: ignore[arg-type]
    lack = room.again().store.lack(D, entry)
    assert absent(lack) == ([] if listing_too else ["a"])


def test_marks(tmp_path: Path) -> None:
    marks = Marks(str(tmp_path / "marks"), str(tmp_path / "drafts"))
    assert marks.paths() == []
    odd = RepoPath("a b\nc")
    assert marks.get(odd) is None
    marks.set(odd, Mark(Oid("1.dir"), whole=True))
    assert marks.get(odd) == ("1.dir", True)
    assert marks.paths() == [odd]
    marks.drop(odd)
    assert marks.paths() == []
    marks.drop(odd)

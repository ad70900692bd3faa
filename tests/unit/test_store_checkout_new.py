"""A directory checked out where nothing is: it appears in one piece, or file by file where that cannot be."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from redoit.errors import CorruptObject
from redoit.model import Entry, RepoPath
from redoit.store import directories, links
from redoit.store.drafts import Drafts
from redoit.store.processes import Act
from tests.unit.store_room import Room

FILES = {"a": "1\n", "b/c": "2\n", "b/d/e": "", "f": "3\n"}


def lost(tmp_path: Path, config: str = "") -> tuple[Room, Entry]:
    """A project whose directory is in the cache alone."""
    room = Room(tmp_path / "repo", algo="xxh128", config=config)
    for name, text in FILES.items():
        room.write(f"top/d/{name}", text)
    entry = room.commit("top/d").entry("top/d")
    room.store.remove(RepoPath("top/d"))
    return room.again(), entry


def content(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): file.read_text()
        for file in folder.rglob("*")
        if file.is_file()
    }


def drafts(room: Room) -> list[str]:
    folder = Path(room.layout.tmp, "drafts")
    return os.listdir(folder) if folder.exists() else []


@pytest.mark.parametrize("few", [0, 1000])
def test_it_appears_whole_and_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    room, entry = lost(tmp_path)
    monkeypatch.setattr(directories, "_FEW", few)
    made: list[str] = []
    rename = os.rename

    def renamed(old: str, new: str) -> None:
        made.append(new)
        assert content(Path(old)) == FILES
        rename(old, new)

    monkeypatch.setattr(os, "rename", renamed)
    room.checkout("top/d", entry)
    assert made == [f"{room.root}/top/d"]
    assert content(room.root / "top/d") == FILES
    assert drafts(room) == []
    mask = os.umask(0o022)
    os.umask(mask)
    assert stat.S_IMODE((room.root / "top/d/a").stat().st_mode) == 0o666 & ~mask
    # Nothing is read again, however fast the next command comes.
    monkeypatch.setattr(links, "digest_data", None)
    row = room.again().state.dir(RepoPath("top/d"))
    assert row is not None and row.signature == room.look.scan(RepoPath("top/d")).signature


def test_what_a_killed_process_of_ours_began_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, entry = lost(tmp_path)

    def twice(count: int, act: Act) -> Iterator[tuple[slice, list[Any]]]:
        act(slice(0, count))
        for half in Path(room.layout.tmp, "drafts").rglob("f"):
            os.truncate(half, 1)
        yield slice(0, count), act(slice(0, count))

    monkeypatch.setattr(directories, "in_slices", twice)
    room.checkout("top/d", entry)
    assert content(room.root / "top/d") == FILES
    assert room.again().matches("top/d", entry)


def test_nothing_is_there_when_it_fails(tmp_path: Path) -> None:
    room, entry = lost(tmp_path)
    for damaged in Path(room.layout.cache_dir).glob("files/xxh128/*/*"):
        if damaged.read_text() == "3\n":
            damaged.chmod(0o644)
            damaged.write_text("4\n")
            damaged.chmod(0o444)
    with pytest.raises(CorruptObject):
        room.checkout("top/d", entry)
    assert not (room.root / "top/d").exists()
    assert drafts(room) == []


def test_where_a_folder_cannot_be_moved_files_are_made_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, entry = lost(tmp_path)

    def rename(*_: str) -> None:
        raise OSError(errno.EXDEV, "elsewhere")

    monkeypatch.setattr(os, "rename", rename)
    room.checkout("top/d", entry)
    assert content(room.root / "top/d") == FILES
    assert drafts(room) == []
    assert room.again().matches("top/d", entry)


def test_the_group_of_the_folder_above_counts(tmp_path: Path) -> None:
    room, entry = lost(tmp_path)
    (room.root / "top").chmod(0o2775)
    room.checkout("top/d", entry)
    for folder in ("d", "d/b", "d/b/d"):
        assert (room.root / "top" / folder).stat().st_mode & stat.S_ISGID
    assert content(room.root / "top/d") == FILES


def test_what_is_large_is_not_put_at_risk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room, entry = lost(tmp_path)
    monkeypatch.setattr(directories, "_ONE_PIECE", 1)
    monkeypatch.setattr(os, "rename", None)
    room.checkout("top/d", entry)
    assert content(room.root / "top/d") == FILES


def test_what_a_killed_checkout_left_goes_after_a_day(tmp_path: Path) -> None:
    left = tmp_path / "drafts/.redoit-1-2-3.tmp"
    (left / "b").mkdir(parents=True)
    (left / "b/c").write_text("half")
    young = tmp_path / "drafts/.redoit-4-5-6.tmp"
    young.mkdir()
    old = time.time() - 25 * 3600
    os.utime(left, (old, old))
    Drafts(str(tmp_path / "drafts")).temporary(str(tmp_path))
    assert not left.exists() and young.exists()

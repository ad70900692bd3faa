"""What is remembered of directories that the cache holds whole, and what is asked again."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from redoit.errors import CorruptObject
from redoit.model import Algo, Entry, Oid
from redoit.store import objects, wholes
from redoit.store.scan import is_racy
from tests.unit.store_room import Room

FILES = 40


@pytest.fixture(autouse=True)
def also_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wholes, "_FEWEST", 2)


@pytest.fixture
def noting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust folders as soon as they are written, as nobody else writes: what a commit has put there is known."""
    monkeypatch.setattr(wholes, "is_racy", lambda changed, now: False)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The objects of files whose status was asked for."""
    found: list[str] = []
    real = objects.Objects._size_of

    def noted(self: objects.Objects, oid: Oid, algo: Algo) -> int | None:
        if not oid.endswith(".dir"):
            found.append(oid)
        return real(self, oid, algo)

    monkeypatch.setattr(objects.Objects, "_size_of", noted)
    return found


def made(tmp_path: Path, config: str = "") -> tuple[Room, Entry]:
    room = Room(tmp_path / "repo", algo="xxh128", config=config)
    for number in range(FILES):
        room.write(f"d/{number}", f"{number}\n")
    entry = room.commit("d").entry("d")
    settle(room)
    return room, entry


def unnoted(tmp_path: Path, config: str = "") -> tuple[Room, Entry]:
    """The same by a commit that tells nothing, as that of DVC."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wholes.Wholes, "note", lambda *_: None)
        return made(tmp_path, config)


def settle(room: Room) -> None:
    """Wait until the times of the folders can be trusted: nobody can set them."""
    folders = Path(room.layout.cache_dir, "files/xxh128").iterdir()
    newest = max(folder.stat().st_ctime_ns for folder in folders)
    while is_racy(newest, time.time_ns()):
        os.sched_yield()


def object_of(room: Room, number: int) -> Path:
    (found,) = (
        path
        for path in Path(room.layout.cache_dir, "files/xxh128").glob("*/*")
        if path.read_text() == f"{number}\n"
    )
    return found


def test_objects_in_unchanged_folders_are_not_asked_for_again(
    tmp_path: Path, asked: list[str]
) -> None:
    room, entry = unnoted(tmp_path)
    assert room.again().store.has(entry)
    assert len(asked) == FILES
    asked.clear()
    assert room.again().store.has(entry)
    assert not asked


def test_a_new_object_has_only_its_folder_asked_again(tmp_path: Path, asked: list[str]) -> None:
    room, entry = unnoted(tmp_path)
    assert room.again().store.has(entry)
    asked.clear()
    Path(object_of(room, 3).parent, "0" * 30).write_bytes(b"")
    settle(room)
    assert room.again().store.has(entry)
    assert 1 <= len(asked) < FILES / 2
    asked.clear()
    assert room.again().store.has(entry)
    assert not asked


@pytest.mark.parametrize("number", [0, 7, FILES - 1])
def test_an_object_that_goes_is_noticed_and_one_that_comes_back(
    tmp_path: Path, number: int
) -> None:
    room, entry = unnoted(tmp_path)
    assert room.again().store.has(entry)
    object_of(room, number).rename(tmp_path / "away")
    assert not room.again().store.has(entry)
    assert not room.again().store.has(entry)
    room.write("d/new", f"{number}\n")
    room.commit("d/new")
    assert room.again().store.has(entry)


def test_a_folder_that_goes_is_noticed(tmp_path: Path) -> None:
    room, entry = unnoted(tmp_path)
    assert room.again().store.has(entry)
    object_of(room, 5).parent.rename(tmp_path / "away")
    assert not room.again().store.has(entry)


def test_what_was_read_before_its_folder_could_be_trusted_is_asked_again(
    tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    room, entry = unnoted(tmp_path)
    monkeypatch.setattr(wholes, "is_racy", lambda changed, now: True)
    assert room.again().store.has(entry)
    asked.clear()
    assert room.again().store.has(entry)
    assert len(asked) == FILES


def test_a_folder_that_could_not_be_trusted_and_goes_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, entry = unnoted(tmp_path)
    (listing,) = Path(room.layout.cache_dir, "files/xxh128").glob("*/*.dir")
    trusted = listing.parent.stat().st_ctime_ns
    with monkeypatch.context() as patch:
        patch.setattr(wholes, "is_racy", lambda changed, now: changed != trusted)
        assert room.again().store.has(entry)
    for folder in Path(room.layout.cache_dir, "files/xxh128").iterdir():
        if not any(each.suffix == ".dir" for each in folder.iterdir()):
            folder.rename(tmp_path / f"away-{folder.name}")
    assert not room.again().store.has(entry)


@pytest.mark.parametrize("kind", ["hardlink", "symlink"])
def test_nothing_is_remembered_of_objects_that_a_workspace_can_write_into(
    tmp_path: Path, kind: str
) -> None:
    room, entry = unnoted(tmp_path, f"[cache]\n    type = {kind},copy\n")
    assert room.again().store.has(entry)
    file = tmp_path / "repo/d/3"
    file.chmod(0o644)
    file.write_text("9\n9\n")
    assert not room.again().store.has(entry)


def test_a_damaged_object_that_is_met_makes_all_be_asked_again(tmp_path: Path) -> None:
    room, entry = unnoted(tmp_path)
    assert room.again().store.has(entry)
    damaged = object_of(room, 3)
    damaged.chmod(0o644)
    damaged.write_text("x\n")
    (tmp_path / "repo/d").rename(tmp_path / "away")
    with pytest.raises(CorruptObject):
        room.again().checkout("d", entry)
    assert not room.again().store.has(entry)


@pytest.mark.usefixtures("noting")
def test_what_a_commit_has_put_there_is_not_asked_for(tmp_path: Path, asked: list[str]) -> None:
    room, entry = made(tmp_path)
    asked.clear()
    assert room.again().store.has(entry)
    assert not asked
    object_of(room, 3).unlink()
    assert not room.again().store.has(entry)


@pytest.mark.usefixtures("noting")
def test_what_another_process_takes_away_during_a_commit_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_tree = objects.Objects.put_tree

    def put_and_lose(self: objects.Objects, data: bytes, algo: Algo) -> Oid:
        next(Path(self.folder(algo)).glob("*/*")).unlink()
        return put_tree(self, data, algo)

    monkeypatch.setattr(objects.Objects, "put_tree", put_and_lose)
    room, entry = made(tmp_path)
    assert not room.again().store.has(entry)


@pytest.mark.usefixtures("noting")
def test_a_small_directory_in_a_large_cache_is_not_looked_for_by_listing_it(
    tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wholes, "_CROWD", 0)
    room, entry = made(tmp_path)
    asked.clear()
    assert room.again().store.has(entry)
    assert len(asked) == FILES


@pytest.mark.usefixtures("noting")
def test_a_directory_recorded_with_another_size_is_not_what_was_put_there(tmp_path: Path) -> None:
    room, entry = made(tmp_path)
    assert entry.size is not None
    assert not room.again().store.has(entry._replace(size=entry.size + 1))

"""Look: what it says after every kind of change, and how much it reads to say it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from redoit.errors import StoreError
from redoit.model import Algo, Content, Entry, Oid, RepoPath
from redoit.store.digests import SMALL
from redoit.store.scan import is_racy
from tests.unit.store_room import Room, opened

BIG = b"0123456789abcdef" * (SMALL // 8)
P = RepoPath


@pytest.fixture(params=["md5", "xxh128"])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Room:
    return Room(tmp_path / "p", algo=request.param)


def recorded(room: Room, path: str) -> Entry:
    content = room.content(path)
    assert content is not None
    return content.entry(path)


# --- files ----------------------------------------------------------------------------------------

Change = Callable[[Room], object]


def edit(room: Room) -> None:
    room.write("f", b"other" + room.root.joinpath("f").read_bytes()[5:])


def touch(room: Room) -> None:
    os.utime(room.root / "f", ns=(10**18, 10**18 + 5))


def swap(room: Room) -> None:
    data = room.root.joinpath("f").read_bytes()
    room.root.joinpath("f").rename(room.root / "old")
    room.write("f", data)


def to_link(room: Room) -> None:
    room.root.joinpath("f").rename(room.root / "g")
    room.root.joinpath("f").symlink_to("g")


def to_folder(room: Room) -> None:
    room.root.joinpath("f").unlink()
    room.root.joinpath("f").mkdir()


def to_broken_link(room: Room) -> None:
    room.root.joinpath("f").unlink()
    room.root.joinpath("f").symlink_to("nowhere")


@pytest.mark.parametrize("data", [b"small\n", BIG], ids=["small", "big"])
@pytest.mark.parametrize(
    ("change", "matches", "exists", "read"),
    [
        (lambda room: None, True, True, False),
        (lambda room: os.chmod(room.root / "f", 0o755), True, True, False),
        (lambda room: os.link(room.root / "f", room.root / "g"), True, True, False),
        (touch, True, True, True),
        (swap, True, True, True),
        (to_link, True, True, False),
        (edit, False, True, True),
        (lambda room: room.write("f", b"shorter"), False, True, True),
        (lambda room: room.root.joinpath("f").unlink(), False, False, False),
        (to_folder, False, True, False),
        (to_broken_link, False, True, False),
    ],
)
def test_a_file(
    room: Room, data: bytes, change: Change, matches: bool, exists: bool, read: bool
) -> None:
    room.write("f", data)
    entry = recorded(room, "f")
    room.again()
    change(room)
    with opened(room.root) as files:
        assert room.matches("f", entry) is matches
        assert room.matches("f", entry) is matches  # the second question costs nothing
        assert room.look.exists(P("f")) is exists
    assert files == (["f"] if read else [])
    again = room.content("f")
    assert (again is not None and again.oid == entry.oid) is matches
    # What was found out is known to the next run.
    room.again()
    with opened(room.root) as files:
        assert room.matches("f", entry) is matches
        assert room.content("f") == again
    assert files == []


def test_md5_is_had_from_the_fingerprint(tmp_path: Path) -> None:
    """Big known content under a new stamp or name is read once, and never by md5."""
    room = Room(tmp_path)
    room.write("f", BIG)
    entry = recorded(room, "f")
    room.again()
    touch(room)
    room.write("copy", BIG)
    with opened(room.root) as files:
        assert room.matches("f", entry)
        assert room.matches("copy", entry)
    assert files == ["f", "copy"]
    row = room.state.file(P("f"))
    assert row is not None
    assert row.digests.md5 == entry.oid
    edit(room)
    with opened(room.root) as files:
        assert not room.matches("f", entry)
    assert files == ["f"]


@pytest.mark.parametrize("algo", list(Algo))
@pytest.mark.parametrize("data", [b"a\r\nb\n", BIG + b"\r\n"], ids=["small", "big"])
def test_an_entry_of_another_digest(room: Room, algo: Algo, data: bytes) -> None:
    """No stage runs anew because the kind of digest has changed."""
    room.write("f", data)
    content = room.look.content_by(P("f"), algo)
    assert content is not None
    assert content.algo is algo
    assert room.matches("f", content)
    other = Entry("f", Oid("0" * 32), algo)
    assert not room.matches("f", other)
    room.again()
    with opened(room.root) as files:
        assert room.matches("f", content)
    assert files == []


def test_dvc_2_took_no_notice_of_carriage_returns(room: Room) -> None:
    room.write("f", b"a\nb\n")
    old = room.look.content_by(P("f"), Algo.MD5_DOS2UNIX)
    assert old is not None
    room.write("f", b"a\r\nb\r\n")
    assert room.matches("f", old)


def test_an_entry_without_oid_matches_nothing(room: Room) -> None:
    room.write("f", b"x")
    assert not room.matches("f", Entry("f", None))
    assert room.content("missing") is None
    assert room.content("f/inside a file") is None
    assert not room.look.exists(P("f/inside a file"))


def test_executable_bits(room: Room) -> None:
    room.write("f", b"x")
    os.chmod(room.root / "f", 0o654)
    content = room.content("f")
    assert content is not None
    assert content.isexec
    os.chmod(room.root / "f", 0o644)
    room.again()
    assert room.matches("f", content)


def test_outside_of_the_project(room: Room, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("x")
    content = room.content(str(outside))
    assert content is not None
    assert content.size == 1
    assert room.matches(str(outside), content)


# --- stamps that cannot be trusted ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "racy"),
    [(0, True), (9_000_000, True), (11_000_000, False), (-(10**12), True), (3 * 10**9, False)],
)
def test_is_racy(age: int, racy: bool) -> None:
    now = 10**18 + 123_456_789
    assert is_racy(now - age, now) is racy


@pytest.mark.parametrize(("age", "racy"), [(10**9, True), (3 * 10**9, False)])
def test_whole_seconds_are_trusted_later(age: int, racy: bool) -> None:
    assert is_racy(10**18, 10**18 + age) is racy


def test_a_file_that_changes_within_one_tick_is_noticed(room: Room) -> None:
    """Same size, same mtime, same inode: only reading it again can tell."""
    file = room.write("f", b"one", old=False)
    now = file.stat().st_mtime_ns + 10**15  # in the future: never to be trusted
    os.utime(file, ns=(now, now))
    room.look.forget(P("f"))
    entry = recorded(room, "f")
    room.again()
    file.write_bytes(b"two")
    os.utime(file, ns=(now, now))
    assert not room.matches("f", entry)


def test_a_file_in_a_directory_that_changes_within_one_tick(room: Room) -> None:
    file = room.write("d/f", b"one")
    room.write("d/g", b"same")
    future = file.stat().st_mtime_ns + 10**18
    os.utime(file, ns=(future, future))
    entry = recorded(room, "d")
    room.again()
    file.write_bytes(b"two")
    os.utime(file, ns=(future, future))
    with opened(room.root) as files:
        assert not room.matches("d", entry)
    assert files == ["d/f"]


# --- directories ----------------------------------------------------------------------------------


@pytest.fixture
def folder(room: Room) -> Room:
    room.write("d/a", b"a")
    room.write("d/sub/b", b"bb")
    room.write("d/sub/big", BIG)
    room.write("d/empty")
    (room.root / "d" / "hollow").mkdir()
    return room


def test_a_directory(folder: Room) -> None:
    content = folder.content("d")
    assert content is not None
    assert content.oid.endswith(".dir")
    assert (content.size, content.nfiles, content.isexec) == (3 + len(BIG), 4, False)


@pytest.mark.parametrize(
    ("change", "matches", "read"),
    [
        (lambda room: None, True, []),
        (lambda room: (room.root / "d" / "hollow").rmdir(), True, []),
        (lambda room: (room.root / "d" / "more").mkdir(), True, []),
        (lambda room: os.utime(room.root / "d" / "a", ns=(1, 5)), True, ["d/a"]),
        (lambda room: room.write("d/a", b"c"), False, ["d/a"]),
        (lambda room: room.write("d/new", b"n"), False, ["d/new"]),
        (lambda room: (room.root / "d" / "a").unlink(), False, []),
        (lambda room: (room.root / "d" / "a").rename(room.root / "d" / "z"), False, ["d/z"]),
        (lambda room: room.write(".dvcignore", "d/a\n"), False, [".dvcignore"]),
        (lambda room: room.write("d/.git", "x"), True, []),
        (lambda room: (room.root / "d" / "l").symlink_to("a"), False, ["d/l"]),
        (lambda room: (room.root / "d" / "l").symlink_to("sub"), True, []),
    ],
)
def test_changes_in_a_directory(
    folder: Room, change: Change, matches: bool, read: list[str]
) -> None:
    entry = recorded(folder, "d")
    folder.again()
    change(folder)
    with opened(folder.root) as files:
        assert folder.matches("d", entry) is matches
        assert folder.matches("d", entry) is matches
    assert sorted(set(files)) == read
    folder.again()
    with opened(folder.root) as files:
        assert folder.matches("d", entry) is matches
    assert [file for file in files if file != ".dvcignore"] == []


def test_a_link_to_a_directory_counts_as_the_directory(folder: Room) -> None:
    (folder.root / "l").symlink_to("d")
    assert folder.matches("l", recorded(folder, "d"))


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda d: (d / "l").symlink_to("nowhere"), "a broken symlink"),
        (lambda d: os.mkfifo(d / "pipe"), "neither a file nor a directory"),
        (lambda d: (d / "sub" / ".dvcignore").write_text("x\n"), ".dvcignore file lies inside"),
    ],
)
def test_directories_that_cannot_be_data(
    folder: Room, spoil: Callable[[Path], object], what: str
) -> None:
    spoil(folder.root / "d")
    with pytest.raises(StoreError, match=what):
        folder.content("d")
    folder.look.prefetch([P("d")], {P("d"): Entry("d", Oid("0" * 32 + ".dir"))})


def test_ignored_files_do_not_even_have_to_be_files(folder: Room) -> None:
    folder.write(".dvcignore", "pipe\n")
    os.mkfifo(folder.root / "d" / "pipe")
    assert folder.content("d") is not None


# --- once per run ---------------------------------------------------------------------------------


def test_one_run_sees_one_state(room: Room) -> None:
    file = room.write("d/f", b"one")
    one, folder = recorded(room, "d/f"), recorded(room, "d")
    file.write_bytes(b"three")
    assert room.matches("d/f", one)  # nobody said that it was written
    room.look.forget(P("d/f"))
    assert not room.matches("d/f", one)
    assert not room.matches("d", folder)


@pytest.mark.parametrize("written", ["d", "d/sub", "d/sub/f", "d/sub/f/x"])
def test_what_a_write_makes_old(room: Room, written: str) -> None:
    room.write("d/sub/f", b"one")
    room.write("d/other", b"same")
    before = {path: room.content(path) for path in ("d", "d/sub", "d/sub/f")}
    for path in before:
        assert room.matches(path, before[path] or Content(Oid(""), Algo.MD5, 0))
    (room.root / "d" / "sub" / "f").write_bytes(b"three")
    room.look.forget(P(written))
    assert all(room.content(path) != content for path, content in before.items())


def test_the_whole_project_is_a_directory_too(room: Room) -> None:
    file = room.write("d/f", b"one")
    before, inner = room.content(""), room.content("d/f")
    file.write_bytes(b"three")
    room.look.forget(P("d/f"))
    assert room.content("") != before
    file.write_bytes(b"fourth")
    room.look.forget(P(""))
    assert room.content("d/f") not in (inner, before)


def test_a_neighbour_does_not_become_old(room: Room) -> None:
    file = room.write("data", b"one")
    content = recorded(room, "data")
    file.write_bytes(b"three")
    room.look.forget(P("data2/x"))
    room.look.forget(P("dat"))
    assert room.matches("data", content)


def test_prefetch_reads_what_will_be_asked(room: Room) -> None:
    paths = [P(f"f{i}") for i in range(6)] + [P("d"), P("missing"), P("unknown")]
    for i in range(6):
        room.write(f"f{i}", BIG * (i + 1))
    room.write("d/x", b"x")
    room.write("unknown", b"x")
    entries = {path: recorded(room, path) for path in paths[:7]}
    room = Room(room.root, algo=room.layout.algo.value)  # a run that knows nothing
    room.look.prefetch(paths, entries, jobs=3)
    with opened(room.root) as files:
        assert all(room.matches(path, entries[path]) for path in paths[:7])
        assert not room.look.exists(P("missing"))
    assert files == []
    with opened(room.root) as files:
        room.content("unknown")
    assert files == ["unknown"]

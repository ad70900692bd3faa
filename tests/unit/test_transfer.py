"""Transfers against a storage that keeps a log, without a network."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from redoit.model import Algo, Entry, Oid
from redoit.report.transfer import TransferLine, size_text
from redoit.store.moved import Wanted
from redoit.store.remotes import Remote
from redoit.store.storage import Stored
from redoit.store.transfer import download, present, upload
from redoit.trace.remote_runs import fetch_runs, push_runs
from redoit.trace.runcache import RunCache
from tests.unit.store_room import Room
from tests.unit.test_trace_runcache import STAGE, TRACE


class Log:
    """A Storage in memory that notes what it is asked; names in ``failing`` fail."""

    lists = True
    writable = True
    attempts = 1
    near = False

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.failing: set[str] = set()

    def list(self, folder: str) -> list[Stored]:
        self.asked.append(f"list {folder}")
        inside = [name for name in self.files if name.startswith(f"{folder}/")]
        return [Stored(name, len(self.files[name])) for name in inside]

    def size(self, name: str) -> int | None:
        self.asked.append(f"size {name}")
        return len(self.files[name]) if name in self.files else None

    def get(self, name: str, place: str) -> None:
        self.asked.append(f"get {name}")
        self._fail(name)
        if name not in self.files:
            raise FileNotFoundError(name)
        Path(place).write_bytes(self.files[name])

    def put(self, place: str, name: str) -> None:
        self.asked.append(f"put {name}")
        self._fail(name)
        self.files[name] = Path(place).read_bytes()

    def remove(self, name: str) -> None:
        self.files.pop(name, None)

    def finish(self) -> None: ...

    def _fail(self, name: str) -> None:
        if name in self.failing:
            raise ConnectionError("no: password=hidden at https://u:hidden@h/x?sig=hidden")


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path / "repo")


def committed(room: Room, path: str) -> Wanted:
    return Wanted(path, room.commit(path).entry(path))


def a_directory(room: Room, files: int) -> Wanted:
    for i in range(files):
        room.write(f"many/{i}", f"{i}\n")
    return committed(room, "many")


def test_a_remote_is_asked_by_folders(room: Room) -> None:
    wanted = a_directory(room, 2000)
    log = Log()
    remote = Remote("up", "up", log, secrets=("hidden",))
    moved = upload([wanted], remote, room.store.objects)
    assert moved.files == 2001
    questions = [line for line in log.asked if not line.startswith("put")]
    assert len(questions) <= 256
    assert log.asked[-1] == f"put files/md5/{wanted.entry.oid[:2]}/{wanted.entry.oid[2:]}"  # type: ignore[index]

    log.asked.clear()
    room.write("many/new", "new\n")
    again = committed(room, "many")
    assert upload([again], remote, room.store.objects).files == 2


def test_the_object_of_a_directory_waits_for_its_files(room: Room) -> None:
    wanted = a_directory(room, 3)
    log = Log()
    remote = Remote("up", "up", log, secrets=("hidden",))
    oid = room.content("many/1")
    assert oid
    bad = f"files/md5/{oid.oid[:2]}/{oid.oid[2:]}"
    log.failing.add(bad)
    moved = upload([wanted], remote, room.store.objects, jobs=1)
    assert [(f.path, "hidden" in f.why) for f in moved.failures] == [("many/1", False)]
    assert len(log.files) == 2
    assert not any(name.endswith(".dir") for name in log.files)
    log.failing.clear()
    assert upload([wanted], remote, room.store.objects).files == 2


def test_what_is_only_at_the_remote_need_not_be_here(room: Room) -> None:
    wanted = a_directory(room, 3)
    log = Log()
    remote = Remote("up", "up", log)
    upload([wanted], remote, room.store.objects)
    shutil.rmtree(room.layout.cache_dir)
    room.again()
    moved = upload([wanted], remote, room.store.objects)
    assert (moved.files, moved.missing, moved.failures) == (0, [], [])
    log.files.clear()
    assert upload([wanted], remote, room.store.objects).missing == ["many"]


def test_too_many_failures_end_it(room: Room) -> None:
    log = Log()
    remote = Remote("up", "up", log)
    wanted = []
    for i in range(50):
        oid = Oid(f"{i:032x}")
        log.failing.add(f"files/md5/{oid[:2]}/{oid[2:]}")
        wanted.append(Wanted(f"f{i}", Entry("", oid, Algo.MD5)))
    moved = download(wanted, remote, room.store.objects, jobs=1)
    assert len(moved.failures) == 50
    assert len([line for line in log.asked if line.startswith("get")]) == 8


@pytest.mark.parametrize("oid", ["../../etc/passwd", "A" * 32, "0" * 31, None, ""])
def test_what_is_no_digest_is_refused(room: Room, oid: str | None) -> None:
    log = Log()
    wanted = [Wanted("x", Entry("", None if oid is None else Oid(oid), Algo.MD5))]
    remote = Remote("up", "up", log)
    assert "is no digest" in download(wanted, remote, room.store.objects).failures[0].why
    assert "is no digest" in upload(wanted, remote, room.store.objects).failures[0].why
    assert log.asked == []


def test_few_objects_are_asked_for_one_by_one() -> None:
    log = Log()
    log.lists = False
    keys = [(Oid(f"aa{i:030x}"), Algo.MD5) for i in range(3)]
    log.files[f"files/md5/aa/{1:030x}"] = b""
    assert present(keys, Remote("up", "up", log)) == {keys[1]}
    assert {line.split()[0] for line in log.asked} == {"size"}


def test_an_entry_of_the_run_cache_under_another_name_is_refused(room: Room) -> None:
    runs = RunCache(room.layout)
    file = room.root / "entry"
    file.write_text("cmd: rm -rf /\nouts:\n- path: x\n  hash: md5\n  md5: " + "0" * 32 + "\n")
    assert not runs.adopt(str(file), f"runs/ab/ab{'0' * 62}/{'0' * 64}")
    file.write_text("- no\n")
    assert not runs.adopt(str(file), f"runs/ab/ab{'0' * 62}/{'0' * 64}")
    assert runs.entries() == {}


class Seen:
    """A Meter that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int, int | None]] = []
        self.files = 0

    def begin(self, verb: str, files: int, size: int | None) -> None:
        self.told.append((verb, files, size))

    def moved(self, size: int) -> None:
        self.files += 1

    def ended(self) -> None: ...


def test_the_run_cache_goes_on_after_a_failure(room: Room, tmp_path: Path) -> None:
    """In both directions: the others travel, what failed is named, and the same again completes it."""
    runs = RunCache(room.layout)
    for lr in range(3):
        runs.save(STAGE, TRACE._replace(params={"params.yaml": {"lr": lr + 1}}))
    names = sorted(runs.entries())
    sizes = {name: Path(path).stat().st_size for name, path in runs.entries().items()}
    log, seen = Log(), Seen()
    remote = Remote("up", "up", log)
    log.failing = {names[0]}
    moved = push_runs(runs, remote, 1, seen)
    assert (moved.files, [each.path for each in moved.failures]) == (2, [names[0]])
    assert (seen.told, seen.files) == ([("send", 3, sum(sizes.values()))], 2)
    log.failing = set()
    assert push_runs(runs, remote, 1).files == 1
    assert push_runs(runs, remote, 1).files == 0

    other = Room(tmp_path / "other")
    theirs = RunCache(other.layout)
    log.failing = {names[1]}
    log.files[names[2]] += b"# another text of the same entry\n"
    log.files["runs/ab/ab" + "0" * 62 + "/" + "0" * 64] = b"cmd: evil\n"
    seen, warnings = Seen(), list[str]()
    moved = fetch_runs(theirs, remote, other.store.objects, 1, warnings, seen)
    assert (moved.files, [each.path for each in moved.failures]) == (2, [names[1]])
    assert seen.told[0][:2] == ("get", 4)
    assert warnings == ["1 entries of the run cache are not what their names say: left out"]
    log.failing = set()
    assert fetch_runs(theirs, remote, other.store.objects, 1, []).files == 1
    assert sorted(theirs.entries()) == names


def test_the_line() -> None:
    class Terminal:
        def __init__(self) -> None:
            self.text = ""

        def write(self, text: str) -> None:
            self.text += text

        def flush(self) -> None: ...
        def isatty(self) -> bool:
            return True

    now = [0.0]
    stream = Terminal()
    line = TransferLine(stream, clock=lambda: now[0])  # type: ignore[arg-type]
    line.begin("send", 4, 4_000_000)
    now[0] = 10.0
    line.moved(1_000_000)
    assert line.text() == "Sending 1 of 4 files, 1.0 MB of 4.0 MB, 100 kB/s, 30 s left"
    line.ended()
    assert stream.text.endswith("\r\x1b[K")
    assert [size_text(n) for n in (0, 999, 1500, 123_456_789)] == [
        "0 B",
        "999 B",
        "1.5 kB",
        "123 MB",
    ]


def test_how_much_is_to_move_is_known(room: Room, tmp_path: Path) -> None:
    """Of whole directories, as their record says; not of a part of one."""
    wanted = a_directory(room, 30)
    log, seen = Log(), Seen()
    remote = Remote("up", "up", log)
    upload([wanted], remote, room.store.objects, meter=seen)
    size = sum(len(f"{i}\n") for i in range(30))
    assert seen.told[0] == ("send", 30, size)
    for inside, told in ((None, ("get", 30, size)), ("7", ("get", 1, None))):
        seen = Seen()
        objects = Room(tmp_path / str(inside)).store.objects
        download([wanted._replace(inside=inside)], remote, objects, meter=seen)
        assert seen.told == [told]

"""A kill after any step of a commit or checkout: nothing lost, no object with a wrong name.

A forked child does the work and is killed when it is about to change the disk for the n-th time,
for n = 1, 2, …, until it gets through.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from redoit.model import RepoPath
from tests.unit.store_room import Room, files_below

_CHANGES = frozenset(
    f"os.{name}"
    for name in ("link", "rename", "remove", "mkdir", "rmdir", "chmod", "utime", "symlink")
)
_left: list[int] = []


def _count(event: str, args: tuple[object, ...]) -> None:
    if not _left:
        return
    writing = event == "open" and isinstance(args[2], int) and args[2] & (os.O_RDWR | os.O_WRONLY)
    if writing or event in _CHANGES:
        _left[0] -= 1
        if _left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)


sys.addaudithook(_count)


def killed_at_every_step(
    make: Callable[[Path], Room], work: Callable[[Room], object], tmp_path: Path
) -> Iterator[Room]:
    """For every step of ``work``: a fresh project in which it was killed there, opened anew."""
    for step in range(1, 500):
        root = tmp_path / str(step)
        room = make(root)
        room.state.close()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                room = Room(root)
                _left.append(step)
                work(room)
                room.state.close()
                status = 0
            finally:
                os._exit(status)
        _, code = os.waitpid(child, 0)
        assert code in (0, signal.SIGKILL), code
        yield Room(root)
        shutil.rmtree(root)
        if code == 0:
            return
    raise AssertionError("the work takes more steps than were tried")


FILES = {"a": b"one", "sub/b": b"two" * 1000, "sub/c": b"", "twin": b"one"}
BIG = b"0123456789abcdef" * 70_000


def full(root: Path) -> Room:
    room = Room(root)
    for name, data in FILES.items():
        room.write(f"d/{name}", data, old=False)
    room.write("f", BIG, old=False)
    return room


@pytest.mark.parametrize("types", ["copy", "hardlink", "symlink"])
def test_commit(tmp_path: Path, types: str) -> None:
    def make(root: Path) -> Room:
        (root / ".dvc").mkdir(parents=True)
        (root / ".dvc" / "config").write_text(f"[cache]\ntype = {types}\n")
        return full(root)

    def work(room: Room) -> None:
        room.commit("f")
        room.commit("d")

    steps = 0
    for room in killed_at_every_step(make, work, tmp_path):
        steps += 1
        assert list(room.store.verify()) == []
        assert files_below(room.root / "d") == FILES
        assert (room.root / "f").read_bytes() == BIG
        # The next run commits what is there, and all is well.
        contents = room.commit("f"), room.commit("d")
        assert all(room.store.has(content.entry("")) for content in contents)
        assert list(room.store.verify()) == []
    assert steps > 10


@pytest.mark.parametrize(
    ("types", "fresh"), [("copy", True), ("copy", False), ("hardlink", False), ("symlink", False)]
)
def test_checkout(tmp_path: Path, types: str, fresh: bool) -> None:
    before = {"a": b"old", "sub/b": b"two" * 1000, "extra": b"extra"}

    def make(root: Path) -> Room:
        (root / ".dvc").mkdir(parents=True)
        (root / ".dvc" / "config").write_text(f"[cache]\ntype = {types}\n")
        room = full(root)
        work(room)
        for path in ("f", "d"):
            room.store.remove(RepoPath(path))
        if not fresh:
            for name, data in before.items():
                room.write(f"d/{name}", data)
            room.write("f", b"old")
        return room

    def work(room: Room) -> None:
        contents = room.commit("f"), room.commit("d")
        for path, content in zip(("f", "d"), contents, strict=True):
            recorded[path] = content

    def restore(room: Room) -> None:
        for path, content in recorded.items():
            room.checkout(path, content)

    recorded: dict[str, object] = {}
    steps = 0
    for room in killed_at_every_step(make, restore, tmp_path):  # type: ignore[arg-type]
        steps += 1
        assert list(room.store.verify()) == []
        # Every file is the old one, the new one, or not there: never a part.
        now = files_below(room.root / "d") if (room.root / "d").exists() else {}
        for name, data in now.items():
            assert data in (before.get(name), FILES.get(name))
        if (room.root / "f").exists():
            assert (room.root / "f").read_bytes() in (b"old", BIG)
        restore(room)
        assert files_below(room.root / "d") == FILES
        assert (room.root / "f").read_bytes() == BIG
        room.again()
        assert all(room.matches(path, content) for path, content in recorded.items())  # type: ignore[arg-type]
    assert steps > 5


def test_a_killed_writer_of_the_stat_cache(tmp_path: Path) -> None:
    def work(room: Room) -> None:
        room.commit("d")
        room.state.write()
        room.write("d/a", b"three", old=False)
        room.commit("d")
        room.commit("f")

    for room in killed_at_every_step(full, work, tmp_path):
        seen = {path: room.content(path) for path in ("d", "f")}
        room.state.close()
        shutil.rmtree(Path(room.layout.tmp))
        fresh = Room(room.root)
        assert seen == {path: fresh.content(path) for path in ("d", "f")}

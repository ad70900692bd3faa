"""Whatever happens to the workspace, memory and stat cache never change what is seen there."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from redoit.model import Content, RepoPath
from tests.unit.store_room import Room, files_below

PLACES = ["a", "d/a", "d/b", "d/sub/a", "d/sub/c", "e/a"]
LOOKS = ["a", "d", "d/a", "d/sub", "e"]
OUTS = ["a", "d", "e"]
DATA = [b"", b"one", b"two", b"three", b"x" * (1 << 17), b"y" * ((1 << 17) + 5), b"z" * (1 << 20)]

_steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sampled_from(PLACES), st.sampled_from(DATA)),
        st.tuples(st.just("remove"), st.sampled_from([*PLACES, "d", "d/sub", "e"]), st.none()),
        st.tuples(st.just("mkdir"), st.sampled_from(["d/hollow", "e", "d/sub"]), st.none()),
        st.tuples(st.just("touch"), st.sampled_from(PLACES), st.none()),
        st.tuples(st.just("link"), st.sampled_from(["d/a", "d/l", "a"]), st.none()),
        st.tuples(st.just("commit"), st.sampled_from(OUTS), st.booleans()),
        st.tuples(st.just("checkout"), st.sampled_from(OUTS), st.integers(0, 9)),
        st.tuples(st.just("unprotect"), st.sampled_from(OUTS), st.none()),
        st.tuples(st.just("look"), st.sampled_from(LOOKS), st.none()),
        st.tuples(st.just("again"), st.just(""), st.none()),
    ),
    max_size=25,
)


def act(room: Room, step: tuple[str, str, object], known: list[tuple[Content, object]]) -> None:
    """One step, as a stage or a user would do it."""
    kind, path, more = step
    place = room.root / path
    if kind == "write":
        assert isinstance(more, bytes)
        if place.parent.is_file() or place.is_dir():
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_symlink() or (place.exists() and place.stat().st_nlink > 1):
            place.unlink()  # writing into a linked object is a mistake of the user's
        place.write_bytes(more)
    elif kind == "remove":
        room.store.remove(RepoPath(path))
    elif kind == "mkdir":
        if not place.parent.is_file() and not place.is_file():
            place.mkdir(parents=True, exist_ok=True)
    elif kind == "touch":
        if place.is_file():
            os.utime(place)
    elif kind == "link":
        if place.parent.is_dir() and not place.exists() and (room.root / "e" / "a").is_file():
            place.symlink_to(room.root / "e" / "a")
    elif kind == "unprotect":
        room.store.unprotect(RepoPath(path))
    elif kind == "look":
        room.content(path)
    elif kind == "again":
        room.again()
    elif kind == "commit" and place.exists():
        before = snapshot(place)
        known.append((room.commit(path, cached=bool(more)), before))
        assert snapshot(place) == before
    elif kind == "checkout" and known:
        assert isinstance(more, int)
        content, data = known[more % len(known)]
        if room.store.has(content.entry(path)):
            room.checkout(path, content)
            assert snapshot(place) == data
            assert room.content(path) == content
    if kind in ("write", "mkdir", "touch", "link"):
        room.look.forget(RepoPath(path))


def snapshot(place: Path) -> object:
    """What a directory holds is its files: empty directories do not count."""
    return files_below(place) if place.is_dir() else place.read_bytes()


@settings(max_examples=80, deadline=None)
@given(
    _steps,
    st.sampled_from(["md5", "xxh128"]),
    st.sampled_from(["copy", "reflink,copy", "hardlink", "symlink"]),
)
def test_what_is_seen_is_what_is_there(
    steps: list[tuple[str, str, object]], algo: str, types: str
) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        room = Room(folder / "p", algo=algo, config=f"[cache]\ntype = {types}\n")
        known: list[tuple[Content, object]] = []
        for step in steps:
            act(room, step, known)
        seen = {path: room.content(path) for path in LOOKS}
        room.again()
        later = {path: room.content(path) for path in LOOKS}
        room.state.close()
        shutil.rmtree(room.layout.tmp, ignore_errors=True)
        fresh = Room(room.root, algo=algo, config=f"[cache]\ntype = {types}\n")
        truth = {path: fresh.content(path) for path in LOOKS}
        # Executable bits are not content.
        for found in (seen, later):
            assert {p: c and c._replace(isexec=False) for p, c in found.items()} == truth
        assert list(room.store.verify()) == []
        for content, _ in known:
            if room.store.has(content.entry("")):
                assert fresh.store.has(content.entry(""))
    finally:
        shutil.rmtree(folder)

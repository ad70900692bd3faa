"""What each small file of a directory costs, counted: calls of the operating system, and memory.

Counts have no noise. Who makes it cheaper lowers the limit; who must raise one says why. The sizes stay below those for
which several processes are started: those do the same for each file.
"""

from __future__ import annotations

import os
import shutil
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from redoit.model import Content, RepoPath
from redoit.store import digests, objects
from redoit.store.moved import Wanted
from redoit.store.remotes import Remote
from redoit.store.storage import FolderStorage
from redoit.store.transfer import download, upload
from tests.arch.counting import counted
from tests.unit.store_room import Room

SIZES = (100, 200)
MORE = SIZES[1] - SIZES[0]


class Site:
    """A directory ``d`` of so many files in a project, and a remote that is a folder."""

    def __init__(self, root: Path, files: int) -> None:
        self.room = Room(root / "repo", algo="xxh128")
        self.root = root
        for number in range(files):
            self.room.write(f"d/{number % 3}/file-{number:06}.json", f"content {number}\n")
        self.made = self.room.commit("d")

    def wanted(self) -> Wanted:
        return Wanted("d", self.made.entry("d"))

    def remote(self) -> Remote:
        return Remote("folder", "folder", FolderStorage(str(self.root / "remote")))

    def commit(self) -> Content:
        return self.room.commit("d")

    def check(self) -> None:
        assert self.room.matches("d", self.made)

    def checkout(self) -> None:
        self.room.checkout("d", self.made)

    def send(self) -> None:
        upload([self.wanted()], self.remote(), self.room.store.objects).check("sent")

    def get(self) -> None:
        download([self.wanted()], self.remote(), self.room.store.objects).check("got")


def _lose_cache(site: Site) -> None:
    site.room.again()  # writes what is to be forgotten
    cache = Path(site.room.layout.cache_dir)
    shutil.rmtree(cache)
    _make_folders(cache)
    shutil.rmtree(site.room.layout.tmp)


def _make_folders(top: Path) -> None:
    """All 256: else more of them are made for more files."""
    for number in range(256):
        (top / f"files/xxh128/{number:02x}").mkdir(parents=True)


def _lose_data(site: Site) -> None:
    site.room.store.remove(RepoPath("d"))
    site.room.again()


def _open_again(site: Site) -> None:
    _make_folders(site.root / "remote")
    site.room.again()


def _lose_cache_after_send(site: Site) -> None:
    site.send()
    _lose_cache(site)


CASES: dict[str, tuple[Callable[[Site], object], Callable[[Site], object]]] = {
    "commit": (_lose_cache, Site.commit),
    "check": (_open_again, Site.check),
    "checkout": (_lose_data, Site.checkout),
    "send": (_open_again, Site.send),
    "get": (_lose_cache_after_send, Site.get),
}


def calls(action: Callable[[], object]) -> Counter[str]:
    """Calls of the operating system while ``action`` is carried out, in all threads."""

    def names(_: object, event: str, what: Any) -> Iterator[str]:
        if event == "c_call":
            named = getattr(what, "__module__", None) == "posix" and what.__name__ != "fspath"
            if named:
                yield what.__name__

    return counted(action, names)


@pytest.mark.parametrize(
    ("case", "limit"),
    [
        # Read: open, pread, close; written: open, write, link, close; its stat in the listing.
        ("commit", 8.1),
        ("check", 1.1),
        # Open, open, pread, write, utime, stat, link, close, close; is it there: stat.
        ("checkout", 10.1),
        # Is it here: stat; open, pread, close; getpid, urandom, open, write, chmod, close, rename; folders are listed.
        ("send", 11.6),
        # As sent, and then digested: open, stat, pread, chmod, close, rename.
        ("get", 16.1),
    ],
)
def test_each_file_costs_few_calls(case: str, limit: float, tmp_path: Path) -> None:
    prepare, act = CASES[case]
    counts = []
    for size in SIZES:
        site = Site(tmp_path / str(size), size)
        prepare(site)
        counts.append(calls(lambda site=site: act(site)))  # type: ignore[misc]
    small, large = counts
    assert (large.total() - small.total()) / MORE <= limit, large - small


@pytest.mark.parametrize("case", CASES)
def test_each_file_takes_little_memory(case: str, tmp_path: Path) -> None:
    prepare, act = CASES[case]
    peaks = []
    for size in SIZES:
        site = Site(tmp_path / str(size), size)
        prepare(site)
        tracemalloc.start()
        act(site)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # 200,000 files stay below 300 MB with it, of which the interpreter takes 30.
    assert (peaks[1] - peaks[0]) / MORE <= 800


def test_one_more_file_is_all_that_is_read_and_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path, SIZES[0])
    site.send()
    site.room.again()
    read: list[str] = []
    for module, name in ((objects, "read_whole"), (objects, "open_file"), (digests, "open_file")):
        real = getattr(module, name)

        def noted(path: str, *others: int, real: Any = real) -> object:
            read.append(os.path.basename(path))
            return real(path, *others)

        monkeypatch.setattr(module, name, noted)
    site.room.write("d/1/new", "new\n")
    site.made = site.commit()
    assert set(read) == {"new"}
    moved = upload([site.wanted()], site.remote(), site.room.store.objects)
    assert moved.files == 2, "the file and the object of the directory"

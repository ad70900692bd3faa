"""The stat cache: what it remembers, and that nothing that happens to it is fatal."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from redoit.model import Algo, Fingerprint, Oid, RepoPath
from redoit.project import Layout
from redoit.store import StatCache
from redoit.store.digests import Digests
from redoit.store.scan import UNKNOWN
from redoit.store.statcache import DirRow, FileRow, TreeRow

FP, MD5, D2U = Fingerprint("1" * 32), Oid("2" * 32), Oid("3" * 32)
FILE = FileRow((12, 34, 56), Digests(FP, MD5))
DIR = DirRow("4" * 32, 34, 2, 56, Digests(None, Oid("5" * 32 + ".dir")))
TREE = TreeRow(["a", "b/ü"], [(1, 2, 3), UNKNOWN], [Digests(FP, MD5), Digests(FP, None, D2U)])
A, B, D = RepoPath("a ü"), RepoPath("b"), RepoPath("d")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(str(tmp_path))


def database(layout: Layout) -> Path:
    return Path(layout.tmp) / "stat.db"


def filled(layout: Layout) -> StatCache:
    state = StatCache(layout)
    state.put_file(A, FILE)
    state.put_dir(D, DIR, TREE)
    state.learn(Digests(FP, MD5))
    return state


def test_asking_makes_nothing(layout: Layout) -> None:
    state = StatCache(layout)
    assert state.file(A) is None
    assert state.dir(D) is None
    assert state.tree(D) is None
    assert state.known(FP) is None
    assert state.fingerprint_of(MD5, Algo.MD5) is None
    state.close()
    assert not os.path.exists(layout.dvc_dir)


@pytest.mark.parametrize("written", [False, True])
def test_what_was_put_is_known(layout: Layout, written: bool) -> None:
    state = filled(layout)
    if written:
        state.close()
        state = StatCache(layout)
    assert state.file(A) == FILE
    assert state.dir(D) == DIR
    assert state.tree(D) == TREE
    assert state.known(FP) == (FP, MD5, None)
    assert state.fingerprint_of(MD5, Algo.MD5) == FP
    assert state.fingerprint_of(Oid(FP), Algo.XXH128) == FP
    assert state.fingerprint_of(D2U, Algo.MD5_DOS2UNIX) is None


def test_digests_of_the_same_content_are_gathered(layout: Layout) -> None:
    state = filled(layout)
    state.close()
    state.learn(Digests(FP, None, D2U))
    state.close()
    state = StatCache(layout)
    assert state.known(FP) == (FP, MD5, D2U)
    assert state.fingerprint_of(D2U, Algo.MD5_DOS2UNIX) == FP


def test_forgetting(layout: Layout) -> None:
    state = filled(layout)
    state.close()
    state = StatCache(layout)
    state.forget(A)
    state.forget(D)
    assert state.file(A) is None
    assert state.tree(D) is None or state.dir(D) is None
    state.close()
    state = StatCache(layout)
    assert state.file(A) is None
    assert state.dir(D) is None
    assert state.tree(D) is None


def test_a_directory_with_untrusted_stamps_keeps_the_others(layout: Layout) -> None:
    state = filled(layout)
    state.close()
    state.put_dir(D, None, TREE)
    state.close()
    state = StatCache(layout)
    assert state.dir(D) is None
    assert state.tree(D) == TREE


def test_a_name_that_is_no_text_is_left_out(layout: Layout) -> None:
    state = StatCache(layout)
    state.put_file(RepoPath("\udcff"), FILE)
    state.put_file(A, FILE)
    tree = TreeRow(["\udcff"], [(1, 2, 3)], [Digests(FP, MD5)])
    state.put_dir(D, DIR, tree)
    state.close()
    state = StatCache(layout)
    assert state.file(RepoPath("\udcff")) is None
    assert state.file(A) == FILE
    assert state.tree(D) == tree


def test_an_empty_directory(layout: Layout) -> None:
    state = StatCache(layout)
    state.put_dir(D, DIR, TreeRow([], [], []))
    state.close()
    assert StatCache(layout).tree(D) == TreeRow([], [], [])


@pytest.mark.parametrize("kind", ["noise", "empty", "cut", "version", "foreign", "folder"])
def test_a_database_that_cannot_be_used(layout: Layout, kind: str) -> None:
    filled(layout).close()
    path = database(layout)
    if kind == "noise":
        path.write_bytes(os.urandom(8192))
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    elif kind == "folder":
        path.unlink()
        path.mkdir()
    else:
        path.unlink()
        db = sqlite3.connect(path)
        if kind == "version":
            db.execute("PRAGMA user_version = 99")
        else:
            db.execute("CREATE TABLE someone (elses TEXT)")
        db.commit()
        db.close()
    state = StatCache(layout)
    assert state.file(A) is None
    assert state.tree(D) is None
    state.put_file(A, FILE)
    state.close()
    assert StatCache(layout).file(A) == (None if kind == "folder" else FILE)


def test_a_row_that_makes_no_sense(layout: Layout) -> None:
    filled(layout).close()
    db = sqlite3.connect(database(layout))
    db.execute("UPDATE trees SET md5s = 'short'")
    db.commit()
    db.close()
    assert StatCache(layout).tree(D) is None


def test_a_full_or_busy_database_is_done_without(layout: Layout) -> None:
    filled(layout).close()
    other = sqlite3.connect(database(layout), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    state = StatCache(layout)
    assert state.file(A) == FILE  # readers do not wait for a writer
    other.execute("ROLLBACK")
    other.close()


@pytest.mark.parametrize("question", range(2))
def test_another_process_makes_it_at_the_same_moment(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, question: int
) -> None:
    class Meanwhile(sqlite3.Connection):
        asked = 0

        def execute(self, *args: Any) -> sqlite3.Cursor:
            if Meanwhile.asked == question:
                with monkeypatch.context() as patch:
                    patch.setattr(sqlite3, "connect", connect)
                    filled(layout).close()
            Meanwhile.asked += 1
            return super().execute(*args)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", partial(connect, factory=Meanwhile))
    state = StatCache(layout)
    state.put_file(B, FILE)
    state.close()
    monkeypatch.setattr(sqlite3, "connect", connect)
    assert Meanwhile.asked > question
    found = StatCache(layout)
    assert (found.file(A), found.file(B)) == (FILE, FILE)


def test_two_processes_share_it(layout: Layout) -> None:
    code = (
        "import sys; from tests.unit.test_store_statcache import *;"
        "layout = Layout(sys.argv[1]); state = StatCache(layout); state.file(A);"
        "[state.put_file(RepoPath(f'{sys.argv[2]}{i}'), FILE) for i in range(50)]; state.close()"
    )
    root = Path(__file__).parents[2]
    many = [
        subprocess.Popen([sys.executable, "-c", code, layout.root, name], cwd=root)
        for name in "abcd"
    ]
    assert [one.wait() for one in many] == [0, 0, 0, 0]
    state = StatCache(layout)
    assert all(state.file(RepoPath(f"{name}{i}")) == FILE for name in "abcd" for i in range(50))


def test_threads_share_it(layout: Layout) -> None:
    state = StatCache(layout)

    def work(name: str) -> None:
        for i in range(200):
            state.put_file(RepoPath(f"{name}{i}"), FILE)
            state.put_dir(RepoPath(f"{name}{i}"), DIR, TREE)
            assert state.tree(RepoPath(f"{name}{i}")) == TREE
            state.learn(Digests(Fingerprint(f"{name}{i}"), MD5))
            assert state.known(Fingerprint(f"{name}{i}")) is not None
            if i % 50 == 0:
                state.write()

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    state.close()
    state = StatCache(layout)
    assert all(state.file(RepoPath(f"{name}{i}")) == FILE for name in "abcd" for i in range(200))


def test_after_a_power_cut_what_was_just_written_is_doubted(layout: Layout) -> None:
    state = StatCache(layout)
    db_time = 10**18
    old, new = (
        FileRow((1, 2, db_time - 10**12), FILE.digests),
        FileRow((1, 2, db_time), FILE.digests),
    )
    state.put_file(RepoPath("old"), old)
    state.put_file(RepoPath("new"), new)
    state.put_dir(RepoPath("olddir"), DIR._replace(newest=db_time - 10**12), TREE)
    state.put_dir(RepoPath("newdir"), DIR._replace(newest=db_time), TREE)
    state.close()
    db = sqlite3.connect(database(layout))
    db.execute("UPDATE session SET boot = 'another', written = ?", (db_time,))
    db.commit()
    db.close()
    for _ in range(2):
        state = StatCache(layout)
        assert state.file(RepoPath("old")) == old
        assert state.file(RepoPath("new")) is None
        assert state.dir(RepoPath("olddir")) is not None
        assert state.dir(RepoPath("newdir")) is None
        assert state.tree(RepoPath("olddir")) is None
        state.put_file(A, FILE)
        state.close()

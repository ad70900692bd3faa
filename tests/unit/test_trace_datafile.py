"""Rewriting ``.dvc`` files, and whole projects from one digest to the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from redoit.errors import TraceError
from redoit.model import Address, Algo, Entry, Oid, RepoPath, Stage, Trace
from redoit.project import Layout
from redoit.trace import Traces, migrate_traces, write_data_file

OLD, NEW = Oid("a" * 32), Oid("b" * 32)
DIR, NEW_DIR = Oid("c" * 32 + ".dir"), Oid("1" * 32 + ".dir")
NUMBER = Oid("1" * 32)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / ".dvc").mkdir()
    return Layout(str(tmp_path))


def put(layout: Layout, text: str, *outs: Entry) -> str | None:
    """The file after the outs were written to it; None if nothing was written."""
    file = Path(layout.root, "d.dvc")
    file.write_text(text)
    stage = Stage(Address("d.dvc"), "d.dvc", RepoPath("d.dvc"), RepoPath(""), None)
    before = file.stat().st_ino
    changed = write_data_file(layout, stage, Trace(None, outs=outs))
    assert changed == (file.stat().st_ino != before)
    return file.read_text() if changed else None


FILE = Entry("d", NEW, size=5)


@pytest.mark.parametrize(
    ("text", "entry", "expected"),
    [
        (
            f"outs:\n- md5: {OLD}\n  size: 4\n  hash: md5\n  path: d\n",
            FILE,
            f"outs:\n- md5: {NEW}\n  size: 5\n  hash: md5\n  path: d\n",
        ),
        (
            f"# top\nouts:\n# in\n- md5: {OLD}\n  path: d # name\n  desc: hello\n  # end\nmeta: {{a: 1}}\n",
            FILE,
            f"# top\nouts:\n# in\n- md5: {NEW}\n  path: d # name\n  desc: hello\n  # end\n"
            "  size: 5\n  hash: md5\nmeta: {a: 1}\n",
        ),
        (
            f"wdir: .\nouts:\n- md5: {DIR}\n  size: 3\n  nfiles: 1\n  path: d\n",
            FILE,
            f"outs:\n- md5: {NEW}\n  size: 5\n  path: d\n  hash: md5\n",
        ),
        (
            f"outs:\n- md5: {OLD}\n  size: 5\n  hash: md5\n  path: d\n",
            Entry("d", NEW_DIR, size=6, nfiles=2),
            f"outs:\n- md5: {NEW_DIR}\n  size: 6\n  hash: md5\n  path: d\n  nfiles: 2\n",
        ),
        (
            f"outs:\n- md5: {OLD}\n  size: 5\n  hash: md5\n  path: ./d\n  cache: false\n",
            Entry("d", NEW, size=5, isexec=True),
            f"outs:\n- md5: {NEW}\n  size: 5\n  hash: md5\n  path: ./d\n  cache: false\n  isexec: true\n",
        ),
        (
            f"outs:\n- md5: {OLD}\n  size: 5\n  hash: md5\n  path: d\n",
            Entry("d", NUMBER, size=5),
            f"outs:\n- md5: '{NUMBER}'\n  size: 5\n  hash: md5\n  path: d\n",
        ),
        (
            f"outs:\n- md5: {OLD}\n  size: 5\n  hash: md5\n  path: d\n",
            Entry("d", NEW, Algo.XXH128, 5),
            f"outs:\n- xxh128: {NEW}\n  size: 5\n  hash: xxh128\n  path: d\n",
        ),
        (f"outs:\n- md5: {NEW}\n  size: 5\n  hash: md5\n  path: d\n", FILE, None),
        (f"outs: [{{md5: {NEW},   size: 5, hash: md5, path: d}}]  # mine\n", FILE, None),
    ],
    ids=[
        "plain",
        "comments",
        "was a folder",
        "now a folder",
        "exec",
        "number",
        "xxh128",
        "same",
        "same, flow",
    ],
)
def test_only_what_changed_is_written(
    layout: Layout, text: str, entry: Entry, expected: str | None
) -> None:
    assert put(layout, text, entry) == expected


def test_an_import_gets_its_checksum_anew(layout: Layout) -> None:
    text = f"md5: {OLD}\nfrozen: true\ndeps:\n- md5: {OLD}\n  path: s\n  hash: md5\nouts:\n- md5: {OLD}\n  hash: md5\n  path: d\n"
    new = put(layout, text, FILE)
    assert new is not None
    assert new.splitlines()[0] not in (f"md5: {OLD}", f"md5: {NEW}")
    assert f"- md5: {OLD}\n  path: s\n" in new


@pytest.mark.parametrize("text", ["", "- a\n", "outs: [1]\n", "outs:\n- md5: [\n", "\0"])
def test_a_file_that_is_none_is_an_error(layout: Layout, text: str) -> None:
    with pytest.raises(TraceError, match=r"d\.dvc cannot be rewritten"):
        put(layout, text, FILE)


LOCK = f"""\
schema: '2.0'
stages:
  a:
    cmd: "echo   'hash: md5'"   # kept
    deps:
    - path: x
      md5: {OLD}
      size: 1
    params:
      params.yaml:
        md5: {OLD[:-1]}
    outs:
    - path: y
      hash: md5
      md5: {DIR}
      size: 2
      nfiles: 1
    - path: z
      hash: md5
      md5: '{NUMBER}'
      size: 2
"""


def test_migrate_to_xxh128_and_back(layout: Layout) -> None:
    Path(layout.root, "dvc.lock").write_text(LOCK)
    data = f"outs:\n- md5: {DIR}  # data\n  size: 2\n  nfiles: 1\n  path: d\n"
    Path(layout.root, "d.dvc").write_text(data)
    mapping = {OLD: NEW, DIR: NEW_DIR}
    arguments = ([RepoPath("dvc.yaml"), RepoPath("no/dvc.yaml")], [RepoPath("d.dvc")])
    changed = migrate_traces(layout, *arguments, mapping, Algo.XXH128)
    assert changed == ["dvc.lock", "d.dvc"]
    assert Path(layout.root, "dvc.lock").read_text() == LOCK.replace(
        f"      md5: {OLD}\n", f"      hash: xxh128\n      xxh128: {NEW}\n"
    ).replace(f"hash: md5\n      md5: {DIR}", f"hash: xxh128\n      xxh128: {NEW_DIR}")
    assert f"- xxh128: {NEW_DIR} # data\n" in Path(layout.root, "d.dvc").read_text()
    assert "hash: xxh128" in Path(layout.root, "d.dvc").read_text()
    back = {new: old for old, new in mapping.items()}
    assert migrate_traces(layout, *arguments, back, Algo.MD5) == changed
    assert Path(layout.root, "dvc.lock").read_text() == LOCK.replace(
        f"      md5: {OLD}\n", f"      hash: md5\n      md5: {OLD}\n"
    )
    assert "hash: md5" in Path(layout.root, "d.dvc").read_text()
    assert migrate_traces(layout, *arguments, {}, Algo.MD5) == []


def test_migrate_folds_in_what_a_killed_run_left(layout: Layout) -> None:
    stage = Stage(Address("a"), "a", RepoPath("dvc.yaml"), RepoPath(""), "x")
    Traces(layout, [stage.file]).record(stage, Trace("x", outs=(Entry("o", OLD, size=1),)))
    migrate_traces(layout, [stage.file], [], {OLD: NEW}, Algo.XXH128)
    trace = Traces(layout, [stage.file]).get(stage.address)
    assert trace is not None
    assert trace.outs == (Entry("o", NEW, Algo.XXH128, 1),)

"""What DVC records of versions in a cloud: read as the data that it is, and kept when these stay the same.

The files are what DVC 3.67.1 wrote when it pushed to a remote with ``version_aware = true``.
"""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from redoit.model import Entry, Oid, RepoPath, Trace
from redoit.project import Layout
from redoit.spec.datafile import make_source
from redoit.trace.datafile import write_data_file
from redoit.trace.lockfile import Recorded, change, read_text
from redoit.trace.record import decode, encode

ONE = Oid("5bbf5a52328e7439ae6e719dfe712200")
OTHER = Oid("febe6995bad457991331348f7b9c85fa")
FILE = """\
outs:
- md5: 5bbf5a52328e7439ae6e719dfe712200
  size: 4
  hash: md5
  path: one
  cloud:
    ver:
      etag: 5bbf5a52328e7439ae6e719dfe712200
      version_id: 671be7d2-aad1-4511-a676-eee6d34a0876
"""
FOLDER = """\
outs:
- hash: md5
  path: two
  files:
  - relpath: a
    md5: 60b725f10c9c85c70d97880dfe8191b3
    size: 2
    cloud:
      ver:
        etag: 60b725f10c9c85c70d97880dfe8191b3
        version_id: 08c4fa5e-3431-45fb-ad64-28406bcc9720
  - relpath: sub/b
    md5: 3b5d5c3712955042212316173ccf37be
    size: 2
    cloud:
      ver:
        etag: 3b5d5c3712955042212316173ccf37be
        version_id: d8af908f-26d4-4af2-b6f7-042c31b2e9e9
"""
TWO = Oid("8b3662b0d460701f7734cdf533c5aa85.dir")
"""The oid that DVC gave the same directory before it was pushed."""
LOCK = """\
schema: '2.0'
stages:
  s:
    cmd: make
    deps:
    - path: one
      hash: md5
      md5: 5bbf5a52328e7439ae6e719dfe712200
      size: 4
    outs:
    - path: out
      hash: md5
      md5: 5bbf5a52328e7439ae6e719dfe712200
      size: 4
      cloud:
        ver:
          etag: 5bbf5a52328e7439ae6e719dfe712200
          version_id: 0fa99c1f-498d-485e-821c-ad6c2bb4a646
    - path: outd
      hash: md5
      files:
      - relpath: x
        md5: 5bbf5a52328e7439ae6e719dfe712200
        size: 4
        cloud:
          ver:
            etag: 5bbf5a52328e7439ae6e719dfe712200
            version_id: dec4d159-ef8f-42a1-a277-7731da5c3139
"""


@pytest.mark.parametrize(
    ("text", "entry"),
    [(FILE, Entry("one", ONE, size=4)), (FOLDER, Entry("two", TWO, size=4, nfiles=2))],
)
def test_a_dvc_file_stays_unless_its_data_change(tmp_path: Path, text: str, entry: Entry) -> None:
    (tmp_path / ".dvc").mkdir()
    file = tmp_path / "x.dvc"
    file.write_text(text)
    stage, trace = make_source(
        str(tmp_path), RepoPath("x.dvc"), YAML(typ="safe").load(io.StringIO(text))
    )
    assert trace.outs == (entry,)
    layout = Layout(str(tmp_path))
    assert not write_data_file(layout, stage, trace)
    assert file.read_text() == text
    changed = Trace(None, outs=(entry._replace(oid=OTHER, nfiles=None, size=6),))
    assert write_data_file(layout, stage, changed)
    assert "version_id" not in file.read_text()
    assert make_source(str(tmp_path), RepoPath("x.dvc"), YAML(typ="safe").load(file.open()))[
        1
    ].outs == (changed.outs)


@pytest.mark.parametrize("comment", ["", "  # mine\n"])
def test_a_lock_keeps_the_versions_of_outs_that_stay(comment: str) -> None:
    """Also where the file has a form of its own, and is changed as a whole."""
    text = LOCK.replace("  s:\n", f"  s:\n{comment}" if comment else "  s:\n")
    lock = read_text(text.encode(), RepoPath("dvc.lock"))
    trace = decode(lock.records["s"])
    assert [(out.path, out.size, out.nfiles) for out in trace.outs] == [
        ("out", 4, None),
        ("outd", 4, 1),
    ]
    assert trace.outs[1].oid == "8cbc8dbf7659ddf3c041156f6655b1b1.dir"  # as DVC called it
    new = trace._replace(outs=(trace.outs[0]._replace(oid=OTHER, size=6), trace.outs[1]))
    after = change(lock, {"s": Recorded(new, encode(new))}, ["s"]).text.decode()
    start = text.index("    - path: outd")
    assert after.endswith(text[start:])
    assert after[: after.index("    - path: outd")].count("version_id") == 0
    assert read_text(after.encode(), RepoPath("dvc.lock")).records["s"] == encode(new)

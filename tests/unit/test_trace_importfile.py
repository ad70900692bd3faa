"""``.dvc`` files of imports by version, byte for byte as DVC 3.67.1 wrote them from a bucket with versioning."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from redoit.model import RepoPath
from redoit.project import Layout
from redoit.spec.datafile import make_source
from redoit.trace.importfile import write_import

FILE = """\
md5: 50a59fd0e926693a263b493303edaba4
frozen: true
deps:
- etag: bd19836ddb62c11c55ab251ccaca5645
  size: 2
  version_id: 4e4721e6-4278-4ede-849e-57bf0b28764d
  hash: md5
  path: remote://src/file
  fs_config:
    version_aware: true
outs:
- md5: bd19836ddb62c11c55ab251ccaca5645
  size: 2
  hash: md5
  path: f
  push: false
"""
FOLDER = """\
md5: dabd9d9878647aaa2cd1ac963edd0d75
frozen: true
deps:
- hash: md5
  path: remote://src/dir
  fs_config:
    version_aware: true
  files:
  - relpath: a
    etag: 8a8bb7cd343aa2ad99b7d762030857a2
    size: 2
    version_id: d098d128-abe9-4e02-abb6-0623e89562cc
  - relpath: sub/b
    etag: edbab45572c72a5d9440b40bcc0500c0
    size: 2
    version_id: 882cb5f9-b322-4f61-906d-5db39d5b00d0
outs:
- md5: ef6b7c0027de5c76c8a0b415c96d97bb.dir
  size: 4
  nfiles: 2
  hash: md5
  path: d
  push: false
"""
NO_DATA = """\
md5: 4cf5a2e593e947bb50bc2ca6ec7c5f1a
frozen: true
deps:
- etag: 3667f6a0c97490758d7dc9659d01ea34
  size: 2
  version_id: 8ac18138-9921-4158-9965-2f5d75a75e8c
  hash: md5
  path: remote://src/file
  fs_config:
    version_aware: true
outs:
- hash: md5
  path: f2
  push: false
"""


@pytest.mark.parametrize("text", [FILE, FOLDER, NO_DATA])
def test_imports_by_version_are_read_and_written_as_dvc_does(tmp_path: Path, text: str) -> None:
    (tmp_path / ".dvc").mkdir()
    layout = Layout(str(tmp_path))
    file = RepoPath("x.dvc")
    stage, trace = make_source(str(tmp_path), file, read(text))
    assert stage.origin is not None
    write_import(layout, file, stage.origin, trace.outs[0], push=False)
    assert (tmp_path / "x.dvc").read_text() == text
    # What the user wrote into it stays, and so does what the user took out.
    mine = text.replace("  push: false\n", "  remote: up\n") + "# mine\n"
    (tmp_path / "x.dvc").write_text(mine)
    write_import(layout, file, stage.origin, trace.outs[0], push=False)
    again = (tmp_path / "x.dvc").read_text()
    assert again.splitlines()[1:] == mine.splitlines()[1:]


def read(text: str) -> Any:
    return YAML(typ="safe").load(io.StringIO(text))

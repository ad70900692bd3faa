"""Versions in a cloud: what a bucket with versioning kept is got again, whatever lies there by now."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from redoit.data.gc import GcRequest
from redoit.data.imports import ImportRequest
from redoit.data.status import StatusRequest
from redoit.data.targets import DataRequest
from redoit.data.transfer import TransferRequest
from redoit.data.update import UpdateRequest
from redoit.errors import RedoitError, RemoteError, StoreError, TransferFailed, UsageError
from tests.remotes.buckets import Bucket, make_bucket
from tests.remotes.conftest import Data
from tests.remotes.servers import Place
from tests.unit.store_room import files_below


@pytest.fixture
def bucket(s3_port: int) -> Bucket:
    return make_bucket(s3_port)


@pytest.fixture
def data(tmp_path: Path, bucket: Bucket) -> Iterator[Data]:
    data = Data(tmp_path / "repo", Place(f"s3://{bucket.name}", bucket.options))
    yield data
    data.close()


def lose(data: Data, *names: str) -> None:
    """Leave nothing of imports but their ``.dvc`` files."""
    data.room.state.close()
    shutil.rmtree(data.root / ".dvc/cache", ignore_errors=True)
    for name in names:
        place = data.root / name
        shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)


def test_what_was_imported_is_got_again(data: Data, bucket: Bucket) -> None:
    first = bucket.put("file", "one")
    bucket.put("dir/a", "a1")
    bucket.put("dir/sub/b", "b1")
    verbs = data.project.data
    by_version = ImportRequest(version_aware=True)
    done = verbs.import_url("remote://up/file", by_version)
    assert done.origin.record == {**(done.origin.record or {}), "size": 3, "version_id": first}
    verbs.import_url("remote://up/dir", by_version)
    later = ImportRequest("later", version_aware=True, no_download=True)
    verbs.import_url("remote://up/dir", later)
    texts = [path.read_text() for path in sorted(data.root.glob("?*.dvc"))]
    second = bucket.put("file", "two")
    bucket.put("dir/a", "a2")
    bucket.put("dir/c", "c2")
    bucket.remove("dir/sub/b")
    assert len(verbs.status(StatusRequest(updates=True)).updates) == 3
    lose(data, "file", "dir")
    pulled = verbs.pull()
    assert pulled.transferred.moved.files == 3  # "later" has what "dir" has
    assert (data.root / "file").read_text() == "one"
    assert files_below(data.root / "dir") == {"a": b"a1", "sub/b": b"b1"}
    assert files_below(data.root / "later") == {"a": b"a1", "sub/b": b"b1"}
    assert [path.read_text() for path in sorted(data.root.glob("?*.dvc"))] == texts
    assert verbs.push().moved.files == 0

    assert all(each.changed for each in verbs.update())
    assert (data.root / "file").read_text() == "two"
    assert files_below(data.root / "dir") == {"a": b"a2", "c": b"c2"}
    assert f"version_id: {second}" in (data.root / "file.dvc").read_text()
    earlier = UpdateRequest(DataRequest(("file.dvc",)), rev=first)
    assert [each.changed for each in verbs.update(earlier)] == [True]
    assert (data.root / "file").read_text() == "one"
    assert f"version_id: {first}" in (data.root / "file.dvc").read_text()
    assert [each.changed for each in verbs.update(earlier)] == [False]


def test_what_cannot_be_had(data: Data, bucket: Bucket, s3_port: int, tmp_path: Path) -> None:
    version = bucket.put("file", "one")
    bucket.put("dir/a", "a1")
    verbs = data.project.data
    by_version = ImportRequest(version_aware=True)
    for name in ("file", "dir"):
        verbs.import_url(f"remote://up/{name}", by_version)

    def fails(kind: type[RedoitError], says: str, target: str, rev: str | None) -> None:
        with pytest.raises(kind, match=says):
            verbs.update(UpdateRequest(DataRequest((target,)), rev=rev))

    fails(UsageError, "is a directory, whose files have versions", "dir.dvc", version)
    fails(StoreError, "there is no version 'none' of", "file.dvc", "none")
    bucket.remove("file")
    fails(StoreError, "there is nothing at 'remote://up/file'", "file.dvc", None)
    bucket.remove("file", version)
    lose(data, "file")
    with pytest.raises(TransferFailed) as raised:
        verbs.pull()
    assert "a version of a file is not kept any more" in str(raised.value.facts["because"])

    plain = make_bucket(s3_port, versioned=False)
    plain.put("file", "one")
    other = Data(tmp_path / "other", Place(f"s3://{plain.name}", plain.options))
    with pytest.raises(StoreError, match="there is a file without a version"):
        other.project.data.import_url("remote://up/file", by_version)
    assert not (other.root / "file.dvc").exists()
    other.close()


LOCK = """\
schema: '2.0'
stages:
  s:
    cmd: make
    outs:
    - path: out
      hash: md5
      md5: {oid}
      size: 3
      cloud:
        up:
          etag: {oid}
          version_id: {version}
"""


def md5(content: str) -> str:
    return hashlib.md5(content.encode()).hexdigest()


def pushed_by_dvc(data: Data, bucket: Bucket) -> None:
    """A project as DVC leaves it that has pushed to a remote with ``version_aware = true``."""
    version = bucket.put("some/file", "one")
    text = f"outs:\n- md5: {md5('one')}\n  size: 3\n  hash: md5\n  path: file\n"
    cloud = "cloud:\n{0}  up:\n{0}    etag: x00\n{0}    version_id: {1}\n"
    (data.root / "file.dvc").write_text(f"{text}  {cloud.format('  ', version)}")
    text = "outs:\n- hash: md5\n  path: dir\n  files:\n"
    for name, content in (("a", "a1"), ("sub/b", "b1")):
        version = bucket.put(f"some/dir/{name}", content)
        text += f"  - relpath: {name}\n    md5: {md5(content)}\n    size: 2\n"
        text += f"    {cloud.format('    ', version)}"
    (data.root / "dir.dvc").write_text(text)
    (data.root / "dvc.yaml").write_text("stages:\n  s:\n    cmd: make\n    outs: [out]\n")
    version = bucket.put("some/out", "out")
    (data.root / "dvc.lock").write_text(LOCK.format(oid=md5("out"), version=version))
    for name in ("some/file", "some/dir/a", "some/out"):
        bucket.put(name, "later")


def test_a_remote_that_keeps_versions_is_read(tmp_path: Path, bucket: Bucket) -> None:
    options = {**bucket.options, "version_aware": "true"}
    data = Data(tmp_path / "repo", Place(f"s3://{bucket.name}/some", options))
    pushed_by_dvc(data, bucket)
    before = {path: path.read_text() for path in data.root.glob("?*.[dl][vo]c*")}
    verbs = data.project.data
    part = TransferRequest(DataRequest(("dir/sub",)))
    assert verbs.fetch(part).moved.files == 1
    assert verbs.pull().transferred.moved.files == 3
    assert files_below(data.root / "dir") == {"a": b"a1", "sub/b": b"b1"}
    assert [(data.root / name).read_text() for name in ("file", "out")] == ["one", "out"]
    assert data.project.repro().exit_code == 0
    assert {path: path.read_text() for path in before} == before
    assert list(data.project.verify_cache()) == []
    assert verbs.gc(GcRequest(dry=True)).objects == 0

    for refused in (verbs.push, lambda: verbs.gc(GcRequest(cloud=True))):
        with pytest.raises(RemoteError, match="the remote 'up' keeps versions in the cloud"):
            refused()
    assert not verbs.status(StatusRequest(not_in_remote=True)).not_in_remote
    # What was never sent is missing, and what is another version is not believed.
    data.room.write("new", "new")
    data.add("new")
    later = bucket.put("some/file", "bad")
    text = (data.root / "file.dvc").read_text()
    (data.root / "file.dvc").write_text(re.sub("version_id: .*", f"version_id: {later}", text))
    lose(data, "new", "file")
    with pytest.raises(TransferFailed) as raised:
        verbs.pull()
    assert raised.value.facts["missing"] == "new"
    assert raised.value.facts["failed"] == "file"
    assert not (data.root / "file").exists()
    data.close()


def test_a_remote_that_keeps_versions_elsewhere_is_refused(tmp_path: Path) -> None:
    data = Data(tmp_path / "repo", Place("gs://bucket/some", {"worktree": "true"}))
    data.room.write("file", "one")
    data.add("file")
    with pytest.raises(RemoteError, match="which is not supported here") as raised:
        data.project.data.push()
    assert "dvc pull -r up" in (raised.value.hint or "")
    data.close()

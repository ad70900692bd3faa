"""Imports by version: what a bucket with versioning kept is got again, whatever lies there by now."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from redoit.data.imports import ImportRequest
from redoit.data.status import StatusRequest
from redoit.data.targets import DataRequest
from redoit.data.update import UpdateRequest
from redoit.errors import RedoitError, StoreError, TransferFailed, UsageError
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
    assert not verbs.status(StatusRequest(updates=True)).updates

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
    assert not any(each.changed for each in verbs.update())

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

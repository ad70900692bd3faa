"""What every kind of remote must do, and how it must fail: the same tests on all of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from redoit.data.gc import GcRequest
from redoit.data.imports import ImportRequest
from redoit.data.targets import DataRequest
from redoit.data.transfer import TransferRequest
from redoit.data.update import UpdateRequest
from redoit.engine.run import Request
from redoit.errors import RemoteError, TransferFailed
from redoit.model import Algo
from redoit.project import Layout
from redoit.store.remotes import Remotes, object_name
from redoit.store.storage import Storage
from tests.remotes.conftest import Data, fill
from tests.remotes.servers import Place
from tests.unit.store_room import files_below


def storage_of(data: Data) -> Storage:
    return Remotes(Layout(str(data.root)).config).open().storage


def behind(data: Data, path: str) -> str:
    """The name at the remote of the object that a file or directory of the project is."""
    content = data.room.content(path)
    assert content is not None
    return object_name(content.oid, Algo(content.algo))


def break_object(data: Data, name: str, content: bytes | None) -> None:
    """Replace or remove an object at the remote."""
    folder = data.place.folder
    if folder is not None:
        (folder / name).unlink()
        if content is not None:
            (folder / name).write_bytes(content)
        return
    storage = storage_of(data)
    storage.remove(name)
    if content is not None:
        file = data.root / "broken"
        file.write_bytes(content)
        storage.put(str(file), name)


def test_there_and_back(tmp_path: Path, origin: Data) -> None:
    if origin.place.writable:
        first = origin.project.data.push()
        assert first.moved.files == 11  # file, 9 of the directory, the directory itself
        assert origin.project.data.push().moved.files == 0
    else:
        origin.push()
        with pytest.raises(RemoteError, match="is for reading only"):
            origin.project.data.push()
    clone = origin.clone(tmp_path / "clone")
    fetched = clone.project.data.fetch()
    assert (fetched.moved.files, fetched.moved.missing) == (10, [])
    assert not (clone.root / "many").exists()
    clone.project.data.checkout()
    assert files_below(clone.root / "many") == files_below(origin.root / "many")
    assert (clone.root / "file").read_text() == "a file\n"
    pulled = clone.project.data.pull()
    assert pulled.transferred.moved.files == 0
    assert not pulled.workspace.changed
    assert list(clone.project.verify_cache()) == []
    clone.close()


def test_parts_of_a_directory(tmp_path: Path, origin: Data) -> None:
    origin.push()
    clone = origin.clone(tmp_path / "clone")
    request = TransferRequest(DataRequest(targets=("many/sub1",)))
    pulled = clone.project.data.pull(request)
    there = [f"sub1/{i}" for i in range(8) if i % 3 == 1]
    assert pulled.transferred.moved.files == len(there)
    assert sorted(files_below(clone.root / "many")) == sorted(there)
    clone.close()


@pytest.mark.parametrize("content", [b"a fil", b"a lie!\n", None])
def test_a_bad_object_is_not_believed(tmp_path: Path, origin: Data, content: bytes | None) -> None:
    """Truncated, altered, removed: the rest comes, it is named, and the repaired one comes later."""
    origin.push()
    name = behind(origin, "file")
    break_object(origin, name, content)
    clone = origin.clone(tmp_path / "clone")
    with pytest.raises(TransferFailed) as raised:
        clone.project.data.pull()
    assert raised.value.facts["missing" if content is None else "failed"] == "file"
    assert not (clone.root / "file").exists()
    assert files_below(clone.root / "many") == files_below(origin.root / "many")
    assert list(clone.project.verify_cache()) == []
    break_object_back(origin, name)
    assert clone.project.data.pull().transferred.moved.files == 1
    assert (clone.root / "file").read_text() == "a file\n"
    clone.close()


def break_object_back(data: Data, name: str) -> None:
    folder = data.place.folder
    if folder is not None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_bytes(b"a file\n")
    else:
        storage_of(data).remove(name)
        data.project.data.push()


def test_a_listing_that_leads_elsewhere_is_refused(tmp_path: Path, origin: Data) -> None:
    """A directory whose own object has names that leave it, or is another's, gives nothing to the workspace."""
    origin.push()
    name = behind(origin, "many")
    evil = json.dumps([{"md5": "0" * 32, "relpath": "../../outside"}]).encode()
    break_object(origin, name, evil)
    clone = origin.clone(tmp_path / "clone")
    with pytest.raises(TransferFailed) as raised:
        clone.project.data.pull()
    assert raised.value.facts["failed"] == "many"
    assert not (tmp_path / "outside").exists()
    assert not (clone.root / "many").exists()
    clone.close()


def test_a_connection_that_is_cut(tmp_path: Path, origin: Data) -> None:
    """In the middle of a transfer; the same command completes it, and nothing comes twice."""
    proxy = origin.place.proxy
    if proxy is None:
        pytest.skip("there is no connection")
    slow = TransferRequest(jobs=2)
    if origin.place.writable:
        storage_of(origin).list("files")
        proxy.cut_after = 300_000
        with pytest.raises((TransferFailed, RemoteError)):
            origin.project.data.push(slow)
        assert proxy.cuts
        proxy.cut_after = None
        assert storage_of(origin).size(behind(origin, "many")) is None
        origin.project.data.push(slow)
        assert storage_of(origin).size(behind(origin, "many"))
    origin.push()
    clone = origin.clone(tmp_path / "clone")
    proxy.cut_after, proxy.cuts = 300_000, 0
    with pytest.raises(TransferFailed) as raised:
        clone.project.data.pull(slow)
    assert "many" in str(raised.value.facts["failed"])
    assert proxy.cuts
    assert not (clone.root / "many").exists()
    assert list(clone.project.verify_cache()) == []
    done = len([name for name in clone.room.objects() if "/.redoit/" not in f"/{name}"])
    proxy.cut_after = None
    pulled = clone.project.data.pull(slow)
    assert pulled.transferred.moved.files == 10 - done
    assert files_below(clone.root / "many") == files_below(origin.root / "many")
    clone.close()


def test_nobody_there(origin: Data) -> None:
    if origin.place.proxy is None:
        pytest.skip("there is no connection")
    origin.place.proxy.close()
    with pytest.raises(RemoteError) as raised:
        origin.project.data.push()
    text = raised.value.render()
    for value in origin.place.options.values():
        if "secret" in value or "s3cret" in value:
            assert value not in text


def test_both_digests_beside_each_other(tmp_path: Path, place: Place, algo: str) -> None:
    data = Data(tmp_path / "origin", place, algo)
    fill(data)
    data.push()
    clone = data.clone(tmp_path / "clone")
    clone.project.data.pull()
    assert files_below(clone.root / "many") == files_below(data.root / "many")
    folder = f"files/{algo}"
    assert all(name.startswith(folder) for name in data.room.objects())
    if place.folder is not None:
        stored = {str(p.relative_to(place.folder)) for p in place.folder.rglob("*") if p.is_file()}
        assert stored == set(data.room.objects())
    clone.close()
    data.close()


def test_imports_by_url(tmp_path: Path, origin: Data) -> None:
    """A folder and a file of the remote: imported, found unchanged, updated, and got from there again."""
    origin.push()
    name = behind(origin, "file")
    file = f"remote://up/{name}"
    data = origin.project.data
    assert data.import_url(file, ImportRequest("single")).entry.size == len("a file\n")
    assert [each.changed for each in data.update()] == [False]
    (origin.root / "single").unlink()
    origin.close()
    shutil.rmtree(origin.root / ".dvc/cache")
    assert data.update()[0].changed is False
    assert (origin.root / "single").read_text() == "a file\n"
    if storage_of(origin).lists:
        folder = f"remote://up/{name.split('/')[0]}"
        got = data.import_url(folder, ImportRequest("folder"))
        assert got.entry.nfiles == 11
        sent = data.import_url(folder, ImportRequest("sent", to_remote=True))
        assert (sent.entry.oid, sent.origin.record) == (got.entry.oid, got.origin.record)
    break_object(origin, name, b"another\n")
    assert data.update(UpdateRequest(DataRequest(("single",))))[0].changed
    assert (origin.root / "single").read_text() == "another\n"


def test_garbage_at_the_remote(tmp_path: Path, origin: Data) -> None:
    """What nothing uses any more goes from there; what is used stays whole."""
    if not origin.place.writable:
        pytest.skip("nothing can be removed from it")
    data = origin.project.data
    data.push()
    old = behind(origin, "file")
    origin.room.write("file", "another\n")
    origin.add("file")
    data.push()
    assert data.gc(GcRequest(cloud=True, dry=True)).remote_objects == 1
    assert storage_of(origin).size(old) == len("a file\n")
    assert data.gc(GcRequest(cloud=True)).remote_objects == 1
    assert storage_of(origin).size(old) is None
    clone = origin.clone(tmp_path / "clone")
    assert clone.project.data.pull().transferred.moved.files == 10
    clone.close()


def test_a_run_gets_what_it_needs(tmp_path: Path, origin: Data) -> None:
    """``--pull --allow-missing``: one file of the ten."""
    origin.push()
    clone = origin.clone(tmp_path / "clone")
    clone.room.write(
        "dvc.yaml", "stages:\n  s:\n    cmd: cp file copy\n    deps: [file]\n    outs: [copy]\n"
    )
    result = clone.project.repro(Request(pull=True, allow_missing=True))
    assert result.exit_code == 0
    assert (clone.root / "copy").read_text() == "a file\n"
    assert not (clone.root / "many").exists()
    assert len([name for name in clone.room.objects() if name.startswith("files/")]) == 1
    clone.close()

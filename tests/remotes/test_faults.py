"""What goes wrong on the way: nothing wrong is believed, it is said what is missing, and the same command completes it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from redoit.data.transfer import TransferRequest
from redoit.errors import RemoteError, TransferFailed
from redoit.store import backends
from tests.remotes.conftest import Data
from tests.remotes.servers import Place, SshServer, fill_own
from tests.remotes.test_conformance import behind, storage_of
from tests.unit.store_room import files_below

SLOW = TransferRequest(jobs=2)
LIMIT = 500_000
"""Longer than all files but one."""


def test_sftp_is_openssh(ssh: SshServer) -> None:
    if ssh.pid is None:
        pytest.skip(
            "OpenSSH's server is not here, and could not be got: asyncssh's stood in for it"
        )
    with socket.create_connection(("127.0.0.1", ssh.port)) as connection:
        assert connection.recv(64).startswith(b"SSH-2.0-OpenSSH_")


def check_nothing_wrong(clone: Data) -> None:
    """Nothing of the directory is in the workspace, and what the cache has is what its name says."""
    assert not (clone.root / "many").exists()
    assert list(clone.project.verify_cache()) == []
    left = [name for name in clone.room.objects() if "tmp" in name]
    assert left == []


def check_complete(clone: Data, origin: Data) -> None:
    clone.project.data.pull(SLOW)
    assert files_below(clone.root / "many") == files_below(origin.root / "many")
    assert (clone.root / "file").read_text() == "a file\n"
    clone.close()


def test_a_server_that_fails(tmp_path: Path, origin: Data) -> None:
    """By 500: once, and it is asked again; for ever, and the rest is left."""
    faults = origin.place.faults
    if faults is None:
        pytest.skip("it does not speak HTTP")
    if origin.place.writable:
        faults.set(500, 10_000, "PUT")
        with pytest.raises(TransferFailed) as raised:
            origin.project.data.push(SLOW)
        assert "many/large" in str(raised.value.facts["failed"])
        assert faults.answered >= 10
        faults.set(503, 1, "PUT")
        assert origin.project.data.push(SLOW).moved.files == 11
        assert faults.answered == 1
    origin.push()
    clone = origin.clone(tmp_path / "clone")
    faults.set(500, 10_000, "GET")
    with pytest.raises((TransferFailed, RemoteError)):
        clone.project.data.pull(SLOW)
    assert faults.answered
    check_nothing_wrong(clone)
    faults.set(500, 1, "GET")
    check_complete(clone, origin)
    assert faults.answered == 1


@contextmanager
def full(place: Place) -> Iterator[None]:
    """The remote takes no long file."""
    if place.fill is not None:
        place.fill(LIMIT)
    elif place.faults is not None:
        place.faults.set(507, 10_000, "PUT", longer=LIMIT)
    try:
        yield
    finally:
        if place.fill is not None:
            place.fill(None)
        elif place.faults is not None:
            place.faults.set(0)


def test_a_full_disk(tmp_path: Path, origin: Data) -> None:
    """There or here: what fits is kept; no directory counts as there of which a file is not."""
    place = origin.place
    if place.writable and (place.fill or place.faults):
        with full(place), pytest.raises(TransferFailed) as raised:
            origin.project.data.push(SLOW)
        assert raised.value.facts["failed"] == "many/large"
        assert raised.value.facts["done"] == "9 objects"
        storage = storage_of(origin)
        assert storage.size(behind(origin, "many/large")) is None
        assert storage.size(behind(origin, "many")) is None
        assert not [stored.name for stored in storage.list("") if "tmp" in stored.name]
        assert origin.project.data.push(SLOW).moved.files == 2
    origin.push()
    clone = origin.clone(tmp_path / "clone")
    fill_own(LIMIT)
    try:
        with pytest.raises(TransferFailed) as raised:
            clone.project.data.pull(SLOW)
    finally:
        fill_own(None)
    assert raised.value.facts["failed"] == "many/large"
    assert "too large" in str(raised.value.facts["because"])
    check_nothing_wrong(clone)
    check_complete(clone, origin)


def test_a_server_that_falls_silent(
    tmp_path: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle, its connection open: it is not waited for without an end."""
    if place.proxy is None:
        pytest.skip("there is no connection")
    origin = Data(tmp_path / "origin", place)
    origin.room.write("large", os.urandom(1 << 20))
    origin.add("large")
    origin.push()
    origin.close()
    clone = origin.clone(tmp_path / "clone")
    clone.configure(**place.impatient)
    place.proxy.silent_after = 400_000
    with monkeypatch.context() as patch:
        if not place.impatient:  # it has no option for that
            patch.setattr(backends, "_SILENCE", 0.5)
        with pytest.raises((TransferFailed, RemoteError)):
            clone.project.data.pull()
    assert place.proxy.swallowed
    assert not (clone.root / "large").exists()
    assert list(clone.project.verify_cache()) == []
    place.proxy.silent_after = None
    clone.configure()
    clone.project.data.pull()
    assert (clone.root / "large").read_bytes() == (origin.root / "large").read_bytes()
    clone.close()


def test_a_slow_connection(tmp_path: Path, origin: Data) -> None:
    """Which gives a little at a time."""
    if origin.place.proxy is None:
        pytest.skip("there is no connection")
    origin.push()
    origin.place.proxy.piece, origin.place.proxy.pause = 4000, 0.001
    check_complete(origin.clone(tmp_path / "clone"), origin)

"""Large files copied and digested at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from redoit.model import Algo
from redoit.store import copying
from redoit.store.copying import copy_and_digest
from redoit.store.digests import CHUNK, Hasher, digest_file


@pytest.mark.parametrize("algo", Algo)
@pytest.mark.parametrize("size", [0, 1, CHUNK, 3 * CHUNK, 9 * CHUNK + 17])
def test_the_copy_is_what_its_digests_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, algo: Algo, size: int
) -> None:
    monkeypatch.setattr(copying, "_STEP", 2 * CHUNK)
    written: list[tuple[int, int]] = []
    monkeypatch.setattr(copying, "write_out", lambda _, *part: written.append(part))
    (tmp_path / "source").write_bytes(os.urandom(size))
    with open(tmp_path / "source", "rb") as source, open(tmp_path / "copy", "w+b") as target:
        digests = copy_and_digest(source.fileno(), target.fileno(), algo)
    assert (tmp_path / "copy").read_bytes() == (tmp_path / "source").read_bytes()
    assert digests == digest_file(str(tmp_path / "copy"), algo)
    # It is brought to disk while it is being copied, not only in the end.
    assert sum(count for _, count in written) >= size - 2 * CHUNK
    assert [offset for offset, _ in written] == [2 * CHUNK * n for n in range(len(written))]


@pytest.mark.parametrize("algo", Algo)
def test_a_full_disk_ends_it(tmp_path: Path, algo: Algo) -> None:
    (tmp_path / "source").write_bytes(bytes(9 * CHUNK))
    with (
        open(tmp_path / "source", "rb") as source,
        open("/dev/full", "wb", buffering=0) as target,
        pytest.raises(OSError, match="space"),
    ):
        copy_and_digest(source.fileno(), target.fileno(), algo)


@pytest.mark.parametrize("algo", Algo)
def test_a_digest_that_fails_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, algo: Algo
) -> None:
    def fail(self: Hasher, data: memoryview) -> None:
        raise MemoryError

    monkeypatch.setattr(Hasher, "update", fail)
    (tmp_path / "source").write_bytes(bytes(9 * CHUNK))
    with (
        open(tmp_path / "source", "rb") as source,
        open(tmp_path / "copy", "w+b") as target,
        pytest.raises(MemoryError),
    ):
        copy_and_digest(source.fileno(), target.fileno(), algo)

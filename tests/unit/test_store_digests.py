"""Digests: the values that names of objects are made of."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from redoit.errors import StoreError
from redoit.model import Algo
from redoit.store.digests import CHUNK, SMALL, Digests, digest_data, digest_file, unix_lines

KNOWN = [
    (b"", "99aa06d3014798d86001c324468d497f", "d41d8cd98f00b204e9800998ecf8427e"),
    (b"hello\n", "6bba86c7e069f56d5a10b435f1c8e49c", "b1946ac92492d2347c6235b4d2611184"),
]


@pytest.mark.parametrize(("data", "fingerprint", "md5"), KNOWN)
def test_pinned(data: bytes, fingerprint: str, md5: str, tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(data)
    assert digest_data(data, Algo.MD5) == (fingerprint, md5, None)
    assert digest_file(str(file), Algo.MD5) == (fingerprint, md5, None)
    assert digest_file(str(file), Algo.XXH128).oid(Algo.XXH128) == fingerprint
    assert digest_file(str(file), Algo.MD5_DOS2UNIX) == (fingerprint, None, md5)


@pytest.mark.parametrize("size", [SMALL - 1, SMALL, SMALL + 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7])
@pytest.mark.parametrize("algo", list(Algo))
def test_a_file_digests_as_its_bytes(size: int, algo: Algo, tmp_path: Path) -> None:
    data = (b"0123456789abcde\r\n" * (size // 17 + 1))[:size]
    file = tmp_path / "f"
    file.write_bytes(data)
    assert digest_file(str(file), algo) == digest_data(data, algo)
    if algo is Algo.MD5:
        assert digest_file(str(file), algo).md5 == hashlib.md5(data).hexdigest()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a\r\nb\r\n", b"a\nb\n"),
        (b"a\rb\n", b"a\rb\n"),
        (b"a\r\n\x00", b"a\r\n\x00"),
        (b"\xff" * 4 + b"a" * 4 + b"\r\n", b"\xff" * 4 + b"a" * 4 + b"\r\n"),
        (b"\xff" * 3 + b"a" * 7 + b"\r\n", b"\xff" * 3 + b"a" * 7 + b"\n"),
        (b"a" * 512 + b"\x00\r\n", b"a" * 512 + b"\x00\n"),
        (b"", b""),
    ],
)
def test_what_dvc_2_took_for_text(data: bytes, expected: bytes) -> None:
    assert unix_lines(data) == expected
    assert digest_data(data, Algo.MD5_DOS2UNIX).dos2unix == hashlib.md5(expected).hexdigest()


def test_merged_digests() -> None:
    one, other = digest_data(b"x", Algo.XXH128), digest_data(b"x", Algo.MD5)
    assert one.merged(other) == other
    assert Digests(None).merged(one) == one
    assert Digests(None).oid(Algo.XXH128) is None


def test_what_cannot_be_digested(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        digest_file(str(tmp_path / "no"), Algo.MD5)
    with pytest.raises(StoreError, match="neither a file nor a directory"):
        digest_file(str(tmp_path), Algo.MD5)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StoreError, match="neither a file nor a directory"):
        digest_file(str(tmp_path / "pipe"), Algo.MD5)
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(StoreError, match="cannot read"):
        digest_file(str(tmp_path / "loop"), Algo.MD5)

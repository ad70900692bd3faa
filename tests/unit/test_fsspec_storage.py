"""How files are sent to file systems of fsspec: by which calls, and how many."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from redoit.store.backends import asking_once
from redoit.store.fsspec_storage import FsspecStorage, Opened


class System:
    """A file system that keeps a log. It has no ``open``: a file object whose connection has gone would be closed at the end
    of Python, when nobody answers any more, and keep the process for ever.
    """

    def __init__(self) -> None:
        self.log: list[str] = []

    def makedirs(self, path: str, exist_ok: bool) -> None:
        assert exist_ok
        self.log.append(f"makedirs {path}")

    def pipe_file(self, path: str, data: bytes) -> None:
        self.log.append(f"pipe {len(data)}")

    def put_file(self, place: str, path: str) -> None:
        self.log.append("put")

    def mv(self, source: str, target: str) -> None:
        assert source.startswith("/root/ab/.")
        self.log.append(f"mv {target}")

    async def _makedirs(self, path: str, exist_ok: bool = False) -> None:
        self.makedirs(path, exist_ok)


def test_small_files_are_sent_by_one_call(tmp_path: Path) -> None:
    system = System()
    storage = FsspecStorage(Opened(system, "/root"), renames=True, whole=10)
    for name, content in (("empty", b""), ("small", b"0123456789"), ("large", b"0123456789a")):
        (tmp_path / name).write_bytes(content)
        storage.put(str(tmp_path / name), f"ab/{name}")
    assert system.log == [
        *("makedirs /root/ab", "pipe 0", "mv /root/ab/empty"),
        *("pipe 10", "mv /root/ab/small"),
        *("put", "mv /root/ab/large"),
    ]


def test_folders_are_asked_for_once() -> None:
    system = asking_once(System())

    async def write() -> None:
        for path in ("/a", "/b", "/a"):
            await system._makedirs(path, exist_ok=True)

    asyncio.run(write())
    assert system.log == ["makedirs /a", "makedirs /b"]


def test_what_a_library_logs_is_not_printed() -> None:
    code = (
        "import logging; from redoit.store.backends import Options, open_backend;"
        "options = Options('up', {'url': 'gs://bucket/path', 'allow_anonymous_login': 'true'});"
        "open_backend('gs', 'gs://bucket/path', options);"
        "logging.getLogger('gcsfs').error('out of retries')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""

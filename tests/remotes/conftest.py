"""Projects with a remote of every kind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import warnings
from collections.abc import Iterator, Mapping
from functools import partialmethod
from pathlib import Path
from types import SimpleNamespace

import pytest

from redoit import Project
from redoit.model import Content, RepoPath
from redoit.store import moving
from tests.remotes import azurite, openssh, servers
from tests.unit.store_room import Room

_REAL_HOME = os.environ["HOME"]
KINDS = ["folder", "http", "sftp", "s3", "webdav", "gs", "azure"]


@pytest.fixture(scope="session")
def s3_port() -> Iterator[int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", _REAL_HOME)  # its environment is installed there, once
        server = servers.s3_server()
        port = server.__enter__()
    yield port
    server.__exit__(None, None, None)


@pytest.fixture(scope="session")
def gs_port() -> Iterator[int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", _REAL_HOME)
        server = servers.gs_server()
        port = server.__enter__()
    yield port
    server.__exit__(None, None, None)


@pytest.fixture(scope="session")
def azure_port() -> Iterator[int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", _REAL_HOME)
        try:
            program = azurite.find_azurite()
        except azurite.Unavailable as error:
            pytest.skip(f"Azure's emulator is not here, and could not be got: {error}")
    with servers.azure_server(program) as port:
        yield port


@pytest.fixture(scope="session")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.SshServer]:
    sshd = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", _REAL_HOME)
        try:
            sshd = openssh.find_sshd()
        except openssh.Unavailable as error:
            warnings.warn(f"asyncssh's server stands in for OpenSSH's: {error}", stacklevel=1)
    with servers.ssh_server(tmp_path_factory.mktemp("ssh") / "keys", sshd) as server:
        yield server


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the user's own: neither configuration nor keys nor credentials."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    monkeypatch.setenv("HOME", str(home))
    for name in ("GLOBAL_CONFIG", "SYSTEM_CONFIG"):
        monkeypatch.setenv(f"DVC_{name}_DIR", str(home / name))
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # its pauses are seconds long
    monkeypatch.setattr(moving, "_PAUSE", 0.01)


@pytest.fixture
def _quick_gs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the pauses of its library, which are up to half a minute long."""
    import gcsfs.retry

    async def at_once(seconds: float) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(gcsfs.retry, "asyncio", SimpleNamespace(sleep=at_once))


@pytest.fixture
def _quick_azure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same; and one more attempt, not three."""
    from azure.storage.blob._shared.policies_async import ExponentialRetry

    quick = {"initial_backoff": 0, "increment_base": 0, "random_jitter_range": 0, "retry_total": 1}
    monkeypatch.setattr(
        ExponentialRetry, "__init__", partialmethod(ExponentialRetry.__init__, **quick)
    )


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[servers.Place]:
    """A remote of each kind, empty."""
    with contextlib.ExitStack() as stack:
        if request.param in ("s3", "gs", "azure"):
            if request.param != "s3":
                request.getfixturevalue(f"_quick_{request.param}")
            port = request.getfixturevalue(f"{request.param}_port")
            yield stack.enter_context(getattr(servers, request.param)(tmp_path, port))
        elif request.param == "sftp":
            yield stack.enter_context(servers.sftp(tmp_path, request.getfixturevalue("ssh")))
        else:
            yield stack.enter_context(getattr(servers, request.param)(tmp_path))


class Data:
    """A project with data in ``.dvc`` files and a remote ``up``."""

    def __init__(self, root: Path, place: servers.Place, algo: str = "md5") -> None:
        self.root = root
        self.place = place
        self.room = Room(root, algo=algo, config=self._config(place.options))

    def _config(self, options: Mapping[str, str]) -> str:
        lines = [f"    {key} = {value}\n" for key, value in options.items()]
        url = self.place.url
        return f"[core]\n    remote = up\n['remote \"up\"']\n    url = {url}\n{''.join(lines)}"

    def configure(self, **options: str) -> None:
        """Give the remote further options; only these."""
        config = self._config({**self.place.options, **options})
        (self.root / ".dvc" / "config").write_text(config)

    @property
    def project(self) -> Project:
        return Project(self.root)

    def add(self, path: str) -> Content:
        """Put what lies at ``path`` into the cache, and write its ``.dvc`` file."""
        content = self.room.store.commit(RepoPath(path), cached=True)
        algo = content.algo.value
        text = f"outs:\n- {algo}: {content.oid}\n  size: {content.size}\n"
        if content.nfiles is not None:
            text += f"  nfiles: {content.nfiles}\n"
        (self.root / f"{path}.dvc").write_text(f"{text}  hash: {algo}\n  path: {path}\n")
        return content

    def clone(self, root: Path) -> Data:
        """Another checkout: the files of Git, and an empty cache."""
        root.mkdir()
        for file in self.root.glob("*.dvc"):
            if file.is_file():
                shutil.copy(file, root)
        algo = self.room.layout.algo.value
        return Data(root, self.place, algo)

    def push(self) -> None:
        """Put the whole cache where the remote is, through it or, if it cannot, behind it."""
        if self.place.writable:
            self.project.data.push()
        else:
            assert self.place.folder is not None
            for name, content in self.room.objects().items():
                target = self.place.folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)

    def close(self) -> None:
        self.room.state.close()


@pytest.fixture(params=["md5", "xxh128"])
def algo(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def origin(tmp_path: Path, place: servers.Place) -> Iterator[Data]:
    """A project with a file and a directory of 9 files, one of them large."""
    data = Data(tmp_path / "origin", place)
    fill(data)
    yield data
    data.close()


def fill(data: Data) -> None:
    data.room.write("file", "a file\n")
    for i in range(8):
        data.room.write(f"many/sub{i % 3}/{i}", f"file {i}\n" * (i + 1))
    data.room.write("many/large", os.urandom(1 << 20) + b"end")
    data.add("file")
    data.add("many")

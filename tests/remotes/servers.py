"""Servers on loopback for the tests of remotes, and a proxy that breaks what goes through it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from tests.remotes.faults import Faults, Faulty
from tests.remotes.openssh import Sshd
from tests.sandbox import peer_environment


class Proxy:
    """Passes TCP connections on to ``port``.

    ``cut_after`` bytes from either side, all are cut; ``silent_after`` bytes, nothing passes any more, and no connection
    ends. ``pause``: seconds between two pieces of ``piece`` bytes.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.cut_after: int | None = None
        self.cuts = 0
        self.silent_after: int | None = None
        self.swallowed = 0
        self.piece = 1 << 14
        self.pause = 0.0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):  # wakes up who waits for a connection
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._cut()

    def _cut(self) -> None:
        with self._lock:
            sockets, self._open = self._open, set()
        for each in sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                ours, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(ours,), daemon=True).start()

    def _connect(self, ours: socket.socket) -> None:
        try:
            theirs = socket.create_connection(("127.0.0.1", self._target), timeout=10)
        except OSError:
            ours.close()
            return
        theirs.settimeout(None)
        for each in (ours, theirs):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open |= {ours, theirs}
        threading.Thread(target=self._pass, args=(theirs, ours), daemon=True).start()
        self._pass(ours, theirs)

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(self.piece):
                if self.silent_after is not None:
                    self.silent_after -= len(data)
                    if self.silent_after < 0:
                        self.swallowed += len(data)
                        continue
                if self.pause:
                    time.sleep(self.pause)
                if self.cut_after is not None:
                    self.cut_after -= len(data)
                    if self.cut_after < 0:
                        self.cuts += 1
                        self._cut()
                        return
                target.sendall(data)
        # One side has ended: the other is told, rather than left waiting for an answer.
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@dataclass
class Place:
    """A remote for a test: its URL and options, and the folder behind it, if it is one."""

    url: str
    options: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    proxy: Proxy | None = None
    writable: bool = True
    faults: Failing | None = None
    """Makes the server fail, if it speaks HTTP."""
    fill: Callable[[int | None], None] | None = None
    """Lets no file of the remote become longer than so many bytes, as if its disk were full."""
    impatient: Mapping[str, str] = field(default_factory=dict)
    """The options that make it wait a second, not a minute."""


class Failing(Protocol):
    """What can be told to a server that fails on demand, and asked of it."""

    @property
    def answered(self) -> int: ...

    def set(self, status: int, times: int = 0, methods: str = "", longer: int = 0) -> None: ...


def fill_own(limit: int | None) -> None:
    """Let no file that this process writes become longer. (Python ignores the signal.)"""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    soft = resource.RLIM_INFINITY if limit is None else limit
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def folder(tmp: Path) -> Iterator[Place]:
    yield Place(str(tmp / "store"), folder=tmp / "store", fill=fill_own)


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *args: Any, faults: Faults, directory: str) -> None:
        self._faults = faults
        super().__init__(*args, directory=directory)

    def log_message(self, *args: Any) -> None: ...

    def send_head(self) -> Any:
        status = self._faults.answer(self.command, 0)
        if status is not None:
            self.send_error(status)
            return None
        return super().send_head()


@contextlib.contextmanager
def http(tmp: Path) -> Iterator[Place]:
    """A web server over a folder, for reading only."""
    (tmp / "store").mkdir()
    faults = Faults()
    handler = partial(_Handler, faults=faults, directory=str(tmp / "store"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    proxy = Proxy(server.server_address[1])
    try:
        yield Place(
            f"http://127.0.0.1:{proxy.port}",
            folder=tmp / "store",
            proxy=proxy,
            writable=False,
            faults=faults,
            impatient={"read_timeout": "1", "connect_timeout": "1"},
        )
    finally:
        proxy.close()
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def webdav(tmp: Path) -> Iterator[Place]:
    from cheroot import wsgi
    from wsgidav.wsgidav_app import WsgiDAVApp

    (tmp / "store").mkdir()
    app = WsgiDAVApp(
        {
            "provider_mapping": {"/": str(tmp / "store")},
            "http_authenticator": {"domain_controller": None},
            "simple_dc": {"user_mapping": {"*": {"ada": {"password": "s3cret"}}}},
            "verbose": 0,
            "logging": {"enable": False},
        }
    )
    faults = Faults()
    server = wsgi.Server(("127.0.0.1", 0), Faulty(app, faults))
    server.prepare()
    thread = threading.Thread(target=server.serve)
    thread.start()
    proxy = Proxy(server.bind_addr[1])
    try:
        yield Place(
            f"webdav://127.0.0.1:{proxy.port}",
            {"user": "ada", "password": "s3cret"},
            folder=tmp / "store",
            proxy=proxy,
            faults=faults,
            fill=fill_own,
            impatient={"timeout": "1"},
        )
    finally:
        proxy.close()
        server.stop()
        thread.join()


class SshServer(NamedTuple):
    """A server for SFTP, and the keys for it. ``pid``: its process, if it has one of its own."""

    port: int
    keys: Path
    pid: int | None


@contextlib.contextmanager
def ssh_server(keys: Path, sshd: Sshd | None) -> Iterator[SshServer]:
    """OpenSSH's server, or asyncssh's where there is none, with keys of its own in the folder ``keys``."""
    import asyncssh

    keys.mkdir(mode=0o700)
    for name in ("host", "user"):
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(keys / name)
        (keys / name).chmod(0o600)
        key.write_public_key(keys / f"{name}.pub")
    with _openssh(sshd, keys) if sshd else _asyncssh(keys) as (port, pid):
        yield SshServer(port, keys, pid)


@contextlib.contextmanager
def sftp(tmp: Path, server: SshServer) -> Iterator[Place]:
    """SSH, with a host key that the user knows, and a key that the server knows."""
    (tmp / "store").mkdir()
    proxy = Proxy(server.port)
    known = tmp / "home" / ".ssh" / "known_hosts"
    known.parent.mkdir(parents=True, exist_ok=True)
    host_key = (server.keys / "host.pub").read_text()
    known.write_text(f"[127.0.0.1]:{proxy.port} {host_key}")

    def fill(limit: int | None) -> None:
        _, hard = resource.prlimit(server.pid or 0, resource.RLIMIT_FSIZE)
        soft = resource.RLIM_INFINITY if limit is None else limit
        resource.prlimit(server.pid or 0, resource.RLIMIT_FSIZE, (soft, hard))

    try:
        yield Place(
            f"ssh://127.0.0.1:{proxy.port}{tmp / 'store'}",
            {"keyfile": str(server.keys / "user")},
            folder=tmp / "store",
            proxy=proxy,
            fill=fill if server.pid and hasattr(resource, "prlimit") else None,
            impatient={"timeout": "1"},
        )
    finally:
        proxy.close()


@contextlib.contextmanager
def _openssh(sshd: Sshd, keys: Path) -> Iterator[tuple[int, int | None]]:
    """The server as a process of this user, for this user alone; ended by its process id."""
    port = _free_port()
    if (
        os.geteuid() == 0
    ):  # it takes nothing else as root, and goes with the next start of the machine
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    config = keys / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {keys / 'host'}\n"
        f"AuthorizedKeysFile {keys / 'user.pub'}\nStrictModes no\nPidFile none\nUsePAM no\n"
        "Subsystem sftp internal-sftp\nPasswordAuthentication no\nMaxStartups 100\n"
        f"LogLevel ERROR\n{sshd.config()}"
    )
    # A file that becomes too long shall be an error, not a signal that ends the server: as it is ignored here,
    # so it is there.
    command = [str(sshd.program), "-D", "-e", "-f", str(config)]
    with _running(command, port, env=sshd.environment(), restore_signals=False) as pid:
        yield port, pid


@contextlib.contextmanager
def _running(command: list[str], port: int, **options: Any) -> Iterator[int]:
    """A server as a process, from when it answers at ``port``; ended by its process id.

    What it prints goes into a file: a pipe that nobody reads stops it when that is full.
    """
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, **options)
        try:
            limit = time.monotonic() + 60
            while True:
                if process.poll() is not None or time.monotonic() > limit:
                    output.seek(0)
                    raise AssertionError(f"the server does not answer: {output.read()}")
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.05)
            yield process.pid
        finally:
            process.terminate()
            process.wait(timeout=30)


@contextlib.contextmanager
def _asyncssh(keys: Path) -> Iterator[tuple[int, int | None]]:
    import asyncssh

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> Any:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[str(keys / "host")],
            authorized_client_keys=str(keys / "user.pub"),
            sftp_factory=True,
        )

    async def stop(acceptor: Any) -> None:
        acceptor.close()
        await acceptor.wait_closed()

    acceptor = asyncio.run_coroutine_threadsafe(start(), loop).result(30)
    try:
        yield acceptor.get_port(), None
    finally:
        asyncio.run_coroutine_threadsafe(stop(acceptor), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


@contextlib.contextmanager
def s3(tmp: Path, port: int) -> Iterator[Place]:
    """A bucket of its own at the S3 server on ``port``."""
    bucket = f"bucket{os.urandom(6).hex()}"
    request = urllib.request.Request(f"http://127.0.0.1:{port}/{bucket}", method="PUT")
    urllib.request.urlopen(request).close()
    proxy = Proxy(port)
    try:
        yield Place(
            f"s3://{bucket}/some/folder",
            {
                "endpointurl": f"http://127.0.0.1:{proxy.port}",
                "access_key_id": "AKIAEXAMPLE",
                "secret_access_key": "verysecretkey",
                "region": "us-east-1",
            },
            proxy=proxy,
            faults=_S3Faults(port),
            impatient={"read_timeout": "1", "connect_timeout": "1"},
        )
    finally:
        proxy.close()


class _S3Faults(NamedTuple):
    """Tells the process of the S3 server how to fail."""

    port: int

    def set(self, status: int, times: int = 0, methods: str = "", longer: int = 0) -> None:
        values = {"status": status, "times": times, "methods": methods, "longer": longer}
        self._ask("?" + urllib.parse.urlencode(values))

    @property
    def answered(self) -> int:
        return int(self._ask("")["answered"])

    def _ask(self, query: str) -> Any:
        url = f"http://127.0.0.1:{self.port}/-/faults{query}"
        with urllib.request.urlopen(url, timeout=60) as answer:
            return json.load(answer)


@contextlib.contextmanager
def gs(tmp: Path, port: int) -> Iterator[Place]:
    """A bucket of its own at the emulator of Google Cloud Storage on ``port``."""
    bucket = f"bucket{os.urandom(6).hex()}"
    with gateway(port) as (front, faults):
        body = json.dumps({"name": bucket}).encode()
        kind = {"Content-Type": "application/json"}
        url = f"http://127.0.0.1:{port}/storage/v1/b?project=test"
        urllib.request.urlopen(urllib.request.Request(url, body, kind), timeout=60).close()
        proxy = Proxy(front)
        try:
            yield Place(
                f"gs://{bucket}/some/folder",
                {"endpointurl": f"http://127.0.0.1:{proxy.port}", "allow_anonymous_login": "true"},
                proxy=proxy,
                faults=Uploading(faults),
            )
        finally:
            proxy.close()


@contextlib.contextmanager
def azure(tmp: Path, port: int) -> Iterator[Place]:
    """A container of its own at the emulator of Azure Blob Storage on ``port``."""
    from azure.storage.blob import BlobServiceClient

    container = f"container{os.urandom(6).hex()}"
    account = f"DefaultEndpointsProtocol=http;AccountName={AZURE_NAME};AccountKey={AZURE_KEY};"

    def at(place: int) -> str:
        return f"{account}BlobEndpoint=http://127.0.0.1:{place}/{AZURE_NAME};"

    with BlobServiceClient.from_connection_string(at(port)) as client:
        client.create_container(container)
    with gateway(port) as (front, faults):
        proxy = Proxy(front)
        try:
            yield Place(
                f"azure://{container}/some/folder",
                {"connection_string": at(proxy.port)},
                proxy=proxy,
                faults=faults,
                impatient={"read_timeout": "1", "connection_timeout": "1"},
            )
        finally:
            proxy.close()


AZURE_NAME = "devstoreaccount1"
AZURE_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
"""The account that every emulator of Azure has; its documentation prints this key."""


class Uploading(NamedTuple):
    """Faults of a server to which files are sent by POST."""

    faults: Faults

    @property
    def answered(self) -> int:
        return self.faults.answered

    def set(self, status: int, times: int = 0, methods: str = "", longer: int = 0) -> None:
        self.faults.set(status, times, methods.replace("PUT", "POST"), longer)


@contextlib.contextmanager
def gateway(port: int) -> Iterator[tuple[int, Faults]]:
    """A server that passes requests on to the one on ``port``, and can be made to fail: its port and its faults."""
    faults = Faults()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_PassingOn, port, faults))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1], faults
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _PassingOn(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, port: int, faults: Faults, *args: Any) -> None:
        self._port = port
        self._faults = faults
        super().__init__(*args)

    def log_message(self, *args: Any) -> None: ...

    def _pass_on(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # it was cut
            self.close_connection = True
            return
        status = self._faults.answer(self.command, len(body))
        if status is not None:
            self._answer(status, "Fault", [], b"")
            return
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            # As they are: some are signed.
            headers = {key: value for key, value in self.headers.items() if key != "Connection"}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            self._answer(answer.status, answer.reason, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def _answer(
        self, status: int, reason: str, headers: Sequence[tuple[str, str]], content: bytes
    ) -> None:
        self.send_response_only(status, reason)
        size = str(len(content))
        for key, value in headers:
            if key.lower() == "content-length" and self.command == "HEAD":
                size = value
            elif key.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(key, value)
        self.send_header("Content-Length", size)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass_on


@contextlib.contextmanager
def gs_server() -> Iterator[int]:
    """An emulator of Google Cloud Storage, in an environment of its own."""
    wanted = "gcp-storage-emulator==2026.7.19"
    program = peer_environment(wanted.replace("==", "-"), [wanted]) / "gcp-storage-emulator"
    port = _free_port()
    words = ["start", "--in-memory", "--quiet", "--host", "127.0.0.1", "--port", str(port)]
    with _running([str(program), *words], port):
        yield port


@contextlib.contextmanager
def azure_server(program: Sequence[str]) -> Iterator[int]:
    """The emulator of Azure Blob Storage that ``program`` runs."""
    port = _free_port()
    words = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--silent", "--disableTelemetry"]
    words += ["--inMemoryPersistence", "--skipApiVersionCheck"]
    with _running([*program, *words], port):
        yield port


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@contextlib.contextmanager
def s3_server() -> Iterator[int]:
    """An S3 server (moto) in a process and an environment of its own: it wants other versions than s3fs."""
    bin_folder = peer_environment("moto-5.1", ["moto[s3,server]~=5.1"])
    port = _free_port()
    script = str(Path(__file__).parent / "s3_server.py")
    with _running([str(bin_folder / "python"), script, str(port)], port):
        yield port

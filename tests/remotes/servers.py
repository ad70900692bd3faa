"""Servers on loopback for the tests of remotes, and a proxy that breaks what goes through it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.sandbox import peer_environment


class Proxy:
    """Passes TCP connections on to ``port``; ``cut_after`` bytes from either side, all are cut."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.cut_after: int | None = None
        self.cuts = 0
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
            while data := source.recv(1 << 14):
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


@contextlib.contextmanager
def folder(tmp: Path) -> Iterator[Place]:
    yield Place(str(tmp / "store"), folder=tmp / "store")


class _Handler(SimpleHTTPRequestHandler):
    failing: set[str] = set()
    """Paths that are answered by 500."""

    def log_message(self, *args: Any) -> None: ...

    def send_head(self) -> Any:
        if self.path in self.failing:
            self.send_error(500)
            return None
        return super().send_head()


@contextlib.contextmanager
def http(tmp: Path) -> Iterator[Place]:
    """A web server over a folder, for reading only."""
    (tmp / "store").mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(tmp / "store")))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    proxy = Proxy(server.server_address[1])
    try:
        yield Place(
            f"http://127.0.0.1:{proxy.port}", folder=tmp / "store", proxy=proxy, writable=False
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
    server = wsgi.Server(("127.0.0.1", 0), app)
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
        )
    finally:
        proxy.close()
        server.stop()
        thread.join()


@contextlib.contextmanager
def sftp(tmp: Path) -> Iterator[Place]:
    """SSH: an OpenSSH server where there is one, else asyncssh's."""
    (tmp / "store").mkdir()
    keys = tmp / "keys"
    keys.mkdir(mode=0o700)
    for name in ("host", "user"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(keys / name)], check=True
        )
    sshd = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    server = _openssh(sshd, keys) if sshd else _asyncssh(keys)
    with server as port:
        proxy = Proxy(port)
        known = tmp / "home" / ".ssh" / "known_hosts"
        known.parent.mkdir(parents=True, exist_ok=True)
        host_key = (keys / "host.pub").read_text()
        known.write_text(f"[127.0.0.1]:{proxy.port} {host_key}")
        try:
            yield Place(
                f"ssh://127.0.0.1:{proxy.port}{tmp / 'store'}",
                {"keyfile": str(keys / "user")},
                folder=tmp / "store",
                proxy=proxy,
            )
        finally:
            proxy.close()


@contextlib.contextmanager
def _openssh(sshd: str, keys: Path) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    config = keys / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {keys / 'host'}\n"
        f"AuthorizedKeysFile {keys / 'user.pub'}\nStrictModes no\nPidFile none\nUsePAM no\n"
        "Subsystem sftp internal-sftp\nPasswordAuthentication no\n"
    )
    process = subprocess.Popen(
        [sshd, "-D", "-e", "-f", str(config)], stderr=subprocess.PIPE, text=True
    )
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


@contextlib.contextmanager
def _asyncssh(keys: Path) -> Iterator[int]:
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
        yield acceptor.get_port()
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
        )
    finally:
        proxy.close()


@contextlib.contextmanager
def s3_server() -> Iterator[int]:
    """An S3 server (moto) in a process and an environment of its own: it wants other versions than s3fs."""
    bin_folder = peer_environment("moto-5.1", ["moto[s3,server]~=5.1"])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    process = subprocess.Popen(
        [str(bin_folder / "moto_server"), "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.communicate(timeout=10)


def _wait_for(port: int, process: subprocess.Popen[str]) -> None:
    """Return when the server accepts connections. Raises AssertionError if it ends first."""
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise AssertionError(f"the server ended: {process.communicate()[1]}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise AssertionError("the server does not answer")

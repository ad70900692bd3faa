"""Runs inside the Python under test: carries out many ``exp`` commands, importing what they need once.

Half of a short command is spent on importing. Each command is a forked child with arguments, folder, environment and
streams of its own, which ends as Python ends; so nothing of it stays behind. Started by ``tests.preloaded``: its only
argument is the descriptor of a socket, of which each request has the three streams, a length, and so many bytes of
JSON, ``{"argv": [...], "cwd": "...", "env": {...}}``. Answered are the child's process id, and how it ended.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import struct
import sys
from typing import Any

LENGTH = struct.Struct("!I")
ANSWER = struct.Struct("!i")
OTHERS = (
    "antlr4",
    "click.shell_completion",
    "configobj",
    "ctypes",
    "difflib",
    "doit",
    "getpass",
    "hashlib",
    "hydra.core.override_parser.overrides_parser",
    "omegaconf",
    "pathspec",
    "rich.box",
    "rich.console",
    "rich.live",
    "rich.table",
    "rich.text",
    "ruamel.yaml",
    "sqlite3",
    "tomlkit",
    "xxhash",
    "yaml",
)
"""What the commands import late, of others."""


def preload() -> None:
    import redoit

    for module in pkgutil.walk_packages(redoit.__path__, "redoit."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in OTHERS:
        with contextlib.suppress(ImportError):  # only a saving of time
            importlib.import_module(name)


def received(connection: socket.socket, size: int) -> bytes:
    """So many bytes, fewer at the end."""
    parts = b""
    while len(parts) < size and (part := connection.recv(size - len(parts))):
        parts += part
    return parts


def become(request: dict[str, Any], streams: list[int]) -> None:
    """Make this process the one that a shell would have started."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    sys.argv = request["argv"]


def serve(connection: socket.socket) -> None:
    """Until the other end is closed. Returns in the child of each request, too."""
    while True:
        sign, streams, _, _ = socket.recv_fds(connection, 1, 3)
        if not sign:
            sys.exit()
        (size,) = LENGTH.unpack(received(connection, LENGTH.size))
        request = json.loads(received(connection, size))
        pid = os.fork()
        if pid == 0:
            connection.close()
            become(request, streams)
            return
        for stream in streams:
            os.close(stream)
        connection.sendall(ANSWER.pack(pid))
        _, status = os.waitpid(pid, 0)
        connection.sendall(ANSWER.pack(os.waitstatus_to_exitcode(status)))


def main() -> None:
    preload()
    gc.freeze()
    sys.path[0] = os.path.dirname(sys.executable)  # as for the command
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the commands
    serve(socket.socket(fileno=int(sys.argv[1])))
    from redoit.cli.main import main as command

    command()


if __name__ == "__main__":
    main()

"""Files that another repository keeps in Git LFS: Git has a pointer, ``git lfs`` gets what it stands for.

That command is given the address of the repository and nothing else of it: it works in an empty repository of ours,
where neither ``.lfsconfig`` nor hooks of the other are to be found.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
from typing import NamedTuple

from redoit.errors import GitError
from redoit.git import Git, environment
from redoit.project import Layout
from redoit.redact import redacted
from redoit.store.links import failing

_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-.*\n)*oid sha256:([0-9a-f]{64})\nsize (\d+)\n"
)
_LONGEST = 1024
"""Bytes of a pointer, at most."""
_CHUNK = 1 << 20


class Pointer(NamedTuple):
    """What Git has of a file: the SHA-256 of its content, its size in bytes, and the text that says so."""

    digest: str
    size: int
    text: bytes


def pointer_of(data: bytes) -> Pointer | None:
    """The pointer that ``data`` are; None if they are the file itself."""
    found = _POINTER.fullmatch(data) if len(data) <= _LONGEST else None
    return Pointer(found[1].decode(), int(found[2]), data) if found else None


def fetch(layout: Layout, url: str, path: str, pointer: Pointer, target: str) -> None:
    """Write the file ``path`` of the repository ``url`` to ``target``; it is digested before it is believed.

    Raises GitError if ``git lfs`` is not installed, or cannot get it.
    """
    os.makedirs(layout.tmp, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lfs-", dir=layout.tmp) as folder:
        Git(folder).run("init", "--quiet", "--bare", "--template=")
        said = _smudge(folder, url, pointer, target)
    if said is not None and "is not a git command" in said:
        raise GitError(
            f"'{path}' lies in Git LFS, and `git lfs` is not installed",
            facts={"repository": redacted(url)},
            hint="install Git LFS; or import the file by a URL of its own",
        )
    if said is not None or not _is_whole(target, pointer):
        raise GitError(
            f"'{path}' cannot be got from Git LFS",
            facts={
                "repository": redacted(url),
                "because": redacted(said or "what came is not what the pointer says"),
            },
            hint="check the network and your access to the repository's LFS server",
        )


def _smudge(folder: str, url: str, pointer: Pointer, target: str) -> str | None:
    """Let ``git lfs`` write the content to ``target``; what it said if it failed."""
    with failing(target), open(target, "wb") as file:
        done = subprocess.run(
            ["git", "-c", f"remote.origin.url={url}", "lfs", "smudge"],
            cwd=folder,
            env={**environment(), "GIT_LFS_SKIP_SMUDGE": "0"},
            input=pointer.text,
            stdout=file,
            stderr=subprocess.PIPE,
            check=False,
        )
    if not done.returncode:
        return None
    lines = os.fsdecode(done.stderr).splitlines()
    told = [line for line in lines if "rror" in line or "is not a git command" in line]
    return (told or lines or ["it gave no reason"])[0][:300]


def _is_whole(target: str, pointer: Pointer) -> bool:
    digest = hashlib.sha256()
    with failing(target), open(target, "rb") as file:
        while data := file.read(_CHUNK):
            digest.update(data)
        return file.tell() == pointer.size and digest.hexdigest() == pointer.digest

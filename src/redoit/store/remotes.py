"""The remotes of a project: opened by name, with DVC's layout of objects inside."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from redoit.config.load import suggestion
from redoit.config.schema import scheme_of
from redoit.config.values import Config
from redoit.errors import RedoitError, RemoteError
from redoit.files import digest_bytes
from redoit.model import Algo, Oid
from redoit.redact import HIDDEN, redacted
from redoit.store.backends import Options, open_backend
from redoit.store.storage import FolderStorage, Storage
from redoit.store.versioned_storage import VersionedStorage, Versions

_FOLDERS: Mapping[Algo, str] = {
    Algo.MD5: "files/md5/",
    Algo.XXH128: "files/xxh128/",
    Algo.MD5_DOS2UNIX: "",
}
"""Where the objects of each digest lie in a remote; DVC 2 had no folder of its own for them."""
_DEPTH = 8
"""So many remotes may refer to one another by ``remote://``."""


class Remote(NamedTuple):
    """An opened remote. ``url`` can be shown."""

    name: str
    url: str
    storage: Storage
    jobs: int | None = None
    """How many transfers at a time its options ask for."""
    secrets: tuple[str, ...] = ()
    """What no error may show."""
    versioned: bool = False
    """Whether it keeps versions in the cloud, under the names that the data have in the project."""

    def __str__(self) -> str:
        return f"'{self.name}' ({self.url})"


class Remotes:
    """Owns the remotes that were opened; each is opened once, when it is first asked for. Thread-safe.

    ``versions`` tells what is recorded of a remote that keeps versions in the cloud; without it there can be none.
    """

    def __init__(self, config: Config, versions: Callable[[str], Versions] | None = None) -> None:
        self._config = config
        self._versions = versions
        self._lock = threading.Lock()
        self._opened: dict[str, Remote] = {}

    def name_of(self, name: str | None, path: str | None = None) -> str:
        """``name``, or that of the default remote. Raises RemoteError if there is no such remote.

        ``path``: the out that names it, if one does.
        """
        known = self._config.remotes
        found = name.lower() if name else self._config.remote
        if found is None:
            raise RemoteError(
                "it is not said which remote to use",
                hint=f"`exp remote default NAME` says it, for `exp data` also -r NAME: {', '.join(known)}"
                if known
                else "add one: exp remote add -d NAME URL",
            )
        if found not in known:
            raise RemoteError(
                f"there is no remote '{found}'",
                facts={"named by": path} if path and name else {},
                hint=suggestion(found, list(known)) if known else "exp remote add NAME URL adds it",
            )
        return found

    def token(self, name: str) -> str:
        """Tells the remote ``name`` with its URL from others, without opening it; fit for a path."""
        url = str(resolved_options(name, self._config.remotes)["url"])
        return digest_bytes(f"{name} {url}".encode())

    def open(self, name: str | None = None) -> Remote:
        """The remote ``name``, or the default one. Raises RemoteError."""
        found = self.name_of(name)
        with self._lock:
            remote = self._opened.get(found)
            if remote is None:
                remote = _open(found, self._config.remotes, self._versions)
                self._opened[found] = remote
            return remote


def object_name(oid: Oid, algo: Algo) -> str:
    """Where in a remote an object lies."""
    return f"{_FOLDERS[algo]}{oid[:2]}/{oid[2:]}"


def folder_name(prefix: str, algo: Algo) -> str:
    """Where in a remote the objects lie whose oids begin with the two letters ``prefix``."""
    return f"{_FOLDERS[algo]}{prefix}"


def check_writable(remote: Remote) -> None:
    """Raise RemoteError for a remote that takes nothing."""
    if remote.versioned:
        raise RemoteError(
            f"the remote '{remote.name}' keeps versions in the cloud, and is for reading only",
            facts={"url": remote.url},
            hint=f"name another one with -r; or `dvc push -r {remote.name}`, which records the versions",
        )
    if not remote.storage.writable:
        raise RemoteError(
            f"the remote '{remote.name}' is for reading only",
            facts={"url": remote.url},
            hint="name another one with -r",
        )


def _open(
    name: str,
    known: Mapping[str, Mapping[str, Any]],
    versions: Callable[[str], Versions] | None,
) -> Remote:
    table = resolved_options(name, known)
    url = str(table["url"])
    options = Options(name, table)
    jobs = options.number("jobs")
    scheme = scheme_of(url)
    if options.versioned() and (versions is None or scheme != "s3"):
        raise RemoteError(
            f"the remote '{name}' keeps versions in the cloud (worktree, version_aware), which is not supported here",
            facts={"url": redacted(url)},
            hint=f"name another one with -r, or use DVC for this one: dvc pull -r {name}",
        )
    try:
        storage: Storage
        if not scheme:
            storage = FolderStorage(url, shared=options.text("shared") is not None)
        elif options.versioned() and versions is not None:
            storage = VersionedStorage(name, open_backend(scheme, url, options), versions(name))
        else:
            storage = open_backend(scheme, url, options)
    except RedoitError:
        raise
    except Exception as error:  # whatever a library of a remote raises
        raise unusable(name, redacted(url), error, options.secrets()) from error
    many = int(jobs) if jobs else None
    return Remote(name, redacted(url), storage, many, options.secrets(), options.versioned())


def resolved_options(name: str, known: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The options of a remote; one at ``remote://OTHER/path`` has those of OTHER below its own."""
    table = dict(known[name])
    for _ in range(_DEPTH):
        url = str(table["url"])
        if not url.startswith("remote://"):
            return table
        other, _, path = url.removeprefix("remote://").partition("/")
        if other.lower() not in known:
            raise RemoteError(
                f"the remote '{name}' refers to '{other}', which is not there",
                hint=f"exp remote add {other} URL",
            )
        below = known[other.lower()]
        joined = f"{str(below['url']).rstrip('/')}/{path}" if path else below["url"]
        table = {**below, **table, "url": joined}
    raise RemoteError(f"the remote '{name}' refers to itself", hint="give one of them a real URL")


def unusable(name: str, url: str, error: BaseException, secrets: Sequence[str]) -> RemoteError:
    """The error for a remote that a library could not use."""
    return RemoteError(
        f"the remote '{name}' cannot be used",
        facts={"url": url, "because": because(error, secrets)},
        hint="check the URL, the network and the credentials",
    )


def because(error: BaseException, secrets: Sequence[str] = ()) -> str:
    """What a library said, on one line and without secrets."""
    strerror = getattr(error, "strerror", None)
    text = strerror if isinstance(strerror, str) and strerror else str(error)
    text = " ".join(text.split()) or type(error).__name__
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return redacted(text)[:300]

"""Where data are imported from by URL: a file or folder somewhere, what tells its content apart, and its bytes."""

from __future__ import annotations

import base64
import contextlib
import os
import posixpath
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote

from redoit.config.schema import remote_options, scheme_of
from redoit.config.values import Config
from redoit.errors import RedoitError, RemoteError, StoreError
from redoit.redact import redacted
from redoit.store.backends import Options, open_backend
from redoit.store.fsspec_storage import FsspecStorage
from redoit.store.links import failing
from redoit.store.remotes import because, resolved_options
from redoit.store.storage import copy_content


class Facts(NamedTuple):
    """What a place tells of one of its files; ``name`` is ``""`` if it is the place itself."""

    name: str
    size: int | None
    mark: str | None = None
    """What changes with the content; None: that has to be read."""
    isexec: bool = False
    version: str | None = None
    """Which version of the file is meant, of a place that keeps them."""


class Place(Protocol):
    """A file or folder to be imported. Safe to use from several threads."""

    mark: str
    """What DVC calls the mark that tells contents apart: ``etag`` or ``checksum``; ``""`` if there is none."""
    jobs: int | None
    versioned: bool
    """Whether it keeps the versions of its files, and they are meant by these."""

    def is_folder(self) -> bool:
        """Whether it is a folder. Raises StoreError if there is nothing."""

    def files(self) -> list[Facts]:
        """Its files, sorted by name; of a file itself. Raises StoreError if there is nothing."""

    def get(self, name: str, target: str) -> None:
        """Write a file's content to ``target``, a path on this machine. Raises StoreError."""

    def path_of(self, name: str) -> str | None:
        """Under which path this machine has the file; None if it has not."""


def open_place(
    url: str,
    config: Config,
    folder: str,
    fs_config: Mapping[str, Any] | None = None,
    *,
    recorded: Mapping[str, Any] | None = None,
    version: str | None = None,
) -> Place:
    """The place at ``url``: a path (relative to ``folder``), a URL, or ``remote://NAME/path``.

    One that keeps versions is as it is now; or as ``recorded`` in a ``.dvc`` file; or its one file is at ``version``.
    Raises RemoteError for a remote that there is not, a kind that is not supported, or lacks its package.
    """
    if not is_url(url):
        return FolderPlace(os.path.normpath(os.path.join(folder, os.path.expanduser(url))))
    given = {option: _as_text(value) for option, value in (fs_config or {}).items()}
    table: dict[str, Any] = {"url": url, **given}
    name = redacted(url)
    if url.startswith("remote://"):
        table = resolved_options(name, {**config.remotes, name: table})
    if has_versions(recorded or {}):
        table["version_aware"] = "true"
    where = str(table["url"])
    _check_options(name, where, table)
    if not is_url(where):
        return FolderPlace(where)
    options = Options(name, table)
    top, file = _divided(where)
    try:
        storage = open_backend(scheme_of(where), top, options)
    except RedoitError:
        raise
    except Exception as error:  # whatever a library of a remote raises
        raise _unusable(name, error, options) from error
    if options.versioned():
        known = _recorded(recorded, name) if has_versions(recorded or {}) else None
        return VersionedPlace(storage, scheme_of(where), file, options, known, version)
    return RemotePlace(storage, scheme_of(where), file, options)


def has_versions(record: Mapping[str, Any]) -> bool:
    """Whether the record of a place names versions of its files."""
    return "version_id" in record or "files" in record


def _recorded(record: Mapping[str, Any] | None, url: str) -> list[Facts]:
    """The files as a ``.dvc`` file names them. Raises StoreError for a name that leads out of their folder."""
    if record is None or "files" not in record:
        return [_recorded_file("", record or {})]
    rows: Iterable[Mapping[str, Any]] = record["files"] or ()
    found = [_recorded_file(str(row["relpath"]), row) for row in rows]
    _check_names([facts.name for facts in found], url)
    return sorted(found)


def _recorded_file(name: str, row: Mapping[str, Any]) -> Facts:
    return Facts(name, row.get("size"), str(row.get("etag", "")), version=row.get("version_id"))


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def is_url(text: str) -> bool:
    """Whether ``text`` is a URL; everything else is a path."""
    return re.match(r"[A-Za-z][\w+.-]*://", text) is not None


def _check_options(name: str, url: str, table: Mapping[str, Any]) -> None:
    """Raise RemoteError for options that this kind of remote does not have."""
    known = remote_options(url)
    if known is None:
        raise RemoteError(
            f"'{name}' is of a kind that is not supported",
            hint="take a path, or an s3://, gs://, azure://, ssh://, http(s):// or webdav(s):// URL",
        )
    unknown = [option for option in table if option not in known and option != "url"]
    if unknown:
        raise RemoteError(
            f"there is no option '{unknown[0]}' for {redacted(url)}",
            hint=f"options are {', '.join(sorted(set(known) - {'url'}))}",
        )
    if Options(name, table).versioned() and scheme_of(url) != "s3":
        raise RemoteError(
            f"'{name}' cannot be imported by its versions",
            hint="that is for s3:// URLs and remotes; leave version_aware out, or use DVC for this import",
        )


def _divided(url: str) -> tuple[str, str]:
    """The URL of the folder that ``url`` lies in, and its name there; ``""`` if it names a whole server or bucket."""
    scheme, _, rest = url.rstrip("/").partition("://")
    folder, slash, name = rest.rpartition("/")
    if not slash:
        return url, ""
    return f"{scheme}://{folder}", name if scheme.startswith(("http", "s3", "gs")) else unquote(
        name
    )


def _unusable(name: str, error: BaseException, options: Options) -> RemoteError:
    return RemoteError(
        f"'{name}' cannot be read",
        facts={"because": because(error, options.secrets())},
        hint="check the URL, the network and the credentials",
    )


def nothing_there(name: str) -> StoreError:
    """The error for a place where nothing is."""
    return StoreError(
        f"there is nothing at '{name}' that could be imported",
        hint="check the path or URL; a web server has files only, no folders",
    )


class FolderPlace:
    """A file or folder of this machine."""

    mark = ""
    jobs: int | None = None
    versioned = False

    def __init__(self, path: str) -> None:
        self.path = path

    def is_folder(self) -> bool:
        if not os.path.exists(self.path):
            raise nothing_there(self.path)
        return os.path.isdir(self.path)

    def files(self) -> list[Facts]:
        if not self.is_folder():
            status = os.stat(self.path)
            if not stat.S_ISREG(status.st_mode):
                raise StoreError(f"'{self.path}' is neither a file nor a folder")
            return [Facts("", status.st_size, None, bool(status.st_mode & stat.S_IXUSR))]
        with failing(self.path):
            found = [
                Facts(name, os.stat(os.path.join(self.path, name)).st_size)
                for name in _files_below(self.path)
            ]
        return sorted(found)

    def get(self, name: str, target: str) -> None:
        source = self.path_of(name)
        with failing(source):
            copy_content(source, target)

    def path_of(self, name: str) -> str:
        return os.path.join(self.path, name) if name else self.path


def _files_below(top: str) -> Iterator[str]:
    def stop(error: OSError) -> None:
        raise error

    for folder, _, names in os.walk(top, onerror=stop):
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), top).replace(os.sep, "/")


_MARKS = {
    **dict.fromkeys(("s3", "gs", "azure", "webdav", "webdavs"), "etag"),
    **dict.fromkeys(("http", "https"), "checksum"),
}


class RemotePlace:
    """The file or folder ``name`` of a file system of fsspec."""

    versioned = False

    def __init__(self, storage: FsspecStorage, scheme: str, name: str, options: Options) -> None:
        self.mark = _MARKS.get(scheme, "")
        jobs = options.number("jobs")
        self.jobs = int(jobs) if jobs else None
        self._storage = storage
        self._scheme = scheme
        self._name = name
        self._options = options

    def is_folder(self) -> bool:
        with self._asking():
            return bool(self._storage.info(self._name).get("type") == "directory")

    def files(self) -> list[Facts]:
        with self._asking():
            info = self._storage.info(self._name)
            if info.get("type") != "directory":
                return [self._facts("", self._name, info)]
            infos = self._storage.infos(self._name)
        names = [name for name in infos if name and not name.endswith("/")]
        _check_names(names, self._options.name)
        return sorted(self._facts(name, self._whole(name), infos[name]) for name in names)

    def get(self, name: str, target: str) -> None:
        with self._asking():
            for left in reversed(range(self._storage.attempts)):
                try:
                    self._read(name, target)
                except FileNotFoundError:
                    raise
                except Exception:  # whatever a library of a remote raises
                    if not left:
                        raise
                else:
                    return

    def path_of(self, name: str) -> None:
        return None

    def _read(self, name: str, target: str) -> None:
        self._storage.get(self._whole(name), target)

    def _whole(self, name: str) -> str:
        return posixpath.join(self._name, name) if name else self._name

    def _facts(self, name: str, whole: str, info: Mapping[str, Any]) -> Facts:
        size = info.get("size")
        isexec = bool((info.get("mode") or 0) & stat.S_IXUSR)
        return Facts(name, None if size is None else int(size), self._mark(whole, info), isexec)

    def _mark(self, whole: str, info: Mapping[str, Any]) -> str | None:
        """The mark of a file as DVC writes it."""
        if self._scheme == "s3":
            return str(info["ETag"]).strip('"')
        if self._scheme == "gs":
            return base64.b64decode(info["etag"]).hex()
        if self._scheme == "azure":
            etag = str(info["etag"])
            return etag if etag.startswith('"') else f'"{etag}"'
        if self.mark == "checksum":
            told = info.get("ETag") or info.get("Content-MD5")
            return str(told) if told else self._storage.checksum(whole)
        if self.mark == "etag":
            return str(info["etag"]) if info.get("etag") else None
        return None

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            # fsspec says so of a web server too that does not answer at all.
            cause = error.__cause__
            if self.mark == "checksum" and getattr(cause, "status", 0) not in (404, 410) and cause:
                raise _unusable(self._options.name, cause, self._options) from cause
            raise nothing_there(self._options.name) from None
        except StoreError:
            raise
        except Exception as error:  # whatever a library of a remote raises
            raise _unusable(self._options.name, error, self._options) from error


class VersionedPlace(RemotePlace):
    """The same of one that keeps the versions of its files.

    Owns which version of each file is meant: as ``recorded``, else the ``version`` of its one file, else the latest.
    """

    versioned = True

    def __init__(
        self,
        storage: FsspecStorage,
        scheme: str,
        name: str,
        options: Options,
        recorded: list[Facts] | None,
        version: str | None,
    ) -> None:
        super().__init__(storage, scheme, name, options)
        self._version = version
        self._is_folder = None if recorded is None else [each.name for each in recorded] != [""]
        self._files = recorded

    def is_folder(self) -> bool:
        if self._is_folder is None:
            self._is_folder = self._version is None and super().is_folder()
        return self._is_folder

    def files(self) -> list[Facts]:
        if self._files is None:
            if self._version is None:
                found = super().files()
            else:
                found = [self._facts("", self._name, self._info_of(self._version))]
            for facts in found:
                self._check_kept(facts)
            self._files = found
        return self._files

    def _info_of(self, version: str) -> Mapping[str, Any]:
        with self._asking():
            try:
                return self._storage.info(self._name, version)
            except FileNotFoundError:
                raise StoreError(
                    f"there is no version '{version}' of '{self._options.name}'",
                    hint="give the id of one that the bucket keeps",
                ) from None

    def _facts(self, name: str, whole: str, info: Mapping[str, Any]) -> Facts:
        return super()._facts(name, whole, info)._replace(version=info.get("VersionId"))

    def _check_kept(self, facts: Facts) -> None:
        if facts.version in (None, "null"):
            raise StoreError(
                f"there is a file without a version at '{self._options.name}'",
                facts={"file": self._whole(facts.name)},
                hint="switch on the versioning of the bucket and put the file there anew, or leave --version-aware out",
            )

    def _read(self, name: str, target: str) -> None:
        version = {facts.name: facts.version for facts in self.files()}[name]
        try:
            self._storage.get(self._whole(name), target, version)
        except FileNotFoundError:
            raise StoreError(
                f"a version of a file is not kept any more at '{self._options.name}'",
                facts={"file": self._whole(name), "version": version},
                hint="`exp data update` takes what is there now",
            ) from None


def _check_names(names: list[str], url: str) -> None:
    """Raise StoreError for a name that leads out of its folder."""
    for name in names:
        if name.startswith("/") or {"..", ".", ""} & set(name.split("/")):
            raise StoreError(
                "a file of the folder to be imported has a name that leads elsewhere",
                facts={"folder": url, "name": repr(name)},
                hint="import the files that are meant, one by one",
            )

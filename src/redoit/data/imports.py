"""Data imported from a URL or from another Git repository, and brought up to date with it."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from typing import Any, NamedTuple

from redoit.data.add import SUFFIX, check_place
from redoit.data.update import checkout_import
from redoit.engine.session import Session
from redoit.errors import (
    ConfigError,
    StoreError,
    UsageError,
)
from redoit.graph import build_graph
from redoit.imports.repository import checked_path
from redoit.imports.sources import Sources
from redoit.model import Entry, Import, RepoPath
from redoit.redact import SECRETS, redacted
from redoit.spec.datafile import make_source
from redoit.store.moved import Meter
from redoit.store.places import has_versions, is_url
from redoit.store.remotes import Remotes
from redoit.trace.importfile import import_data, write_import


class ImportRequest(NamedTuple):
    """What is to become of an import; each field is an option. ``out`` is relative to the directory ``cwd``."""

    out: str | None = None
    cwd: str = ""
    force: bool = False
    no_exec: bool = False
    """Only write the ``.dvc`` file."""
    no_download: bool = False
    """Also find out what the source holds."""
    to_remote: bool = False
    """Send the data to a remote, and neither to the cache nor to the workspace."""
    remote: str | None = None
    jobs: int = 0
    version_aware: bool = False
    """Remember the versions of a cloud that keeps them, of a URL."""


class Imported(NamedTuple):
    """An import: its ``.dvc`` file, and what was done."""

    path: RepoPath
    file: RepoPath
    entry: Entry
    origin: Import


def import_url(
    session: Session,
    url: str,
    request: ImportRequest,
    remotes: Remotes,
    meter: Meter,
    fs_config: Mapping[str, Any] | None = None,
) -> Imported:
    """Put a file or folder that ``url`` names under a ``.dvc`` file that remembers where it comes from.

    Raises UsageError, StoreError, RemoteError, GraphError; then nothing is to be seen of it.
    """
    if request.to_remote and (request.no_exec or request.no_download or request.version_aware):
        raise UsageError(
            "--to-remote cannot be given with --no-exec, --no-download or --version-aware",
            hint="leave one of them out",
        )
    if request.remote and not request.to_remote:
        raise UsageError("-r names where --to-remote sends the data", hint="add --to-remote")
    _check_secrets(url, fs_config or {}, "put it behind a remote, and import remote://NAME/path")
    options = dict(fs_config or {})
    if request.version_aware:
        options["version_aware"] = True
    path = _place(session, url, request)
    wdir = posixpath.dirname(path)
    if request.version_aware and not is_url(url):
        raise UsageError(
            f"'{url}' is a path, which has no versions",
            hint="--version-aware is for s3:// URLs and remotes",
        )
    where = url if is_url(url) else _relative(session, url, wdir, request)
    return _import(
        session, Import(where, None, None, options or None), path, request, remotes, meter
    )


def import_from(
    session: Session,
    repo: Mapping[str, Any],
    path: str,
    request: ImportRequest,
    remotes: Remotes,
    meter: Meter,
) -> Imported:
    """Put ``path`` of another Git repository under a ``.dvc`` file that remembers the commit it is of.

    ``repo`` is what the file says of the repository. Raises GitError, StoreError, RemoteError, TransferFailed,
    GraphError; then nothing is to be seen of it.
    """
    _check_secrets(repo["url"], {}, "let Git ask for it (a credential helper), or use SSH")
    for options in (repo.get("remote"), repo.get("config")):
        _check_secrets("", options if isinstance(options, Mapping) else {}, "use --config FILE")
    checked_path(path)
    place = _place(session, path, request)
    return _import(session, Import(path, repo), place, request, remotes, meter)


def _check_secrets(url: str, options: Mapping[str, Any], hint: str) -> None:
    """Raise ConfigError for what must not stand in a ``.dvc`` file."""
    secret = next((key for key in _keys(options) if key in SECRETS), None)
    if redacted(url) != url or secret:
        raise ConfigError(
            f"the {secret or 'password in the URL'} would be written into the .dvc file, which Git keeps",
            facts={"url": redacted(url)} if url else {},
            hint=hint,
        )


def _keys(options: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for key, value in options.items():
        found += [str(key), *(_keys(value) if isinstance(value, Mapping) else ())]
    return found


def _place(session: Session, source: str, request: ImportRequest) -> RepoPath:
    """Where the data go. Raises StoreError for a place that is taken, or cannot be."""
    layout = session.layout
    name = posixpath.basename(
        posixpath.normpath(source.split("?")[0] if is_url(source) else source)
    )
    folder = request.cwd or layout.root
    out = request.out or name
    if request.out and os.path.isdir(os.path.join(folder, request.out)):
        out = posixpath.join(request.out, name)
    # As it was given: a symbolic link above it is to be refused, not followed.
    path = RepoPath(os.path.relpath(os.path.normpath(os.path.join(folder, out)), layout.root))
    known = {out.path: stage for stage in session.graph.stages.values() for out in stage.outs}
    check_place(session, path, known)
    parent = os.path.dirname(layout.abspath(path))
    if not os.path.isdir(parent):
        raise StoreError(
            f"there is no folder for '{path}'",
            facts={"folder": parent},
            hint="make it first, or give another path",
        )
    for each in (path, RepoPath(path + SUFFIX)):
        if os.path.lexists(layout.abspath(each)) and not request.force:
            raise StoreError(
                f"'{each}' is there already",
                hint="give another path for the data, or replace it with --force",
            )
    return path


def _relative(session: Session, url: str, wdir: str, request: ImportRequest) -> str:
    """A path as the ``.dvc`` file has it: an absolute one stays so if it leads out of the project."""
    root = session.layout.root
    place = os.path.normpath(os.path.join(request.cwd or root, os.path.expanduser(url)))
    if os.path.isabs(os.path.expanduser(url)) and not f"{place}/".startswith(f"{root}/"):
        return place
    return os.path.relpath(place, session.layout.abspath(wdir))


def _import(
    session: Session,
    origin: Import,
    path: RepoPath,
    request: ImportRequest,
    remotes: Remotes,
    meter: Meter,
) -> Imported:
    layout = session.layout
    file = RepoPath(path + SUFFIX)
    name = posixpath.basename(path)
    nothing = Entry(name, None, layout.algo)
    value = import_data(origin, nothing, layout.algo, resolved=False)
    stage, _ = make_source(layout.root, file, value)
    build_graph({**session.graph.stages, stage.address: stage})
    session.store.check_untracked([path])
    sources = Sources(layout, session.store.objects, meter, jobs=request.jobs, cwd=request.cwd)
    entry = nothing
    if request.to_remote:
        taken = sources.send(origin, stage.wdir, remotes.open(request.remote))
        origin, entry = origin._replace(record=taken.record), taken.entry._replace(path=name)
    elif not request.no_exec:
        if origin.repo is not None or request.no_download:
            origin = sources.resolve(origin, stage.wdir)
        if request.no_download:
            sources.check(origin, stage.wdir)
        else:
            taken = sources.take(origin, stage.wdir)
            entry = taken.entry._replace(path=name)
            if taken.record is not None:
                origin = origin._replace(record=taken.record)
    session.store.ignore([path])
    # The record first: whatever stops us here, `exp data checkout` completes it.
    push = not has_versions(origin.record or {})  # they are kept where they come from
    write_import(layout, file, origin, entry, resolved=not request.no_exec, push=push)
    stage = stage._replace(origin=origin)
    if entry.oid is not None and not request.to_remote:
        checkout_import(session, stage, entry, force=True)
    return Imported(path, file, entry, origin)

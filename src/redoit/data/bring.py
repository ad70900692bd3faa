"""Files and directories from elsewhere made data of the project: copied into it, or sent to a remote at once."""

from __future__ import annotations

import errno
import os
import shutil
from typing import NamedTuple

from redoit.config.schema import scheme_of
from redoit.data.add import SUFFIX, Added, add, check_place, record
from redoit.data.targets import DataRequest
from redoit.engine.session import Session
from redoit.errors import StoreError, TargetNotFound
from redoit.model import RepoPath
from redoit.store.links import failing
from redoit.store.moved import Meter
from redoit.store.remotes import Remotes
from redoit.store.send import send


class BringRequest(NamedTuple):
    """What ``exp data add --out`` or ``--to-remote`` is asked to do; each field is an option."""

    source: str
    out: str | None = None
    cwd: str = ""
    to_remote: bool = False
    remote: str | None = None
    jobs: int = 0
    force: bool = False
    no_commit: bool = False
    relink: bool = True


def bring(session: Session, request: BringRequest, remotes: Remotes, meter: Meter) -> Added:
    """Put a file or directory of this machine under a ``.dvc`` file of the project, wherever it lies.

    It is copied to ``out``; with ``to_remote`` it is only sent to a remote, and neither the workspace nor the cache gets
    it. Raises TargetNotFound, StoreError for what cannot be data and for what is there already unless ``force``,
    RemoteError, TransferFailed; then nothing is recorded.
    """
    layout = session.layout
    if scheme_of(request.source):
        raise StoreError(
            f"'{request.source}' is not a path of this machine",
            hint="`exp data add` takes files and directories; get it first",
        )
    source = os.path.abspath(os.path.join(request.cwd or layout.root, request.source))
    if not os.path.exists(source):
        raise TargetNotFound(
            f"there is nothing at '{request.source}' that could be added",
            facts={"looked for": source},
        )
    out = request.out or os.path.basename(source)
    place = os.path.abspath(os.path.join(request.cwd or layout.root, out))
    if os.path.isdir(place) and place != source:
        place = os.path.join(place, os.path.basename(source))
    path = RepoPath(os.path.relpath(place, layout.root))
    known = {out.path: stage for stage in session.graph.stages.values() for out in stage.outs}
    check_place(session, path, known)
    if not request.force and place != source:
        for taken in (place, place + SUFFIX):
            if os.path.lexists(taken):
                raise StoreError(
                    f"'{os.path.relpath(taken, layout.root)}' is there already",
                    hint="--force replaces it",
                )
    session.store.check_untracked([path])
    if request.to_remote:
        remote = remotes.open(request.remote)
        content = send(source, remote, layout.algo, jobs=request.jobs, meter=meter)
        return record(session, path, content, known.get(path))
    if place != source:
        _copy(session, source, path)
    return add(
        session,
        DataRequest((path,), layout.root),
        no_commit=request.no_commit,
        relink=request.relink,
    )[0]


def _copy(session: Session, source: str, path: RepoPath) -> None:
    """Copy a file or directory to ``path``, where it appears whole; what was there goes. Raises StoreError."""
    layout = session.layout
    place = layout.abspath(path)
    if place.startswith(f"{source}/"):
        raise StoreError(f"'{path}' lies inside of what would be copied", hint="name another --out")
    draft = os.path.join(layout.tmp, f"bring-{os.getpid()}-{os.urandom(4).hex()}.tmp")
    os.makedirs(layout.tmp, exist_ok=True)
    try:
        with failing(place):
            if os.path.isdir(source):
                shutil.copytree(source, draft)
            else:
                shutil.copy2(source, draft)
            os.makedirs(os.path.dirname(place), exist_ok=True)
        session.store.remove(path)
        with failing(place):
            _rename(draft, place)
    except shutil.Error as error:
        (_, name, why), *_ = error.args[0]
        raise StoreError(f"'{name}' cannot be copied", facts={"because": why}) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        if os.path.isfile(draft):
            os.unlink(draft)
    session.look.forget(path)


def _rename(draft: str, place: str) -> None:
    try:
        os.rename(draft, place)
    except OSError as error:
        if error.errno != errno.EXDEV:  # .dvc/tmp is on another disk
            raise
        shutil.move(draft, place)

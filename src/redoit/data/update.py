"""Imports brought up to date with where they come from, and those got of which nothing is recorded."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from redoit.data.checkout import checkout, is_saved
from redoit.data.targets import Chosen, DataRequest, repo_path, stages_of
from redoit.data.used import Used
from redoit.engine.session import Session
from redoit.errors import RedoitError, StageError, UsageError, WouldOverwrite
from redoit.imports.sources import Sources
from redoit.imports.take import same_record
from redoit.model import Entry, Import, RepoPath, Stage, Trace
from redoit.store.moved import Failure, Meter, Moved
from redoit.store.places import has_versions
from redoit.store.remotes import Remotes
from redoit.trace.importfile import write_import


class UpdateRequest(NamedTuple):
    """What ``exp data update`` is asked to do; each field is an option. Without targets all imports are meant."""

    data: DataRequest = DataRequest()
    rev: str | None = None
    no_download: bool = False
    to_remote: bool = False
    remote: str | None = None
    jobs: int = 0


class Updated(NamedTuple):
    """What became of one import: ``before`` and ``after`` name the commits or digests; equal, nothing had changed."""

    file: RepoPath
    changed: bool
    before: str = ""
    after: str = ""
    same_data: bool = False


def update(
    session: Session, request: UpdateRequest, remotes: Remotes, meter: Meter
) -> list[Updated]:
    """Look anew where imports come from, and get what has changed. Returns what became of each.

    Raises UsageError, StageError for what is no import, GitError, StoreError, WouldOverwrite; the imports before the
    one that failed stay updated.
    """
    if request.to_remote and request.no_download:
        raise UsageError(
            "--to-remote cannot be given with --no-download", hint="leave one of them out"
        )
    if request.remote and not request.to_remote:
        raise UsageError("-r names where --to-remote sends the data", hint="add --to-remote")
    stages = _imports(session, request)
    for stage in stages:
        _check_update(stage, request)
        if not (request.to_remote or _is_kept(session, stage)):
            raise WouldOverwrite(
                f"'{stage.outs[0].path}' was changed here, and would be overwritten",
                facts={"import": stage.file},
                hint=f"`exp data checkout -f {stage.outs[0].path}` drops the changes; or keep a copy of it",
            )
    objects = session.store.objects
    cwd = request.data.cwd
    sources = Sources(session.layout, objects, meter, jobs=request.jobs, cwd=cwd)
    return [_update(session, stage, request, sources, remotes) for stage in stages]


def _is_kept(session: Session, stage: Stage) -> bool:
    """Whether nothing would be lost with what lies at the place of an import."""
    out, entry = session.out_entries(stage)[0]
    if entry is not None and entry.oid is not None and session.look.matches(out.path, entry):
        return True
    return is_saved(session, out.path)


def partial(session: Session, request: DataRequest) -> tuple[list[Stage], DataRequest | None]:
    """The imports among what is asked for of whose data nothing is recorded, and the request without them.

    None: nothing else was asked for. Raises nothing for targets that there are not: what uses the request does.
    """
    found = {
        stage.outs[0].path: stage
        for stage in session.graph.stages.values()
        if stage.origin is not None
        and all(entry is None or entry.oid is None for _, entry in session.out_entries(stage))
    }
    if not (found and request.targets):
        return list(found.values()), request
    named: dict[RepoPath, Stage] = {}
    rest: list[str] = []
    for target in request.targets:
        path = repo_path(target, request, session.layout.root)
        stage = found.get(path) or found.get(RepoPath(path.removesuffix(".dvc")))
        if stage is not None:
            named[stage.outs[0].path] = stage
            continue
        rest.append(target)
        if request.recursive:
            prefix = f"{path}/" if path else ""
            named.update((out, each) for out, each in found.items() if out.startswith(prefix))
    return list(named.values()), request._replace(targets=tuple(rest)) if rest else None


def fill(
    session: Session, stages: Sequence[Stage], meter: Meter, *, jobs: int, cwd: str
) -> tuple[Moved, list[Chosen]]:
    """Get the data of imports of which nothing is recorded into the cache; the ``.dvc`` files stay as they are.

    Returns what travelled, and what is to be checked out. What failed is in the result.
    """
    objects = session.store.objects
    sources = Sources(session.layout, objects, meter, jobs=jobs, cwd=cwd)
    chosen: list[Chosen] = []
    for stage in stages:
        assert stage.origin is not None
        out = stage.outs[0]
        try:
            entry = sources.take(stage.origin, stage.wdir).entry._replace(path=out.text)
        except RedoitError as error:
            facts = "; ".join(str(value) for value in error.facts.values())
            sources.moved.failures.append(Failure(out.path, f"{error.what}: {facts}".rstrip(": ")))
        else:
            chosen.append(Chosen(Used(stage, out, entry)))
    return sources.moved, chosen


def _imports(session: Session, request: UpdateRequest) -> list[Stage]:
    stages = [session.graph.stages[address] for address in stages_of(session, request.data)]
    folders = [
        target
        for target in request.data.targets
        if request.data.recursive
        and os.path.isdir(
            session.layout.abspath(repo_path(target, request.data, session.layout.root))
        )
    ]
    if request.data.targets and not folders:
        for stage in stages:
            if stage.origin is None:
                raise StageError(
                    f"'{stage.address}' is no import",
                    place=stage.place,
                    hint="only what `exp data import` or `import-url` has made can be updated",
                )
    return [stage for stage in stages if stage.origin is not None]


def _check_update(stage: Stage, request: UpdateRequest) -> None:
    assert stage.origin is not None
    if stage.origin.repo is not None and request.to_remote:
        raise UsageError(
            f"'{stage.file}' is an import from a repository, which --to-remote cannot update",
            hint="leave --to-remote out",
        )
    if stage.origin.repo is None and request.rev:
        record = stage.origin.record or {}
        if not has_versions(record):
            raise UsageError(
                f"'{stage.file}' is imported from a URL, which has no revisions",
                hint="leave --rev out",
            )
        if "files" in record:
            raise UsageError(
                f"'{stage.file}' is a directory, whose files have versions each of its own",
                hint="leave --rev out; an earlier state of it is what an earlier commit of its .dvc file names",
            )
        if request.to_remote:
            raise UsageError("--rev cannot be given with --to-remote", hint="leave one of them out")


def _update(
    session: Session, stage: Stage, request: UpdateRequest, sources: Sources, remotes: Remotes
) -> Updated:
    origin = stage.origin
    assert origin is not None
    entry = dict(session.out_entries(stage))[stage.outs[0]]
    known = entry is not None and entry.oid is not None
    nothing = Entry(stage.outs[0].text, None, session.layout.algo)
    if request.no_download or origin.repo is not None:
        new = sources.resolve(origin, stage.wdir, request.rev)
        same = _is_same(origin, new)
        if request.no_download:
            if same:
                return Updated(stage.file, False)
            sources.check(new, stage.wdir)
            # What lies there is of the old content: it must not be taken for the new one.
            session.store.remove(stage.outs[0].path)
            write_import(session.layout, stage.file, new, nothing, counted=entry)
            return Updated(stage.file, True, _name(origin, entry), _name(new, None))
        if same and known and entry is not None:
            return _restore(session, stage, entry, sources)
        taken = sources.take(new, stage.wdir)
    else:
        before = origin if known else origin._replace(record=None)
        if request.to_remote:
            taken = sources.send(origin, stage.wdir, remotes.open(request.remote))
            if same_record(taken.record or {}, origin.record or {}) and known:
                return Updated(stage.file, False)
        else:
            changed = sources.take_changed(before, stage.wdir, request.rev)
            if changed is None:
                assert entry is not None
                return _restore(session, stage, entry, sources)
            taken = changed
        new = origin._replace(record=taken.record)
    after = taken.entry._replace(path=stage.outs[0].text)
    write_import(session.layout, stage.file, new, after)
    stage = stage._replace(origin=new)
    if not request.to_remote:
        checkout_import(session, stage, after, force=True)
    same_data = entry is not None and entry.oid == after.oid
    return Updated(stage.file, True, _name(origin, entry), _name(new, after), same_data)


def _restore(session: Session, stage: Stage, entry: Entry, sources: Sources) -> Updated:
    """Put data that have not changed at their source back, if they are not in the workspace."""
    assert stage.origin is not None
    if not session.look.matches(stage.outs[0].path, entry):
        if not session.store.has(entry):
            sources.take(stage.origin, stage.wdir)
        checkout_import(session, stage, entry, force=False)
    return Updated(stage.file, False)


def _is_same(old: Import, new: Import) -> bool:
    if new.repo is None:
        return same_record(old.record or {}, new.record or {})
    keys = ("rev", "rev_lock")
    return [(old.repo or {}).get(key) for key in keys] == [new.repo.get(key) for key in keys]


def _name(origin: Import, entry: Entry | None) -> str:
    """What an import is of, in few letters: a commit, or the beginning of a digest."""
    if origin.repo is not None:
        return str(origin.repo.get("rev_lock") or "")[:7]
    record = origin.record or {}
    told = next(
        (str(record[key]) for key in ("md5", "xxh128", "etag", "checksum") if key in record), ""
    )
    return (entry.oid if entry and entry.oid else told)[:7]


def checkout_import(session: Session, stage: Stage, entry: Entry, *, force: bool) -> None:
    """Put the data of an import, which the cache has, into the workspace. Raises as ``checkout``."""
    session.data[stage.address] = Trace(None, outs=(entry,))
    checkout(session, [Chosen(Used(stage, stage.outs[0], entry))], force=force)

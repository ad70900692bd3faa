"""Data from the cache into the workspace, never over what is recorded nowhere."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from redoit.data.targets import Chosen
from redoit.engine.session import Session
from redoit.errors import CorruptObject, MissingObject, StoreError, WouldOverwrite
from redoit.model import Entry, Oid, RepoPath
from redoit.store.inside import check_inside
from redoit.store.listings import damaged, listing_of

_NAMED = 20
"""So many paths an error names."""


@dataclass
class CheckedOut:
    """What a checkout did; paths are relative to the project's root."""

    added: list[RepoPath] = field(default_factory=list)
    modified: list[RepoPath] = field(default_factory=list)
    missing: list[RepoPath] = field(default_factory=list)
    """Not in the cache, or damaged there."""
    damaged: list[RepoPath] = field(default_factory=list)
    """Those of the missing that are damaged."""

    @property
    def changed(self) -> bool:
        return bool(self.added or self.modified)

    def lack(self, session: Session, path: RepoPath, entry: Entry) -> None:
        """Note that the cache does not have what is to be at ``path``."""
        self.missing.append(path)
        if any(True for _ in damaged(session.store.objects, entry)):
            self.damaged.append(path)


def checkout(
    session: Session,
    chosen: Sequence[Chosen],
    *,
    force: bool = False,
    relink: bool = False,
    allow_missing: bool = False,
) -> CheckedOut:
    """Make the workspace hold what is recorded of ``chosen``, writing only what differs.

    ``relink``: also what is right already is linked anew, as ``cache.type`` says. Raises WouldOverwrite for
    what neither the cache nor a record has, unless ``force``; MissingObject for what the cache lacks, unless
    ``allow_missing``, after all else was checked out.
    """
    result = CheckedOut()
    wanted = [each for chosen_one in chosen for each in _parts(session, chosen_one, result)]
    check_inside(session.layout, [path for path, _ in wanted])
    todo: list[tuple[RepoPath, Entry]] = []
    unsaved: list[RepoPath] = []
    for path, entry in wanted:
        if session.look.matches(path, entry):
            if relink and session.store.has(entry):
                todo.append((path, entry))
            elif entry.isexec:
                session.store.checkout(path, entry)
        elif not session.store.has(entry):
            result.lack(session, path, entry)
        else:
            if not force and not is_saved(session, path):
                unsaved.append(path)
            todo.append((path, entry))
    if unsaved:
        raise WouldOverwrite(
            f"{len(unsaved)} changed paths are not in the cache, and would be overwritten"
            if len(unsaved) > 1
            else "a changed path is not in the cache, and would be overwritten",
            facts={"changed": _some(unsaved)},
            hint="`exp data commit` keeps the changes, --force drops them",
        )
    with contextlib.ExitStack() as stack:
        for used in {each.used.path: each.used for each in chosen if each.inside}.values():
            if any(path.startswith(f"{used.path}/") for path, _ in todo):
                stack.enter_context(session.store.in_part(used.path, used.entry))
        _put(session, todo, result, relink=relink)
    if result.missing and not allow_missing:
        lost = [path for path in result.missing if path not in set(result.damaged)]
        facts = {"missing": lost, "damaged": result.damaged}
        raise MissingObject(
            "the cache does not have all of the data",
            facts={what: _some(paths) for what, paths in facts.items() if paths},
            hint="`exp data pull` gets them from a remote; `exp repro` makes what stages write",
        )
    return result


def _put(
    session: Session,
    todo: Sequence[tuple[RepoPath, Entry]],
    result: CheckedOut,
    *,
    relink: bool,
) -> None:
    for path, entry in todo:
        same = session.look.matches(path, entry)
        there = session.look.exists(path)
        if relink and same:
            session.store.relink(path, entry)
            continue
        session.store.checkout(path, entry)
        (result.modified if there else result.added).append(path)


def _some(paths: Sequence[str]) -> str:
    more = len(paths) - _NAMED
    return ", ".join(paths[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _parts(session: Session, chosen: Chosen, result: CheckedOut) -> list[tuple[RepoPath, Entry]]:
    """Path and content of what is to be checked out: the out, or the files inside of it that are meant."""
    (_, out, entry), inside = chosen
    if inside is None:
        return [(out.path, entry)]
    inner = files_inside(session, entry, inside)
    if inner is None:
        result.lack(session, chosen.path, entry)
        return []
    return [(RepoPath(f"{out.path}/{name}"), Entry(name, oid, entry.algo)) for name, oid in inner]


def files_inside(session: Session, entry: Entry, inside: str) -> list[tuple[str, Oid]] | None:
    """Name and oid of the files of a directory that are ``inside`` or lie below it; None if it is not known."""
    assert entry.oid is not None
    try:
        listing = listing_of(session.store.objects, entry.oid, entry.algo)
    except (MissingObject, CorruptObject):
        return None
    return [(name, oid) for name, oid in listing if name == inside or name.startswith(f"{inside}/")]


def is_saved(session: Session, path: RepoPath) -> bool:
    """Whether nothing lies at ``path`` that the cache does not have."""
    if not session.look.exists(path):
        return True
    try:
        content = session.look.content(path)
    except StoreError:
        return False
    if content is None:  # a broken symlink
        return True
    if session.store.has(content.entry(path)):
        return True
    if content.nfiles is None:
        return False
    listing, digests = session.look.listed(path, session.layout.algo)
    oids = [digest.oid(session.layout.algo) for digest in digests]
    return all(
        oid is not None and session.store.objects.has(oid, session.layout.algo) for oid in oids
    ) and bool(listing.names or not oids)

"""Data, and outs of frozen stages, that are gone from the workspace, or of which only a part was put there."""

from __future__ import annotations

from redoit.engine.session import Session
from redoit.engine.supply import Supply
from redoit.errors import MissingOut, RedoitError
from redoit.model import Entry, Out, Stage
from redoit.store.inside import check_inside


def restore_absent(stage: Stage, session: Session, supply: Supply | None, *, dry: bool) -> bool:
    """Put back what is absent, from the cache or by ``supply``. Returns whether something was, or would be in a dry run.

    What lies there and was edited stays. Raises MissingOut, before anything is put back, for what can be had from
    nowhere; as ``Supply``, and StoreError.
    """
    gone: list[tuple[Out, Entry]] = []
    entries = dict(session.out_entries(stage))
    for out, entry in entries.items():
        if session.exists(out.path):
            found = _partly_there(stage, out, entry, session, supply, dry=dry)
        else:
            found = _gone(stage, out, entry, session, supply, dry=dry)
        if found is not None:
            gone.append((out, found))
    if dry:
        return bool(gone)
    check_inside(session.layout, [out.path for out, _ in gone])
    for out, entry in gone:
        if not session.exists(out.path):
            session.store.checkout(out.path, entry, copy=not out.cache)
            continue
        lack = session.store.lack(out.path, entry)
        if lack is not None:
            session.store.complete(out.path, entry, lack)
        session.store.unmark(out.path)
        session.look.forget(out.path)  # links that led nowhere lead to the new objects
    return bool(gone)


def _gone(
    stage: Stage,
    out: Out,
    entry: Entry | None,
    session: Session,
    supply: Supply | None,
    *,
    dry: bool,
) -> Entry | None:
    """The entry of an out that is not there, in the cache now."""
    if entry is not None and entry.oid is None:
        entry = None
    error: RedoitError | None = None
    if supply is not None and (entry is not None or stage.origin is not None):
        if dry:  # whether the remote has it is not asked
            return entry or Entry(out.text, None)
        if entry is not None:
            error = supply.try_outs([(out, entry)])
        else:  # an import that was not downloaded before
            entry = supply.imported(stage, out)
    if entry is None or not session.cached(entry):
        raise MissingOut(
            f"'{out.path}' of '{stage.address}' is neither in the workspace nor in the cache",
            place=stage.place,
            facts=_reason(error),
            hint=_where_from(stage, entry, error),
        )
    return entry


def _partly_there(
    stage: Stage,
    out: Out,
    entry: Entry | None,
    session: Session,
    supply: Supply | None,
    *,
    dry: bool,
) -> Entry | None:
    """The entry of a directory of which something lacks, in the cache now; None for what is as somebody left it."""
    if entry is None or not out.cache:
        return None
    lack = session.store.lack(out.path, entry)
    if lack is None:
        return None
    if lack.other or (lack.edited and supply is None):
        raise MissingOut(
            f"'{out.path}' of '{stage.address}' was put into the workspace only in part, "
            + ("from other data than are recorded" if lack.other else "and then edited"),
            place=stage.place,
            hint=f"`exp data add {out.path}` records what is there, `exp data pull --force {out.path}` replaces it"
            + ("" if lack.other else ", --pull gets the rest"),
        )
    error: RedoitError | None = None
    if not dry:
        # Once the cache has the rest, it could as well have been deleted.
        session.store.mark_part(out.path, entry)
        if supply is not None:
            error = supply.try_outs([(out, entry)])
    if not session.cached(entry) and not (dry and supply is not None):
        raise MissingOut(
            f"'{out.path}' of '{stage.address}' is not all in the workspace, "
            "and the cache does not have the rest",
            place=stage.place,
            facts=_reason(error),
            hint=f"{_where_from(stage, entry, error)}; `exp data add {out.path}` records what is there",
        )
    return entry


def _reason(error: RedoitError | None) -> dict[str, object]:
    """Why nothing could be got, as facts of another error."""
    return {} if error is None else {"pulled": error.what, **error.facts}


def _where_from(stage: Stage, entry: Entry | None, error: RedoitError | None) -> str:
    if entry is None and stage.origin is None:
        return "put it there"
    if error is not None:
        return error.hint or "put it there again, or push it from where it is"
    return f"`exp data pull {stage.address}` gets it, or say --pull"

"""Rewriting what a project records from one digest to the other; nothing runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from redoit.errors import TraceError
from redoit.files import write_atomic
from redoit.model import Algo, Entry, Oid, RepoPath
from redoit.project import Layout
from redoit.trace.datafile import replace_oids
from redoit.trace.emit import emit_scalar
from redoit.trace.traces import Traces, lock_path

_DIGEST = r"""(?mx)^(?P<indent>[ ]+(?:-[ ])?)
    (?:hash:[ ](?:md5|xxh128)\n(?P<same>[ ]+))?
    (?:md5|xxh128):[ ](?P<quote>['"]?)(?P<oid>[0-9a-f]{32}(?:\.dir)?)(?P=quote)[ ]*$"""


def migrate_traces(
    layout: Layout,
    lock_owners: Iterable[RepoPath],
    data_files: Iterable[RepoPath],
    mapping: Mapping[Oid, Oid],
    to: Algo,
) -> list[RepoPath]:
    """Rewrite the ``dvc.lock`` beside each of ``lock_owners`` (``dvc.yaml`` files) and the ``data_files`` (``.dvc``).

    ``mapping`` has the new oid of every old one; others stay as they are. What a killed run left in the
    journal is folded in first. Returns the files that changed. Raises TraceError.
    """
    owners = list(lock_owners)
    Traces(layout, owners).write()
    changed: list[RepoPath] = []
    for owner in owners:
        path = lock_path(owner)
        if _rewrite_lock(layout, path, mapping, to):
            changed.append(path)
    replace = {old: Entry("", new, to) for old, new in mapping.items()}
    changed.extend(file for file in data_files if replace_oids(layout, file, replace))
    return changed


def _rewrite_lock(layout: Layout, path: RepoPath, mapping: Mapping[Oid, Oid], to: Algo) -> bool:
    target = layout.abspath(path)

    def renamed(match: re.Match[str]) -> str:
        new = mapping.get(Oid(match["oid"]))
        if new is None:
            return match[0]
        indent = match["indent"]
        below = " " * len(indent)
        return f"{indent}hash: {to.value}\n{below}{to.value}: {emit_scalar(new)}"

    try:
        with open(target, encoding="utf-8", newline="") as file:
            old = file.read()
        new = re.sub(_DIGEST, renamed, old)
        if new == old:
            return False
        write_atomic(target, new.encode(), staging=layout.tmp)
    except FileNotFoundError:
        return False
    except (OSError, UnicodeDecodeError) as error:
        raise TraceError(f"{path} cannot be rewritten", facts={"reason": error}) from error
    return True

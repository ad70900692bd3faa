"""What a command about data is asked to work on: stages, ``.dvc`` files, outs, and paths inside of them."""

from __future__ import annotations

import fnmatch
import os
import posixpath
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NamedTuple

from redoit.data.used import Used, used_by_workspace
from redoit.engine.session import Session
from redoit.errors import TargetNotFound
from redoit.graph import post_order
from redoit.model import Address, RepoPath, Request
from redoit.selection import find_targets


class DataRequest(NamedTuple):
    """Targets of a command about data, relative to the directory ``cwd``; each field is an option."""

    targets: tuple[str, ...] = ()
    cwd: str = ""
    with_deps: bool = False
    recursive: bool = False
    glob: bool = False


class Chosen(NamedTuple):
    """An out, or with ``inside`` only what lies there in its directory."""

    used: Used
    inside: str | None = None

    @property
    def path(self) -> RepoPath:
        if self.inside is None:
            return self.used.path
        return RepoPath(f"{self.used.path}/{self.inside}")


def choose(session: Session, request: DataRequest) -> list[Chosen]:
    """The data that ``request`` names; everything without targets. Raises TargetNotFound."""
    if not request.targets:
        return [Chosen(used) for used in used_by_workspace(session)]
    everything = used_by_workspace(session)
    chosen: dict[RepoPath, Chosen] = {}
    for target in _expanded(request.targets, everything, request, session):
        found = _by_path(target, everything, request, session)
        if found is None:
            found = _by_stage(target, request, session)
        for each in found:
            chosen.setdefault(each.path, each)
    return list(chosen.values())


def stages_of(session: Session, request: DataRequest) -> list[Address]:
    """The stages that ``request`` names, by name or by an out; all without targets. Raises TargetNotFound."""
    if not request.targets:
        return post_order(session.graph.stages, session.graph.upstream)
    outs = {
        out.path: address for address, stage in session.graph.stages.items() for out in stage.outs
    }
    found: dict[Address, None] = {}
    for target in request.targets:
        path = repo_path(target, request, session.layout.root)
        below = [address for out, address in outs.items() if out.startswith(f"{path}/")]
        if path in outs:
            addresses = [outs[path]]
        elif request.recursive and os.path.isdir(session.layout.abspath(path)):
            addresses = below if path else list(session.graph.stages)
        else:
            addresses = _named(target, request, session)
        if request.with_deps:
            addresses = post_order(addresses, session.graph.upstream)
        found.update(dict.fromkeys(addresses))
    return list(found)


def _expanded(
    targets: Sequence[str], everything: Sequence[Used], request: DataRequest, session: Session
) -> list[str]:
    """The targets, with ``glob`` those that are patterns replaced by the outs and ``.dvc`` files they match."""
    if not request.glob:
        return list(targets)
    found: list[str] = []
    names = [used.path for used in everything] + [
        stage.file for stage in session.graph.stages.values() if stage.is_data
    ]
    for target in targets:
        if not set(target) & set("*?["):
            found.append(target)
            continue
        pattern = repo_path(target, request, session.layout.root)
        matching = [name for name in names if fnmatch.fnmatchcase(name, pattern)]
        if not matching:
            raise TargetNotFound(
                f"no data and no .dvc file matches '{target}'", hint="quote the pattern"
            )
        found += [session.layout.abspath(name) for name in matching]
    return found


def _by_path(
    target: str, everything: Sequence[Used], request: DataRequest, session: Session
) -> list[Chosen] | None:
    """An out, what lies inside of one, or all in a folder; None if the target is none of these."""
    path = repo_path(target, request, session.layout.root)
    exact = [Chosen(used) for used in everything if used.path == path]
    if exact:
        if not request.with_deps:
            return exact
        return _upstream([each.used.stage.address for each in exact], session)
    for used in everything:
        if path.startswith(f"{used.path}/") and (used.entry.oid or "").endswith(".dir"):
            return [Chosen(used, path[len(used.path) + 1 :])]
    if request.recursive and os.path.isdir(session.layout.abspath(path)):
        prefix = f"{path}/" if path else ""
        below = [used for used in everything if used.path.startswith(prefix)]
        if request.with_deps:
            return _upstream([used.stage.address for used in below], session)
        return [Chosen(used) for used in below]
    return None


def _by_stage(target: str, request: DataRequest, session: Session) -> list[Chosen]:
    addresses = _named(target, request, session)
    if request.with_deps:
        return _upstream(addresses, session)
    return [Chosen(used) for used in used_by_workspace(session, addresses)]


def _named(target: str, request: DataRequest, session: Session) -> list[Address]:
    asked = Request(targets=(target,), cwd=request.cwd, glob=request.glob)
    try:
        return find_targets(session.graph, session.index.groups, asked, session.layout.root)
    except TargetNotFound as error:
        outs = [out.path for stage in session.graph.stages.values() for out in stage.outs]
        path = repo_path(target, request, session.layout.root)
        near = get_close_matches(path, outs, 1)
        raise TargetNotFound(
            f"'{target}' is neither data nor a stage",
            facts=error.facts,
            hint=f"did you mean '{near[0]}'?" if near else error.hint,
        ) from None


def _upstream(addresses: Sequence[Address], session: Session) -> list[Chosen]:
    order = post_order(addresses, session.graph.upstream)
    return [Chosen(used) for used in used_by_workspace(session, order)]


def repo_path(target: str, request: DataRequest, root: str) -> RepoPath:
    """``target`` as the user gave it → RepoPath."""
    place = posixpath.normpath(os.path.join(request.cwd or root, target))
    folder = os.path.realpath(os.path.dirname(place))
    path = os.path.relpath(os.path.join(folder, os.path.basename(place)), root)
    return RepoPath("" if path == "." else path)

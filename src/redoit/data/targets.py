"""What a command about data is asked to work on: stages, ``.dvc`` files, outs, and paths inside of them."""

from __future__ import annotations

import fnmatch
import os
import posixpath
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from redoit.data.used import Recorded, Used, recorded_by_workspace
from redoit.engine.session import Session
from redoit.errors import StoreError, TargetNotFound
from redoit.graph import Graph, post_order
from redoit.model import Address, RepoPath, Request
from redoit.selection import find_targets
from redoit.store.listings import listing_of


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
    """The data of the workspace that ``request`` names; everything without targets. Raises TargetNotFound."""
    chosen, unknown = choose_from(recorded_by_workspace(session), session, request)
    for error in unknown.values():
        raise error
    return chosen


def choose_from(
    recorded: Recorded, session: Session, request: DataRequest
) -> tuple[list[Chosen], dict[str, TargetNotFound]]:
    """Of what the workspace or a commit records, what ``request`` names; and the targets that are not there."""
    if not request.targets:
        return [Chosen(used) for used in recorded.used], {}
    chosen: dict[RepoPath, Chosen] = {}
    unknown: dict[str, TargetNotFound] = {}
    state = _State(recorded, session, request)
    for target in request.targets:
        try:
            found = state.find(target)
        except TargetNotFound as error:
            unknown[target] = error
        else:
            for each in found:
                chosen.setdefault(each.path, each)
    return list(chosen.values()), unknown


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
            graph, groups = session.graph, session.index.groups
            addresses = _stages_named(target, path, graph, groups, request, session)
        if request.with_deps:
            addresses = post_order(addresses, session.graph.upstream)
        found.update(dict.fromkeys(addresses))
    return list(found)


def choose_here(session: Session, request: DataRequest) -> list[Chosen]:
    """As ``choose``, without the targets that only commits have."""
    return choose_from(recorded_by_workspace(session), session, request)[0]


def check_inside(session: Session, chosen: Sequence[Chosen]) -> None:
    """Raise TargetNotFound for a path inside of a directory that is known not to have it."""
    for used, inside in chosen:
        oid, algo = used.entry.oid, used.entry.algo
        if inside is None or oid is None:
            continue
        try:
            names = [name for name, _ in listing_of(session.store.objects, oid, algo)]
        except StoreError:
            continue
        if not any(name == inside or name.startswith(f"{inside}/") for name in names):
            near = get_close_matches(inside, names, 1)
            raise TargetNotFound(
                f"there is no '{inside}' in the directory '{used.path}' as it is recorded",
                hint=f"did you mean '{used.path}/{near[0]}'?"
                if near
                else f"`exp data status --granular {used.path}` shows what changed there",
            )


class _State:
    """Finds what targets name in one state of the project: the workspace's, or a commit's."""

    def __init__(self, recorded: Recorded, session: Session, request: DataRequest) -> None:
        self._graph, self._groups, self._used = recorded
        self._objects = session.store.objects
        self._session = session
        self._request = request

    def find(self, target: str) -> list[Chosen]:
        """The data that ``target`` names. Raises TargetNotFound."""
        path = repo_path(target, self._request, self._session.layout.root)
        if self._request.glob and set(target) & set("*?["):
            return self._matching(target, path)
        found = self._by_path(path)
        return self._of(self._named(target, path)) if found is None else found

    def _by_path(self, path: RepoPath) -> list[Chosen] | None:
        """An out, what lies inside of one, or all in a folder; None if the path is none of these."""
        writers = [
            address
            for address, stage in self._graph.stages.items()
            if any(out.path == path for out in stage.outs)
        ]
        if writers and self._request.with_deps:
            return self._of(writers)
        if writers:  # nothing is recorded of an out that Git keeps, or that was not made yet
            return [Chosen(used) for used in self._used if used.path == path]
        for used in self._used:
            if path.startswith(f"{used.path}/") and _is_dir(used):
                return [Chosen(used, path[len(used.path) + 1 :])]
        if self._request.recursive:
            prefix = f"{path}/" if path else ""
            below = [used for used in self._used if used.path.startswith(prefix)]
            if below and self._request.with_deps:
                return self._of([used.stage.address for used in below])
            if below or os.path.isdir(self._session.layout.abspath(path)):
                return [Chosen(used) for used in below]
        return None

    def _matching(self, target: str, pattern: RepoPath) -> list[Chosen]:
        """The outs, ``.dvc`` files, and files and folders inside of directories that match."""
        words = pattern.split("/")
        found: list[Chosen] = []
        whole: list[Address] = []
        unknown: list[str] = []
        for stage in self._graph.stages.values():
            if stage.is_data and _match(words, stage.file.split("/")):
                whole.append(stage.address)
        for used in self._used:
            if _match(words, used.path.split("/")):
                if self._request.with_deps:
                    whole.append(used.stage.address)
                else:
                    found.append(Chosen(used))
            elif _is_dir(used) and _may_match_below(words, used.path.split("/")):
                inner = self._inside(used, words)
                found += inner or ()
                if inner is None:
                    unknown.append(used.path)
        found += self._of(whole)
        if not found and not whole:
            raise TargetNotFound(
                f"no data and no .dvc file matches '{target}'",
                facts={"not known": f"which files are in {', '.join(unknown)}"} if unknown else {},
                hint="`exp data fetch` or `pull` of the directory tells"
                if unknown
                else "quote the pattern",
            )
        return found

    def _inside(self, used: Used, words: Sequence[str]) -> list[Chosen] | None:
        """What matches in a directory, without what lies in a folder that does; None if its files are not known."""
        oid, algo = used.entry.oid, used.entry.algo
        assert oid is not None
        try:
            listing = listing_of(self._objects, oid, algo)
        except StoreError:
            return None
        found: dict[str, None] = {}
        for name, _ in listing:
            parts = name.split("/")
            for end in range(1, len(parts) + 1):
                inside = "/".join(parts[:end])
                if inside in found:
                    break
                if _match(words, [*used.path.split("/"), *parts[:end]]):
                    found[inside] = None
                    break
        return [Chosen(used, inside) for inside in found]

    def _of(self, addresses: Sequence[Address]) -> list[Chosen]:
        """The data of these stages, with those before them if that is asked for."""
        order = (
            post_order(addresses, self._graph.upstream) if self._request.with_deps else addresses
        )
        data: dict[Address, list[Chosen]] = {address: [] for address in order}
        for used in self._used:
            if used.stage.address in data:
                data[used.stage.address].append(Chosen(used))
        return [each for found in data.values() for each in found]

    def _named(self, target: str, path: RepoPath) -> list[Address]:
        return _stages_named(target, path, self._graph, self._groups, self._request, self._session)


def _is_dir(used: Used) -> bool:
    return (used.entry.oid or "").endswith(".dir")


def _match(words: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether a pattern matches a path, as in a shell: ``*`` does not go beyond a ``/``, ``**`` does."""
    if not words:
        return not parts
    if words[0] == "**" and _match(words[1:], parts):
        return True
    if not parts or (parts[0].startswith(".") and not words[0].startswith(".")):
        return False
    if words[0] == "**":
        return _match(words, parts[1:])
    return fnmatch.fnmatchcase(parts[0], words[0]) and _match(words[1:], parts[1:])


def _may_match_below(words: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether a pattern may match something inside of a directory."""
    if "**" in words:
        first = words.index("**")
        return first >= len(parts) or _match(words[:first], parts[:first])
    return len(words) > len(parts) and _match(words[: len(parts)], parts)


def _stages_named(
    target: str,
    path: RepoPath,
    graph: Graph,
    groups: Mapping[Address, Sequence[Address]],
    request: DataRequest,
    session: Session,
) -> list[Address]:
    asked = Request(targets=(target,), cwd=request.cwd, glob=request.glob)
    try:
        return find_targets(graph, groups, asked, session.layout.root)
    except TargetNotFound as error:
        outs = [out.path for stage in graph.stages.values() for out in stage.outs]
        near = get_close_matches(path, outs, 1)
        raise TargetNotFound(
            f"'{target}' is neither data nor a stage",
            facts=error.facts,
            hint=f"did you mean '{near[0]}'?" if near else error.hint,
        ) from None


def repo_path(target: str, request: DataRequest, root: str) -> RepoPath:
    """``target`` as the user gave it → RepoPath."""
    place = posixpath.normpath(os.path.join(request.cwd or root, target))
    folder = os.path.realpath(os.path.dirname(place))
    path = os.path.relpath(os.path.join(folder, os.path.basename(place)), root)
    return RepoPath("" if path == "." else path)

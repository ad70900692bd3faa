"""Garbage collection: what nothing uses any more, taken out of the cache and, if asked, of a remote."""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from redoit.data.reach import Key, Reach
from redoit.data.remembered import forget
from redoit.data.used import Commits, Used, commits_of, used_by_commits, used_by_workspace
from redoit.engine.session import Session, open_session
from redoit.errors import GitError, Locked, RedoitError
from redoit.experiments.freeze import START_REFS
from redoit.experiments.outside import workers_lock
from redoit.files import locked
from redoit.git import Git
from redoit.git_refs import first_parents, resolve, work_trees
from redoit.project import Layout, find_layout
from redoit.store import tree
from redoit.store.links import failing, remove
from redoit.store.moving import asking
from redoit.store.objects import folders_of
from redoit.store.remotes import Remote, Remotes, object_name
from redoit.store.storage import is_temporary
from redoit.store.transfer import present
from redoit.store.verify import objects_in


class GcRequest(NamedTuple):
    """What ``exp data gc`` is to keep: what all workspaces of the repository with this cache and all experiments use,
    always, and what these commits use.
    """

    commits: Commits = Commits()
    num: int = 1
    """So many commits from each of ``commits.revs``, and of all branches if these are meant, back on its branch; all for
    a negative number.
    """
    cloud: bool = False
    remote: str | None = None
    dry: bool = False
    not_in_remote: bool = False
    """Also what the remote does not have."""
    since: str | None = None
    """Also what all commits from this day on use: ``YYYY-MM-DD``."""
    skip_failed: bool = False
    """Leave out commits that cannot be read, and with them what they use, and the files of directories of which no list is left."""
    projects: tuple[str, ...] = ()
    """Also what these commits and the workspace use in other projects, which have the same cache."""
    jobs: int = 0


class Collected(NamedTuple):
    """How many objects were removed, or in a dry run would be, and their bytes. ``warnings``: what was left out."""

    objects: int = 0
    size: int = 0
    remote_objects: int = 0
    remote_size: int = 0
    warnings: tuple[str, ...] = ()


def collect(session: Session, request: GcRequest, remotes: Remotes) -> Collected:
    """Remove objects that nothing uses. Raises GitError, SpecError, RemoteError, MissingObject, and Locked while a run is
    going on in another workspace with the same cache; then nothing was removed.

    A commit or another work tree that cannot be read is an error, unless ``skip_failed``: what it uses cannot be known.
    So is a directory of which neither the cache nor a remote has the list of files.
    """
    with contextlib.ExitStack() as held:
        return _collect(session, request, remotes, held)


def _collect(
    session: Session, request: GcRequest, remotes: Remotes, held: contextlib.ExitStack
) -> Collected:
    skipped: list[str] | None = [] if request.skip_failed else None
    used = _used(session, request, skipped)
    others = [find_layout(root) for root in request.projects]
    for layout in dict.fromkeys(others):
        _hold(held, layout, request)
        with open_session(layout) as other:
            used += _used(other, request, skipped)
    for layout in _neighbours(session.layout):
        _hold(held, layout, request)
        try:
            with open_session(layout) as other:
                used += used_by_workspace(other)
        except RedoitError as error:
            if skipped is None:
                raise
            skipped.append(f"the work tree {layout.root} cannot be read: {error.what}")
    reach = Reach(used, session.store.objects)
    remote = remotes.open(request.remote) if request.cloud or request.not_in_remote else None
    unused_there: list[tuple[str, int]] = []
    if remote is not None and request.cloud:
        unused_there = _unused_at(remote, reach.keys)
    gone = _unused(session.layout, reach.keys)
    if reach.unknown and (gone or unused_there):
        reach.ask(remotes, request.remote)
        gone = [each for each in gone if each.key not in reach.keys]
        in_use = {object_name(oid, algo) for oid, algo in reach.keys}
        unused_there = [each for each in unused_there if each[0] not in in_use]
        if reach.unknown and (gone or unused_there):
            if skipped is None:
                reach.check()
            else:
                skipped.append(f"it is not known which files belong to {reach.told()}")
    if remote is not None and request.not_in_remote:
        there = present({each.key for each in gone}, remote, request.jobs)
        gone = [each for each in gone if each.key in there]
    size = 0
    for each in gone:  # lists of files go first: none is left whose files are gone
        with failing(each.path):
            size += os.path.getsize(each.path)
        if not request.dry:
            remove(each.path)
    if remote is not None and not request.dry:
        if unused_there:
            forget(session.layout, remotes.token(remote.name))
        with asking(remote):
            for name, _ in unused_there:
                remote.storage.remove(name)
    size_there = sum(size for _, size in unused_there)
    return Collected(len(gone), size, len(unused_there), size_there, tuple(skipped or ()))


class _Stored(NamedTuple):
    """An object of the cache."""

    is_file: bool
    path: str
    key: Key


def _unused(layout: Layout, keep: set[Key]) -> list[_Stored]:
    """The objects of the cache that are not in use, lists of files first."""
    return sorted(
        _Stored(not tree.is_dir_oid(oid), path, (oid, algo))
        for algo, folder in folders_of(layout.cache_dir).items()
        for path, oid in objects_in(folder)
        if (oid, algo) not in keep
    )


def _neighbours(layout: Layout) -> Iterator[Layout]:
    """The project in other work trees of the repository that has the same cache: the user's own, and those of tasks of
    the queue that were killed, which go on with what had finished.
    """
    git = Git(layout.root)
    if not git.is_repository():
        return
    for top in work_trees(git):
        other = Layout(os.path.join(top, git.prefix()).rstrip("/"))
        if not os.path.isdir(other.dvc_dir) or os.path.samefile(other.root, layout.root):
            continue
        if os.path.realpath(other.cache_dir) == os.path.realpath(layout.cache_dir):
            yield other


def _hold(held: contextlib.ExitStack, layout: Layout, request: GcRequest) -> None:
    """Keep runs out of another workspace, and workers of its queue, until we are through. Never waits: another could just
    wait for us.
    """
    locks = (os.path.join(layout.tmp, "lock"), workers_lock(layout))
    if request.dry or all(held.enter_context(locked(path, wait=False)) for path in locks):
        return
    raise Locked(
        "a run is going on in another workspace: what it is just writing would be taken for garbage",
        facts={"workspace": layout.root},
        hint="wait for it to end, or end it",
    )


def _used(session: Session, request: GcRequest, skipped: list[str] | None) -> list[Used]:
    """What the project of ``session`` uses that is to be kept; a commit that cannot be read goes into ``skipped``."""
    used = used_by_workspace(session)
    git = Git(session.layout.root)
    if not git.is_repository():
        return used
    named = request.commits._replace(revs=(), all_commits=False)
    revs = dict.fromkeys(commits_of(git, named))
    if request.commits.all_branches and request.num != 1:
        for ref in git.refs("refs/heads/"):
            revs.update(dict.fromkeys(first_parents(git, ref.rev, request.num)))
    for name in request.commits.revs:
        rev = resolve(git, name)
        if rev is None:
            raise GitError(
                f"'{name}' is no commit of this repository", hint="give a branch, tag or sha"
            )
        revs.update(dict.fromkeys(first_parents(git, rev, request.num)))
    revs.update(dict.fromkeys(_experiments(git)))
    since = request.since
    if since is not None or request.commits.all_commits:
        first = datetime.datetime.strptime(since, "%Y-%m-%d").timestamp() if since else 0.0
        all_ = request.commits.all_commits
        revs.update((rev, None) for stamp, rev in _every(git) if all_ or stamp >= first)
    for _, each in used_by_commits(session.layout, git, revs, skip=skipped):
        used += each
    return used


def _every(git: Git) -> Iterator[tuple[int, str]]:
    """Time and sha of every commit that can be checked out or popped: those of all refs, of the heads of all work trees,
    and of every stash.
    """
    listed = git.run("rev-list", "--timestamp", "--all", "--").decode()
    if git.refs("refs/stash"):
        listed += git.run("rev-list", "--timestamp", "-g", "refs/stash", "--").decode()
    for line in listed.splitlines():
        stamp, rev = line.split()
        yield int(stamp), rev


def _experiments(git: Git) -> Iterable[str]:
    """Every commit that a ref of experiments or of the queue names or, as DVC's queue does, its log."""
    for ref in (*git.refs("refs/exps/"), *git.refs(START_REFS)):
        yield ref.rev
        if ref.name.endswith("stash"):
            yield from git.run("rev-list", "-g", ref.name, "--").decode().split()


def _unused_at(remote: Remote, keep: set[Key]) -> list[tuple[str, int]]:
    """Name and size of the objects of a remote that are not in use, lists of files first, and of what killed commands
    were sending.
    """
    names = {object_name(oid, algo) for oid, algo in keep}
    with asking(remote):
        stored = remote.storage.list("")
    unused = [
        (each.name, each.size)
        for each in stored
        if (_is_object_name(each.name) and each.name not in names) or _is_draft(each.name)
    ]
    return sorted(unused, key=lambda item: not item[0].endswith(tree.DIR_SUFFIX))


def _is_draft(name: str) -> bool:
    """Whether a file of a remote lies where objects lie, and is called as one is while it is being sent."""
    folder, _, last = name.rpartition("/")
    return is_temporary(last) and _is_object_name(f"{folder}/{'0' * 30}")


def _is_object_name(name: str) -> bool:
    """Whether a file of a remote lies where objects lie, and is called like one."""
    for folder in ("files/md5/", "files/xxh128/"):
        name = name.removeprefix(folder)
    prefix, slash, rest = name.partition("/")
    return bool(slash) and len(prefix) == 2 and "/" not in rest and tree.is_oid(prefix + rest)

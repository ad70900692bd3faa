"""What of the workspace belongs to an experiment, as a tree of Git."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection, Iterator, Mapping, Sequence

from redoit.errors import ExperimentError
from redoit.git import Git
from redoit.model import RepoPath, Stage
from redoit.project import Layout
from redoit.spec import Index


def snapshot(
    layout: Layout,
    git: Git,
    index: Index,
    include: Sequence[str] = (),
    exclude: Collection[str] = (),
) -> str:
    """The tree of everything that Git tracks as it is now, and of the project's own files.

    ``include`` are further paths, relative to the project: files, or folders with all that is in them, but
    for the data that the cache keeps. ``exclude`` are paths, relative to the top of the work tree, that do not enter
    unless Git tracks them, nor what is in them. The user's index, work tree and stash are only read. Raises GitError, or
    ExperimentError in the middle of a merge.
    """
    check_merged(git)
    with git.private_index(layout.tmp) as private:
        git.add_changes(private)
        new = git.untracked(_present(layout, belonging(index)), private)
        if exclude:
            prefix = git.prefix()
            new = [path for path in new if not _is_inside(prefix + path, exclude)]
        if new:
            git.add(_without_foreign_ignores(layout, index, new), private)
        if include:
            git.add(_included(git, index, include, private), private)
        return git.write_tree(private)


def find_paths(layout: Layout, paths: Sequence[str], cwd: str) -> list[str]:
    """``paths``, relative to the directory ``cwd``, as paths relative to the project.

    Raises ExperimentError for one that is not there.
    """
    found = []
    for path in paths:
        place = os.path.normpath(os.path.join(cwd or layout.root, path))
        if not os.path.lexists(place):
            raise ExperimentError(
                f"there is nothing at '{path}' that could be included",
                hint="paths given with -I are files or folders, relative to this folder",
            )
        parent = os.path.realpath(os.path.dirname(place))
        found.append(os.path.relpath(os.path.join(parent, os.path.basename(place)), layout.root))
    return found


def left_out(git: Git, rev: str) -> list[RepoPath]:
    """Files of the workspace that neither Git nor the commit ``rev`` knows, and nobody ignores."""
    listed = git.run("ls-tree", "-r", "-z", "--name-only", rev)
    known = {os.fsdecode(path) for path in listed.split(b"\0")}
    return [RepoPath(path) for path in git.untracked() if path not in known]


def check_merged(git: Git) -> None:
    """Raise ExperimentError in the middle of a merge."""
    unmerged = git.unmerged()
    if unmerged:
        raise ExperimentError(
            "a merge is not finished, so there is no state to record",
            facts={"in conflict": ", ".join(unmerged[:5])},
            hint="settle the conflicts and `git add` the files, then run again",
        )


def _included(git: Git, index: Index, paths: Sequence[str], private: str) -> list[str]:
    """The files that ``paths`` are or hold, ignored ones too; no data of the cache, no nested repositories."""
    cached = {out.path for stage in index.stages.values() for out in stage.outs if out.cache}
    apart = {*cached, RepoPath(".dvc/cache"), RepoPath(".dvc/tmp")}
    listed = git.run(
        "--literal-pathspecs", "ls-files", "-z", "--others", "--", *paths, index=private
    )
    found = [os.fsdecode(path) for path in listed.split(b"\0") if path]
    return [path for path in found if not path.endswith("/") and not _is_inside(path, apart)]


def belonging(index: Index) -> list[RepoPath]:
    """Paths inside the project that an experiment needs though Git may not know them yet.

    As in DVC: ``dvc.yaml``, ``dvc.lock`` and ``.dvc`` files, deps and params files that are not themselves data,
    outs with ``cache: false``, top-level params, metrics and plots. And the ``.gitignore`` beside each cached
    out: without it the data would turn up in the next ``git add``.
    """
    cached = {out.path for stage in index.stages.values() for out in stage.outs if out.cache}
    paths: dict[RepoPath, None] = {}
    for file in index.files:
        paths[file] = None
        paths[RepoPath(posixpath.splitext(file)[0] + ".lock")] = None
        for path in _top_level(index, file):
            paths[path] = None
    for stage in index.stages.values():
        paths[stage.file] = None
        for path in _read_and_kept(stage, cached):
            paths[path] = None
    for path in cached:
        paths[_ignore_file(path)] = None
    return [path for path in paths if not os.path.isabs(path)]


def _read_and_kept(stage: Stage, cached: set[RepoPath]) -> Iterator[RepoPath]:
    if not stage.is_data:
        for dep in stage.deps:
            if not _is_inside(dep.path, cached):
                yield dep.path
        for params in stage.params:
            if not _is_inside(params.path, cached):
                yield params.path
    for out in stage.outs:
        if not out.cache:
            yield out.path


def _top_level(index: Index, file: RepoPath) -> Iterator[RepoPath]:
    top = index.files[file]
    yield from top.params
    yield from top.metrics
    folder = posixpath.dirname(file)
    for plot in top.plots:
        fields = plot.fields or {}
        names = [plot.name]
        if isinstance(fields.get("y"), Mapping):
            names = [*fields["y"], *(fields["x"] if isinstance(fields.get("x"), Mapping) else ())]
        for name in names:
            yield RepoPath(posixpath.normpath(posixpath.join(folder, str(name))))


def _is_inside(path: str, folders: Collection[str]) -> bool:
    """Whether ``path`` is one of ``folders`` or lies in one."""
    while path:
        if path in folders:
            return True
        path = posixpath.dirname(path) if path != "/" else ""
    return False


def _ignore_file(out: RepoPath) -> RepoPath:
    return RepoPath(posixpath.join(posixpath.dirname(out), ".gitignore"))


def _present(layout: Layout, paths: list[RepoPath]) -> list[str]:
    """Those that exist, without what leads outside of the project."""
    return [p for p in paths if not p.startswith("../") and os.path.lexists(layout.abspath(p))]


def _without_foreign_ignores(layout: Layout, index: Index, new: list[str]) -> list[str]:
    """Leave out each ``.gitignore`` that names none of our outs: the user keeps it untracked for a reason."""
    if not any(posixpath.basename(path) == ".gitignore" for path in new):
        return new
    ours: dict[str, set[str]] = {}
    for stage in index.stages.values():
        for out in stage.outs:
            if out.cache:
                ours.setdefault(_ignore_file(out.path), set()).add(
                    f"/{posixpath.basename(out.path)}"
                )
    return [path for path in new if path not in ours or _has_line(layout.abspath(path), ours[path])]


def _has_line(path: str, lines: set[str]) -> bool:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return any(line.rstrip("\n") in lines for line in file)
    except OSError:
        return False

"""What a path of another repository is at a commit: files that Git tracks, data that DVC tracks, or both."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from redoit.errors import GitError
from redoit.git_objects import GitObjects
from redoit.imports.clone import Commit
from redoit.model import Entry, Out, RepoPath, Stage
from redoit.project import Layout
from redoit.redact import redacted
from redoit.spec import read_index
from redoit.spec.ignore import Ignore
from redoit.spec.tree_files import TreeFiles
from redoit.trace.recorded import recorded_traces

_DVC_FILES = ("dvc.yaml", "dvc.lock")


class Part(NamedTuple):
    """Data of an out that are (a part of) what is imported.

    ``place`` is where they go below the imported folder, ``""`` if they are all of it; ``inside`` is a path in the
    out's directory.
    """

    stage: Stage
    out: Out
    entry: Entry
    place: str
    inside: str | None = None


class Contents(NamedTuple):
    """What is imported: files of Git (``""`` for the one file) with what reads one of them, and data."""

    is_folder: bool
    files: Sequence[str]
    parts: tuple[Part, ...]
    read: Callable[[str], bytes]


class Repository:
    """Another repository at a commit, and the DVC project in it that a path belongs to. To be closed."""

    def __init__(self, layout: Layout, commit: Commit, url: str) -> None:
        self.commit = commit
        self.url = url
        self._layout = layout
        self._objects = GitObjects(commit.git)
        self._tree = self._objects.commit(commit.rev).tree
        self._top = TreeFiles(commit.path or commit.git.root, self._objects, self._tree)

    def close(self) -> None:
        """End the process of Git."""
        self._objects.close()

    def project_of(self, path: str) -> str:
        """Folder of the DVC project that ``path`` lies in; ``""`` for the top, also if there is none at all."""
        folder = path
        while folder:
            if self._top.is_dir(f"{folder}/.dvc"):
                return folder
            folder = posixpath.dirname(folder)
        return ""

    def files_of(self, project: str) -> TreeFiles:
        """The files of the project in the folder ``project``."""
        root = posixpath.join(self.commit.path or self.commit.git.root, project).rstrip("/")
        prefix = f"{project}/" if project else ""
        return TreeFiles(root, self._objects, self._tree, prefix)

    def contents(self, path: str) -> Contents:
        """What ``path``, relative to the top, is. Raises GitError if nothing is there, SpecError, TraceError."""
        path = checked_path(path)
        project = self.project_of(path)
        files = self.files_of(project)
        inner = posixpath.relpath(path, project) if project else path
        top = "" if inner == "." else inner

        def read(name: str) -> bytes:
            return self._content(files, posixpath.join(top, name) if name else top)

        parts: list[Part] = []
        for part in self._parts(files, RepoPath(top)):
            if not part.place:
                return Contents(False, (), (part,), read)
            parts.append(part)
        if files.is_dir(top):
            below = [
                name
                for name in _git_files(files, top)
                if not any(_covers(part.place, name) for part in parts)
            ]
            if parts or below:
                return Contents(True, below, tuple(parts), read)
        elif parts:
            return Contents(True, (), tuple(parts), read)
        elif files.is_file(top):
            return Contents(False, ("",), (), read)
        raise GitError(
            f"there is nothing at '{path}' in that repository",
            facts={"repository": redacted(self.url), "commit": self.commit.rev},
            hint="give the path of a file or folder that Git or DVC tracks there, from its top folder",
        )

    def _parts(self, files: TreeFiles, path: RepoPath) -> Iterator[Part]:
        """The data at, around and below ``path``; at and around it there is one, without a place."""
        if not files.is_dir(".dvc"):
            return
        index, _ = read_index(self._layout, files, {})
        for address, trace in recorded_traces(files, index, {}):
            stage = index.stages.get(address)
            if stage is None:
                continue
            entries = {entry.path: entry for entry in trace.outs}
            for out in stage.outs:
                entry = entries.get(out.text)
                if entry is None or not out.cache or out.path.startswith(("/", "../")):
                    continue
                if out.path == path:
                    yield Part(stage, out, entry, "")
                elif path.startswith(f"{out.path}/"):
                    yield Part(stage, out, entry, "", path[len(out.path) + 1 :])
                elif not path or out.path.startswith(f"{path}/"):
                    yield Part(stage, out, entry, out.path[len(path) + 1 :] if path else out.path)

    def _content(self, files: TreeFiles, path: str) -> bytes:
        data = files.read(RepoPath(path))
        self._objects.forget_blobs()
        return data


def checked_path(path: str) -> str:
    """``path`` in normal form. Raises GitError if it leads out of its repository."""
    normal = posixpath.normpath(path or ".")
    if normal.startswith(("../", "/")) or normal == "..":
        raise GitError(
            f"'{path}' is no path inside of a repository",
            hint="give it relative to the repository's top folder, without ..",
        )
    return "" if normal == "." else normal


def _covers(place: str, name: str) -> bool:
    return name == place or name.startswith(f"{place}/")


def _git_files(files: TreeFiles, top: str) -> Iterator[str]:
    """The files below ``top`` that are no data of DVC's own, and that ``.dvcignore`` does not leave out.

    A symbolic link to a file of the repository counts as that file; one to a folder, or out of it, is left out.
    """
    ignore = Ignore(files)
    folders = [""]
    while folders:
        folder = folders.pop()
        for each in files.list(posixpath.join(top, folder)):
            name = posixpath.join(folder, each.name)
            path = RepoPath(posixpath.join(top, name))
            if each.is_dir(follow_symlinks=False):
                if not ignore.ignores(path, True):
                    folders.append(name)
            elif not (
                each.name in _DVC_FILES
                or each.name.endswith(".dvc")
                or ignore.ignores(path, False)
                or not files.is_file(path)
            ):
                yield name

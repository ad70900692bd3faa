"""The search for ``dvc.yaml`` and ``.dvc`` files."""

from __future__ import annotations

from collections.abc import Container, Iterator

from redoit.model import PIPELINE_FILE, RepoPath
from redoit.spec.files import Files
from redoit.spec.ignore import GitRules, Ignore


def find_files(
    files: Files, ignore: Ignore, git: GitRules | None, outs: Container[RepoPath]
) -> Iterator[RepoPath]:
    """Every ``dvc.yaml`` and ``.dvc`` file, in DVC's order: files of a folder first, then folders.

    DVC takes both as the disk lists them; here they are sorted, so that it is the same order everywhere.

    Not searched: what ``.dvcignore`` or Git ignores, folders that are in ``outs``, links to folders.
    ``outs`` may grow while this runs; a folder is looked up there after the files beside it were given.
    """
    stack: list[str] = [""]
    while stack:
        folder = stack.pop()
        found: list[str] = []
        folders: list[str] = []
        has_rules = is_project = False
        try:
            for entry in files.list(folder):
                name = entry.name
                if entry.is_dir(follow_symlinks=False):
                    if name == ".dvc":
                        is_project = True
                    else:
                        folders.append(name)
                elif name == ".dvcignore":
                    has_rules = True
                elif (name == PIPELINE_FILE or name.endswith(".dvc")) and not entry.is_dir():
                    found.append(name)
        except OSError:
            continue
        if not ignore.enter(folder, has_rules=has_rules, is_project=bool(folder) and is_project):
            continue
        lead = f"{folder}/" if folder else ""
        for name in sorted(found):
            path = RepoPath(lead + name)
            if not ignore.ignores(path, False) and not (
                git and git.ignores(f"{files.root}/{path}", False)
            ):
                yield path
        below = []
        for name in sorted(folders):
            path = RepoPath(lead + name)
            if path in outs or name in (".git", ".hg"):
                continue
            if git is None or not git.ignores(f"{files.root}/{path}", True):
                below.append(path)
        stack.extend(reversed(below))

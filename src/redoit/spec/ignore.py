"""Which files of a project are not part of it: ``.dvcignore``, and for the search Git's rules too."""

from __future__ import annotations

import os
import re

from redoit.model import RepoPath
from redoit.project import Layout
from redoit.spec.files import Files, WorkFiles
from redoit.spec.rules import Rules
from redoit.spec.source import Source

_FILE = ".dvcignore"
_ALWAYS = frozenset((".git", ".hg", ".dvc"))
_Chain = tuple[tuple[str, Rules], ...]
"""The rules that hold in a folder, the nearest first, each with the folder its file lies in."""


class Ignore:
    """``.dvcignore`` files and what is always left out: ``.git``, ``.hg/``, ``.dvc/``, projects inside."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._folders: dict[str, _Chain | None] = {}
        """Folder → its rules; None: the folder is ignored."""
        self.has_rules = False
        """Whether a ``.dvcignore`` with rules was met so far."""

    def ignores(self, path: RepoPath, is_dir: bool) -> bool:
        """Whether ``path``, or a folder it lies in, is ignored. Outside of the project nothing is."""
        if not path or path.startswith(("/", "../")) or path == "..":
            return False
        if is_dir:
            return self._chain(path) is None
        folder, _, name = path.rpartition("/")
        chain = self._chain(folder)
        return chain is None or name == ".git" or _decide(chain, path, name, False)

    def enter(self, folder: str, *, has_rules: bool, is_project: bool) -> bool:
        """Note what a listing of ``folder`` shows, to spare the looks at the disk; False: it is ignored.

        The folders above must have been entered before.
        """
        if folder and folder not in self._folders:
            self._folders[folder] = self._look(folder, has_rules, is_project)
        return self._chain(folder) is not None

    def _chain(self, folder: str) -> _Chain | None:
        if folder not in self._folders:
            lead = f"{folder}/" if folder else ""
            self._folders[folder] = self._look(
                folder,
                self._files.exists(lead + _FILE),
                bool(folder) and self._files.exists(f"{lead}.dvc"),
            )
        return self._folders[folder]

    def _look(self, folder: str, has_rules: bool, is_project: bool) -> _Chain | None:
        chain: _Chain = ()
        if folder:
            parent, _, name = folder.rpartition("/")
            above = self._chain(parent)
            if above is None or is_project or name in _ALWAYS or _decide(above, folder, name, True):
                return None
            chain = above
        if has_rules and not _decide(chain, f"{folder}/{_FILE}" if folder else _FILE, _FILE, False):
            rules = self._read(folder)
            if rules:
                self.has_rules = True
                chain = ((folder, rules), *chain)
        return chain

    def _read(self, folder: str) -> Rules:
        file = RepoPath(f"{folder}/{_FILE}" if folder else _FILE)
        try:
            data = self._files.read(file)
        except OSError:
            return Rules(())
        lines = (line.strip() for line in Source.decode(file, data).text.split("\n"))
        return Rules(lines, reach=True)


def read_ignore(layout: Layout) -> Ignore:
    """The rules of the project; files are read when their folder is first asked about."""
    return Ignore(WorkFiles(layout.root))


def _decide(chain: _Chain, path: str, name: str, is_dir: bool) -> bool:
    for folder, rules in chain:
        verdict = rules.decide(path[len(folder) + 1 :] if folder else path, name, is_dir)
        if verdict is not None:
            return verdict
    return False


class GitRules:
    """What Git ignores, as far as the search for stages needs it: DVC does not look there.

    Reads ``.gitignore`` files, ``info/exclude`` and the user's excludes file. Paths are absolute.
    """

    def __init__(self, root: str) -> None:
        self._folders: dict[str, _Chain | None] = {}
        top, git_dir = _find_git(root)
        self._top = top
        if top is None or git_dir is None:
            return
        shared: _Chain = ()
        for file in (_user_excludes(git_dir), os.path.join(git_dir, "info", "exclude")):
            rules = _read_rules(file) if file else None
            if rules:
                shared = ((top, rules), *shared)
        self._folders[top] = (*_own_rules(top), *shared)

    def ignores(self, path: str, is_dir: bool) -> bool:
        """Whether Git ignores ``path`` or a folder above it; a folder all of whose content it ignores too."""
        if self._top is None or not path.startswith(self._top + "/"):
            return False
        if is_dir:
            return self._chain(path) is None
        folder, _, name = path.rpartition("/")
        chain = self._chain(folder)
        return chain is None or _decide(chain, path, name, False)

    def _chain(self, folder: str) -> _Chain | None:
        if folder not in self._folders:
            parent, _, name = folder.rpartition("/")
            above = self._chain(parent)
            self._folders[folder] = None if above is None else _enter(above, folder, name)
        return self._folders[folder]


def _enter(above: _Chain, folder: str, name: str) -> _Chain | None:
    """The rules that hold in ``folder``; None if it is ignored."""
    own = _own_rules(folder)
    verdict = own[0][1].swallows() if own else None
    if verdict is None:
        verdict = _decide(above, folder, name, True)
    return None if verdict or _emptied(above, folder) else (*own, *above)


def _emptied(chain: _Chain, folder: str) -> bool:
    for base, rules in chain:
        verdict = rules.empties(folder[len(base) + 1 :])
        if verdict is not None:
            return verdict
    return False


def _own_rules(folder: str) -> _Chain:
    rules = _read_rules(os.path.join(folder, ".gitignore"))
    return ((folder, rules),) if rules else ()


def _read_rules(file: str) -> Rules | None:
    try:
        with open(file, encoding="utf-8", errors="surrogateescape") as handle:
            return Rules(handle.read().split("\n"))
    except OSError:
        return None


def _find_git(start: str) -> tuple[str | None, str | None]:
    """(top folder, Git's directory with ``info/``) of the repository around ``start``."""
    folder = start
    while True:
        git = os.path.join(folder, ".git")
        if os.path.isdir(git):
            return folder, git
        if os.path.isfile(git):
            return folder, _linked(folder, git)
        parent = os.path.dirname(folder)
        if parent == folder:
            return None, None
        folder = parent


def _linked(folder: str, file: str) -> str:
    """Where the ``.git`` file of a worktree or submodule leads: the directory all worktrees share."""
    with open(file, encoding="utf-8", errors="surrogateescape") as handle:
        target = handle.read().partition("gitdir:")[2].strip()
    git_dir = os.path.normpath(os.path.join(folder, target))
    try:
        with open(os.path.join(git_dir, "commondir"), encoding="utf-8") as handle:
            return os.path.normpath(os.path.join(git_dir, handle.read().strip()))
    except OSError:
        return git_dir


_EXCLUDES = r"(?im)^\s*excludesfile\s*=\s*(.*?)\s*$"


def _user_excludes(git_dir: str) -> str | None:
    """The user's own excludes file: ``core.excludesFile``, or Git's default place."""
    config_home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    for file in (
        os.path.join(git_dir, "config"),
        os.environ.get("GIT_CONFIG_GLOBAL") or os.path.expanduser("~/.gitconfig"),
        os.path.join(config_home, "git", "config"),
        "/etc/gitconfig",
    ):
        try:
            with open(file, encoding="utf-8", errors="surrogateescape") as handle:
                text = handle.read()
        except OSError:
            continue
        # Most configurations do not name such a file: no pattern is compiled for them.
        found = re.findall(_EXCLUDES, text) if "excludesfile" in text.lower() else None
        if found:
            chosen: str = found[-1]
            return os.path.expanduser(chosen.strip('"'))
    return os.path.join(config_home, "git", "ignore")

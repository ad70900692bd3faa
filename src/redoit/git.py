"""What we ask of Git: its own commands, as few as possible (each costs 3 to 5 ms)."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from redoit.errors import GitError

_CALLERS = frozenset(
    (
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_LITERAL_PATHSPECS",
        "GIT_NAMESPACE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_QUARANTINE_PATH",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    )
)
"""What Git tells its hooks about its own call: it would lead ours astray."""
_ARGUMENTS = 100_000
"""Bytes of paths given to one command."""
_AS_IT_IS = ("-c", "core.safecrlf=false")
"""Mixed line ends are the user's business, not a reason to lose a record."""
_STALE_LOCK = 60.0
"""Seconds after which a lock of a ref has surely lost its owner: Git holds it for milliseconds."""
_UNFINISHED = (
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "AUTO_MERGE",
    "rebase-merge",
    "rebase-apply",
)


class Ref(NamedTuple):
    """A ref that points to a commit."""

    name: str
    rev: str
    tree: str


@dataclass(frozen=True)
class Git:
    """The Git repository around ``root``: a folder of its work tree, not necessarily the top.

    Every method raises GitError if Git is missing, or ``root`` is not in a work tree.
    """

    root: str

    @cached_property
    def _places(self) -> tuple[str, str, str | None]:
        """Top of the work tree, the work tree's Git folder, and the commit of HEAD if there is one."""
        done = self._start(
            (
                "rev-parse",
                "--show-toplevel",
                "--absolute-git-dir",
                "--verify",
                "--quiet",
                "HEAD^{commit}",
            )
        )
        lines = os.fsdecode(done.stdout).splitlines()
        if len(lines) < 2:
            raise self._no_repository(done.stderr)
        return lines[0], lines[1], lines[2] if len(lines) > 2 else None

    @property
    def toplevel(self) -> str:
        """Absolute path of the top of the work tree."""
        return self._places[0]

    @property
    def git_dir(self) -> str:
        """Absolute path of ``.git``; of a linked work tree, of its own part of it."""
        return self._places[1]

    def is_repository(self) -> bool:
        """Whether ``root`` lies in a work tree of Git."""
        try:
            return bool(self._places)
        except GitError:
            return False

    def head(self) -> str:
        """The commit that is checked out now. Raises GitError if there is none yet."""
        first = "_places" not in self.__dict__
        rev = self._places[2] if first else self._rev("HEAD")
        if rev is None:
            raise GitError(
                "the Git repository has no commit yet, so there is nothing an experiment could start from",
                facts={"repository": self.toplevel},
                hint="make the first commit: `git add .` and `git commit -m start`",
            )
        return rev

    def _rev(self, name: str) -> str | None:
        done = self._start(("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"))
        return done.stdout.decode().strip() if done.returncode == 0 else None

    def prefix(self) -> str:
        """``root`` relative to the top, with ``/`` at the end; empty if it is the top."""
        inside = os.path.relpath(os.path.realpath(self.root), os.path.realpath(self.toplevel))
        return "" if inside == "." else f"{inside}/"

    # --- files ------------------------------------------------------------------------------------

    def ignored(self, paths: Iterable[str]) -> set[str]:
        """Which of ``paths`` (relative to ``root``) Git ignores; a tracked file is not ignored."""
        wanted = list(paths)
        if not wanted:
            return set()
        done = self._start(("check-ignore", "-z", "--stdin"), _joined(wanted))
        if done.returncode > 1:
            raise self._failed("check-ignore", done)
        return set(_split(done.stdout))

    def tracked(self, paths: Sequence[str] = ()) -> list[str]:
        """Files in the index, relative to ``root``: all below it, or those that ``paths`` name or hold."""
        return list(self._listed(("ls-files", "-z"), paths))

    def untracked(self, paths: Sequence[str] = (), index: str | None = None) -> list[str]:
        """Files that are neither in the index nor ignored, as in ``tracked``. Repositories inside are left out."""
        options = ("ls-files", "-z", "--others", "--exclude-standard")
        return [path for path in self._listed(options, paths, index) if not path.endswith("/")]

    def _listed(
        self, options: Sequence[str], paths: Sequence[str], index: str | None = None
    ) -> Iterator[str]:
        for some in _portions(paths) if paths else [()]:
            yield from _split(self.run("--literal-pathspecs", *options, "--", *some, index=index))

    def unmerged(self) -> list[str]:
        """Files with a conflict that is not settled, relative to the top."""
        if not any(os.path.exists(os.path.join(self.git_dir, name)) for name in _UNFINISHED):
            return []
        listed = _split(self.run("ls-files", "-z", "--unmerged", "--full-name", "--", ":/"))
        return sorted({line.split("\t", 1)[1] for line in listed})

    # --- commits ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def private_index(self, folder: str) -> Iterator[str]:
        """Path of a copy of the user's index in ``folder``, gone afterwards."""
        os.makedirs(folder, exist_ok=True)
        _remove_leftovers(folder)
        path = os.path.join(folder, f"index-{os.getpid()}-{os.urandom(4).hex()}")
        try:
            if not _copy(self._index, path):
                self.run("read-tree", "HEAD", index=path)
            yield path
        finally:
            for leftover in (path, f"{path}.lock"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(leftover)

    @cached_property
    def _index(self) -> str:
        return os.path.join(self.git_dir, "index")

    def add_changes(self, index: str) -> None:
        """Put what changed or was deleted of the tracked files of the whole work tree into ``index``."""
        self.run(*_AS_IT_IS, "add", "--update", index=index)

    def add(self, paths: Iterable[str], index: str) -> None:
        """Put files, relative to ``root``, into ``index``."""
        self.run(
            *_AS_IT_IS, "update-index", "--add", "-z", "--stdin", input=_joined(paths), index=index
        )

    def write_tree(self, index: str) -> str:
        """The tree of what ``index`` holds."""
        return self.run("write-tree", index=index).decode().strip()

    def commit_tree(self, tree: str, parent: str, message: str) -> str:
        """A commit in the user's name; no hook runs, no ref changes. Returns it."""
        arguments = (
            "-c",
            "i18n.commitEncoding=UTF-8",
            "commit-tree",
            tree,
            "-p",
            parent,
            "-F",
            "-",
        )
        text = message.encode("utf-8", "surrogateescape")
        done = self._start(arguments, text)
        if done.returncode and re.search(rb"ident|tell me who you are|email", done.stderr):
            # Nobody has told Git who they are: the login will do, as in DVC.
            done = self._start(arguments, text, extra=_login())
        if done.returncode:
            raise self._failed("commit-tree", done)
        return done.stdout.decode().strip()

    # --- refs -------------------------------------------------------------------------------------

    def refs(self, prefix: str) -> list[Ref]:
        """Refs below ``prefix`` that point to commits, the newest commit first."""
        form = "--format=%(refname)%00%(objectname)%00%(tree)"
        text = self.run("for-each-ref", "--sort=-committerdate", form, prefix)
        rows = [line.split("\0") for line in os.fsdecode(text).splitlines()]
        return [Ref(name, rev, tree) for name, rev, tree in rows if tree]

    def create_ref(self, name: str, rev: str, *, replace: bool = False) -> bool:
        """Make the ref. False, and nothing done, if it is there already and not to be replaced."""
        arguments = (
            ("update-ref", name, rev) if replace else ("update-ref", name, rev, "0" * len(rev))
        )
        deadline = time.monotonic() + 2.0
        while True:
            done = self._start(arguments)
            if done.returncode == 0:
                return True
            if b"already exists" in done.stderr and b".lock" not in done.stderr:
                return False
            if b".lock" not in done.stderr or time.monotonic() > deadline:
                raise self._failed("update-ref", done)
            self._drop_stale_lock(name)
            time.sleep(0.02)

    def _drop_stale_lock(self, name: str) -> None:
        """Remove the lock file that a killed Git left on a ref."""
        common = os.fsdecode(
            self.run("rev-parse", "--path-format=absolute", "--git-common-dir")
        ).strip()
        lock = os.path.join(common, f"{name}.lock")
        with contextlib.suppress(OSError):
            if time.time() - os.stat(lock).st_mtime > _STALE_LOCK:
                os.unlink(lock)

    # --- processes --------------------------------------------------------------------------------

    def run(self, *arguments: str, input: bytes = b"", index: str | None = None) -> bytes:  # noqa: A002
        """What ``git`` with ``arguments`` prints, run in ``root``. Raises GitError with what it said."""
        done = self._start(arguments, input, index)
        if done.returncode:
            raise self._failed(_command(arguments), done)
        return done.stdout

    def _start(
        self,
        arguments: Sequence[str],
        input: bytes = b"",  # noqa: A002
        index: str | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        environ = environment()
        if index is not None:
            environ["GIT_INDEX_FILE"] = index
        environ.update(extra or {})
        try:
            return subprocess.run(
                ["git", *arguments],
                cwd=self.root,
                env=environ,
                input=input,
                capture_output=True,
                check=False,
            )
        except FileNotFoundError:
            if not os.path.isdir(self.root):
                raise GitError(f"there is no folder {self.root}") from None
            raise GitError(
                "git is not installed, or not on the PATH",
                hint="install Git: experiments are Git commits (`exp repro` does without)",
            ) from None
        except OSError as error:
            raise GitError("git cannot be run", facts={"reason": error.strerror}) from error

    def _no_repository(self, stderr: bytes) -> GitError:
        said = os.fsdecode(stderr).strip()
        if "not a git repository" in said:
            return GitError(
                "this project is not in a Git repository",
                facts={"folder": self.root},
                hint="run `git init` and make a first commit; `exp repro` does without Git",
            )
        if "must be run in a work tree" in said:
            return GitError(
                "this is a bare Git repository, without files", facts={"folder": self.root}
            )
        return GitError(
            "Git cannot use this repository",
            facts={"folder": self.root, "git says": said.replace("\n", "; ")},
        )

    def _failed(self, command: str, done: subprocess.CompletedProcess[bytes]) -> GitError:
        said = os.fsdecode(done.stderr).strip().removeprefix("fatal: ").removeprefix("error: ")
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        hint = None
        if b"index.lock" in done.stderr:
            hint = "another Git command is running here; if not, delete the lock file it names"
        return GitError(
            f"git {command} failed",
            facts={"git says": "; ".join(lines) or f"exit code {done.returncode}"},
            hint=hint,
        )


def _command(arguments: Sequence[str]) -> str:
    """The Git command among ``arguments``, behind Git's own options."""
    words = iter(arguments)
    for word in words:
        if word == "-c":
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""


def environment() -> dict[str, str]:
    """The variables that a ``git`` of ours runs with."""
    environ = {name: value for name, value in os.environ.items() if name not in _CALLERS}
    # Messages are matched, nothing may ask, and the user's index is not to be refreshed.
    environ.update(LC_ALL="C", LANGUAGE="", GIT_TERMINAL_PROMPT="0", GIT_OPTIONAL_LOCKS="0")
    return environ


_BAD_IN_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]")


def why_not_ref_part(name: str) -> str | None:
    """Why ``name`` cannot be one part of a ref, by the rules of ``git check-ref-format``; None if it can."""
    if not name:
        return "it is empty"
    if "/" in name:
        return "it has a slash"
    bad = _BAD_IN_REF.search(name)
    if bad:
        return "it has a space" if bad[0] == " " else f"it has the character {bad[0]!r}"
    if name.startswith(".") or name.endswith("."):
        return "it starts or ends with a dot"
    for piece in ("..", "@{"):
        if piece in name:
            return f"it has {piece!r}"
    if name.endswith(".lock"):
        return "it ends with '.lock'"
    if name == "@":
        return "'@' alone means HEAD"
    try:
        too_long = len(name.encode()) > 200
    except UnicodeEncodeError:
        return "it is not UTF-8"
    return "it is longer than 200 bytes" if too_long else None


def _joined(paths: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(path) + b"\0" for path in paths)


def _split(text: bytes) -> list[str]:
    return [os.fsdecode(part) for part in text.split(b"\0") if part]


def _portions(paths: Sequence[str]) -> Iterator[list[str]]:
    """``paths`` in lists short enough for a command line."""
    some: list[str] = []
    length = 0
    for path in paths:
        some.append(path)
        length += len(path) + 1
        if length > _ARGUMENTS:
            yield some
            some, length = [], 0
    if some:
        yield some


def _copy(source: str, target: str) -> bool:
    """Copy an index; False if there is none.

    The copy keeps the time of the original: Git takes a file for changed that was written after it.
    """
    try:
        with open(source, "rb") as old:
            times = os.fstat(old.fileno())
            with open(target, "wb") as new:
                while data := old.read(1 << 20):
                    new.write(data)
    except FileNotFoundError:
        return False
    os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))
    return True


def _remove_leftovers(folder: str) -> None:
    """Remove indexes of killed processes: an hour old, of no use to anyone."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("index-") and time.time() - entry.stat().st_mtime > 3600:
                os.unlink(entry.path)


def _login() -> dict[str, str]:
    import getpass  # both are slow to import, and seldom needed
    import socket

    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):
        name = "unknown"
    email = f"{name}@{socket.gethostname() or 'localhost'}"
    return {
        "GIT_AUTHOR_NAME": os.environ.get("GIT_AUTHOR_NAME") or name,
        "GIT_AUTHOR_EMAIL": os.environ.get("GIT_AUTHOR_EMAIL") or email,
        "GIT_COMMITTER_NAME": os.environ.get("GIT_COMMITTER_NAME") or name,
        "GIT_COMMITTER_EMAIL": os.environ.get("GIT_COMMITTER_EMAIL") or email,
    }

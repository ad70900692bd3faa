"""Commits of other Git repositories, fetched into a small clone of ours.

Another repository is only ever read through ``git fetch``, which Git holds to be safe: what its configuration and its
hooks say is not obeyed, and no program of its is run.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from redoit.errors import GitError
from redoit.files import digest_bytes, locked
from redoit.git import Git
from redoit.project import Layout
from redoit.redact import redacted

_SCHEMES = ("file", "git", "http", "https", "ssh", "git+ssh")
_SAFE = (
    *("-c", "protocol.allow=never", "-c", "protocol.ext.allow=never", "-c", "gc.auto=0"),
    *(word for scheme in _SCHEMES for word in ("-c", f"protocol.{scheme}.allow=always")),
)
_KEPT = "refs/redoit/"
_SHA = r"[0-9a-f]{40}([0-9a-f]{24})?"
_MANY = 20
"""So many commits a clone keeps; then it is made anew."""


class Commit(NamedTuple):
    """A commit of another repository, in a clone of ours. ``path`` is the repository, if it is on this machine."""

    git: Git
    rev: str
    path: str | None


def find_repository(url: str, folders: Sequence[str]) -> tuple[str, str | None]:
    """What ``git`` is to be given for ``url``, and the path if it is on this machine.

    A relative path counts from the first of ``folders`` in which it is there. Raises GitError.
    """
    if re.match(r"[\w.+-]+::", url):
        raise _refused(url, "it names a program that would be run")
    scheme = re.match(r"([A-Za-z][\w+.-]*)://", url)
    if scheme:
        if scheme[1].lower() not in _SCHEMES:
            raise _refused(url, f"known are paths and {', '.join(f'{s}://' for s in _SCHEMES)}")
        path = url.removeprefix("file://") if url.startswith("file:///") else None
        return url, path
    for folder in folders:
        place = os.path.normpath(os.path.join(folder, os.path.expanduser(url)))
        if os.path.isdir(place):
            return place, place
    if re.match(r"(?!-)[^/:]+:(?!//)", url):  # user@host:path
        return url, None
    raise GitError(
        f"there is no Git repository at '{url}'",
        facts={"looked in": ", ".join(dict.fromkeys(folders))},
        hint="give the path or URL of a Git repository",
    )


def _refused(url: str, why: str) -> GitError:
    return GitError(
        f"'{redacted(url)}' cannot be imported from",
        facts={"because": why},
        hint="give the path or URL of a Git repository",
    )


class Clones:
    """Owns the clones of other repositories in this project's local state."""

    def __init__(self, layout: Layout) -> None:
        self._folder = os.path.join(layout.tmp, "clones")

    @contextlib.contextmanager
    def commit(self, url: str, path: str | None, rev: str | None) -> Iterator[Commit]:
        """The commit ``rev`` (by default that of the other's ``HEAD``); a whole sha that is here needs no network.

        As long as it is used, its clone stays. Raises GitError if the repository cannot be read, or has no such commit.
        """
        place = self._place(url)
        with contextlib.ExitStack() as use:
            with locked(f"{place}.lock"):
                clone = _Clone(place, url)
                if rev and re.fullmatch(_SHA, rev):
                    sha = clone.sha(rev)
                else:
                    clone.tidy()
                    sha = clone.named(rev)
                use.enter_context(locked(_used(place), shared=True))
            yield Commit(clone.git, sha, path)

    def revision(self, url: str, rev: str | None) -> str:
        """The sha of the commit ``rev`` as ``commit`` has it, by asking alone where a ref names it. Raises GitError."""
        if rev and re.fullmatch(_SHA, rev):
            return rev
        place = self._place(url)
        with locked(f"{place}.lock"):
            return _Clone(place, url).told(rev)

    def _place(self, url: str) -> str:
        return os.path.join(self._folder, digest_bytes(os.fsencode(url))[:16])


def _used(place: str) -> str:
    return f"{place}.used"


class _Clone:
    """A bare clone at ``place`` that is locked; what a killed fetch left behind is removed first."""

    def __init__(self, place: str, url: str) -> None:
        self._place = place
        self._url = url
        self.git = Git(place)
        for folder, _, names in os.walk(place):
            for name in names:
                if name.endswith(".lock") or name.startswith("tmp_pack_"):
                    os.unlink(os.path.join(folder, name))
        self._make()

    def _make(self) -> None:
        os.makedirs(self._place, exist_ok=True)
        self.git.run("init", "--quiet", "--bare", "--template=")

    def tidy(self) -> None:
        """Make the clone anew if it has come to keep many commits, and nobody reads from it."""
        if len(self.git.refs(_KEPT)) > _MANY:
            with locked(_used(self._place), wait=False) as is_free:
                if is_free:
                    shutil.rmtree(self._place)
                    self._make()

    def sha(self, rev: str) -> str:
        """The commit with this sha, fetched if it is not here."""
        if self._has(rev):
            return rev
        with contextlib.suppress(GitError):  # some servers give only what a ref names
            self._fetch("--depth=1", f"+{rev}:{_KEPT}{rev}")
        if not self._has(rev):
            self._fetch_all()
        if not self._has(rev):
            raise self._unknown(rev)
        return rev

    def told(self, rev: str | None) -> str:
        """As ``named``; a commit that a ref names is not fetched."""
        return _ref(self._refs(), rev)[1] or self.named(rev)

    def named(self, rev: str | None) -> str:
        """The commit that the name ``rev`` means in the other repository now."""
        refs = self._refs()
        name, sha = _ref(refs, rev)
        if name:
            if not self._has(sha):
                self._fetch("--depth=1", f"+{name}:{_KEPT}{sha}")
            return self.sha(sha)  # the name may have moved on just now
        if rev is None:
            raise GitError(
                f"the repository '{redacted(self._url)}' has no commit",
                hint="it is empty, or its HEAD names a branch that is not there: say --rev",
            )
        self._fetch_all()
        with contextlib.suppress(GitError):
            head = refs.get("HEAD")
            if head:
                self.git.run("update-ref", "--no-deref", "HEAD", head)
            asked = ("--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}")
            return self.git.run("rev-parse", *asked).decode().strip()
        raise self._unknown(rev, refs)

    def _has(self, sha: str) -> bool:
        try:
            self.git.run("cat-file", "-e", f"{sha}^{{tree}}")
        except GitError:
            return False
        return True

    def _refs(self) -> dict[str, str]:
        with self._reading():
            told = os.fsdecode(self.git.run(*_SAFE, "ls-remote", "--quiet", "--", self._url))
        rows = [line.split("\t", 1) for line in told.splitlines()]
        return {row[1]: row[0] for row in rows if len(row) == 2}

    def _fetch_all(self) -> None:
        """Fetch all branches and tags with their history: for names that only that can resolve."""
        shallow = os.path.exists(os.path.join(self._place, "shallow"))
        self._fetch(
            *(("--unshallow",) if shallow else ()),
            "--update-head-ok",
            "+refs/heads/*:refs/heads/*",
            "+refs/tags/*:refs/tags/*",
        )

    def _fetch(self, *words: str) -> None:
        options = [word for word in words if word.startswith("-")]
        refspecs = [word for word in words if not word.startswith("-")]
        quiet = ("--quiet", "--no-tags", "--no-recurse-submodules", "--force")
        with self._reading():
            self.git.run(*_SAFE, "fetch", *quiet, *options, "--", self._url, *refspecs)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except GitError as error:
            raise GitError(
                f"the repository '{redacted(self._url)}' cannot be read",
                facts={key: redacted(str(value)) for key, value in error.facts.items()},
                hint="check the URL, the network and your access to it",
            ) from None

    def _unknown(self, rev: str, refs: Sequence[str] | dict[str, str] = ()) -> GitError:
        names = [name.split("/", 2)[2] for name in refs if name.count("/") > 1]
        near = get_close_matches(rev, [name for name in names if not name.endswith("^{}")], 1)
        return GitError(
            f"the repository '{redacted(self._url)}' has no revision '{rev}'",
            hint=f"did you mean '{near[0]}'?" if near else "give a branch, a tag or a commit",
        )


def _ref(refs: dict[str, str], rev: str | None) -> tuple[str, str]:
    """The ref that ``rev`` means, and the commit that it names; empty if there is none."""
    wanted = [f"refs/tags/{rev}", f"refs/heads/{rev}", rev] if rev else ["HEAD"]
    for name in wanted:
        if name in refs:
            return name, refs.get(f"{name}^{{}}", refs[name])
    return "", ""

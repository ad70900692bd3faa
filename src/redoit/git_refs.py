"""Refs: several changed at once, those of a remote, and the names that commits have."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from redoit.errors import GitError
from redoit.git import Git
from redoit.redact import redacted

_PATIENCE = ("-c", "core.filesRefLockTimeout=5000", "-c", "core.packedRefsTimeout=5000")
"""Milliseconds to wait for another Git command that is changing the same refs."""


_AT_ONCE = 500
"""So many refs are named in one command."""


class RefChange(NamedTuple):
    """A ref is to go from the commit ``old`` to ``new``; None: it does not exist."""

    ref: str
    old: str | None
    new: str | None


def change_refs(git: Git, changes: Iterable[RefChange]) -> None:
    """Make all ``changes`` or none. Raises GitError if a ref is not at its ``old`` any more."""
    lines = []
    for ref, old, new in changes:
        if new is None:
            lines.append(f"delete {ref}\0{old or ''}\0")
        elif old is None:
            lines.append(f"create {ref}\0{new}\0")
        else:
            lines.append(f"update {ref}\0{new}\0{old}\0")
    if lines:
        git.run(*_PATIENCE, "update-ref", "--stdin", "-z", input=os.fsencode("".join(lines)))


def remote_refs(git: Git, remote: str, prefix: str) -> list[tuple[str, str]]:
    """Ref and commit of everything below ``prefix`` at ``remote``, a name or an address.

    Raises GitError if the remote cannot be reached.
    """
    text = _at(git, remote, "ls-remote", "--refs", "--", remote, f"{prefix}*")
    rows = [line.split("\t", 1) for line in os.fsdecode(text).splitlines()]
    return [(ref, rev) for rev, ref in rows if ref.startswith(prefix)]


def change_remote_refs(git: Git, remote: str, changes: Sequence[RefChange]) -> None:
    """As ``change_refs``, at ``remote``: commits that it lacks are sent there. No hook of this repository runs.

    Several hundred are changed at a time, all of these or none.
    """
    if not changes:
        return
    for start in range(0, len(changes), _AT_ONCE):
        some = changes[start : start + _AT_ONCE]
        leases = [f"--force-with-lease={ref}:{old or ''}" for ref, old, _ in some]
        specs = [f"{new or ''}:{ref}" for ref, _, new in some]
        options = ("--quiet", "--atomic", "--no-verify")
        _at(git, remote, "push", *options, *leases, "--", remote, *specs)


def fetch_commit(git: Git, remote: str, *refs: str) -> None:
    """Get the commits that ``refs`` at ``remote`` point to; no ref is made here. Raises GitError."""
    options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance")
    for start in range(0, len(refs), _AT_ONCE):
        _at(git, remote, "fetch", *options, "--", remote, *refs[start : start + _AT_ONCE])


def _at(git: Git, remote: str, *arguments: str) -> bytes:
    try:
        return git.run(*arguments)
    except GitError as error:
        raise _refused(remote, str(error.facts.get("git says", ""))) or GitError(
            f"the Git remote '{redacted(remote)}' cannot be used",
            facts={name: redacted(str(fact)) for name, fact in error.facts.items()},
            hint="`git remote -v` lists the remotes; an address will do too",
        ) from error


def _refused(remote: str, said: str) -> GitError | None:
    """The error for a remote that answers, but does not take what it is sent; None if that is not what Git said."""
    lines = said.split("; ")
    found = [re.match(r"! \[(?:remote )?rejected\] .*?(\S+) \((.*)\)$", line) for line in lines]
    refused = [each for each in found if each and each[2] != "atomic push failure"]
    if not refused:
        return None
    stale = all(each[2] == "stale info" for each in refused)
    facts = {
        "refused": ", ".join(posixpath.basename(each[1]) for each in refused),
        "because": refused[0][2],
    }
    told = [line.removeprefix("remote:").strip() for line in lines if line.startswith("remote:")]
    if told:
        facts["it says"] = "; ".join(told)
    return GitError(
        f"the Git remote '{redacted(remote)}' does not take this; nothing was changed there",
        facts=facts,
        hint="somebody else has just changed it: look again (`exp list`)"
        if stale
        else "ask who keeps it for the right to push to refs/exps/",
    )


def resolve(git: Git, name: str) -> str | None:
    """The commit that ``name``, in any form Git knows, stands for; None if there is none."""
    if not name or name.startswith("-"):
        return None
    try:
        found = git.run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    except GitError:
        return None
    return found.decode().strip()


def first_parents(git: Git, rev: str, number: int) -> list[str]:
    """``rev`` and the commits before it on its branch, ``number`` in all; all for a negative one."""
    found = git.run("rev-list", "--first-parent", f"--max-count={number}", rev, "--")
    return found.decode().split()


def work_trees(git: Git) -> list[str]:
    """Absolute paths of all work trees of the repository that are there, this one included."""
    text = os.fsdecode(git.run("worktree", "list", "--porcelain"))
    found = [each.removeprefix("worktree ") for each in text.split("\n\n")]
    paths = [each.partition("\nHEAD ")[0].removesuffix("\nbare") for each in found]
    return [path for path in paths if os.path.isdir(path)]


def names_of_commits(git: Git) -> dict[str, str]:
    """Commit → the branch that is checked out, or else a tag, or else a branch that points to it."""
    form = "--format=%(HEAD)%00%(refname)%00%(refname:strip=2)%00%(objectname)%00%(*objectname)"
    names: dict[str, tuple[int, str]] = {}
    for line in os.fsdecode(git.run("for-each-ref", form, "refs/heads", "refs/tags")).splitlines():
        head, ref, name, rev, tagged = line.split("\0")
        rank = 0 if head == "*" else 1 if ref.startswith("refs/tags/") else 2
        commit = tagged or rev
        if commit not in names or rank < names[commit][0]:
            names[commit] = rank, name
    return {commit: name for commit, (_, name) in names.items()}


def is_branch_name(git: Git, name: str) -> bool:
    """Whether Git would take ``name`` for a branch."""
    try:
        return git.run("check-ref-format", "--branch", name).decode().strip() == name
    except GitError:
        return False

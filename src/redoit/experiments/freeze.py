"""The state that an experiment outside of the workspace starts from, as a commit of Git."""

from __future__ import annotations

import os
import posixpath
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from redoit.errors import ParamsProblem
from redoit.git import Git
from redoit.project import Layout

if TYPE_CHECKING:
    from redoit.experiments.set_params import Change

START_REFS = "refs/redoit/start/"
"""Where the commits hang that experiments start from: DVC and Git's own commands take no notice of them."""


def start_refs(layout: Layout) -> str:
    """The part of them that is this project's: a repository can hold several, and have several work trees."""
    return f"{START_REFS}{layout.token}/"


class Variant(NamedTuple):
    """One start: the ref that keeps its commit, and the params files that differ from the common state."""

    ref: str
    changes: Sequence[Change] = ()


def freeze(
    layout: Layout, git: Git, tree: str, baseline: str, variants: Sequence[Variant]
) -> list[str]:
    """Commits on ``baseline`` with the tree ``tree`` and the changes of each variant, in one process of Git.

    The work tree, the index and HEAD are only read. Raises GitError, and ParamsProblem for a params file outside
    of the repository.
    """
    places = _places(layout, git, variants)
    modes = _modes(git, tree, set(places.values()))
    lines: list[bytes] = []
    for number, variant in enumerate(variants, 1):
        lines += _commit(number, variant.ref, tree, baseline)
        for change in variant.changes:
            place = places[change.path]
            lines += [
                f"M {modes.get(place, '100644')} inline ".encode() + _quoted(place),
                f"data {len(change.new)}".encode(),
                change.new,
            ]
        lines += [b"", f"get-mark :{number}".encode()]
    answer = git.run("fast-import", "--quiet", input=b"\n".join(lines) + b"\n")
    return answer.decode().split()


def _commit(number: int, ref: str, tree: str, baseline: str) -> Iterator[bytes]:
    message = b"the state that an experiment starts from"
    yield f"commit {ref}".encode()
    yield f"mark :{number}".encode()
    yield f"committer redoit <redoit@localhost> {int(time.time())} +0000".encode()
    yield f"data {len(message)}".encode()
    yield message
    yield f"from {baseline}".encode()
    yield f'M 040000 {tree} ""'.encode()


def _places(layout: Layout, git: Git, variants: Sequence[Variant]) -> dict[str, str]:
    """Path of a changed file in the project → where it is in the repository, links followed."""
    top = os.path.realpath(git.toplevel)
    places: dict[str, str] = {}
    for change in {c.path: c for variant in variants for c in variant.changes}.values():
        place = os.path.relpath(os.path.realpath(layout.abspath(change.path)), top)
        if place.startswith("../"):
            raise ParamsProblem(
                f"the params file {change.file} lies outside of the repository",
                hint="an experiment outside of the workspace can only change files of its own",
            )
        places[change.path] = place
    return places


def _modes(git: Git, tree: str, places: set[str]) -> dict[str, str]:
    if not places:
        return {}
    top = Git(git.toplevel)
    listed = top.run("--literal-pathspecs", "ls-tree", "-z", tree, "--", *sorted(places))
    rows = [row.split(b"\t", 1) for row in listed.split(b"\0") if row]
    return {os.fsdecode(path): head.decode().partition(" ")[0] for head, path in rows}


def _quoted(path: str) -> bytes:
    """A path as the stream of fast-import has it."""
    text = os.fsencode(posixpath.normpath(path))
    text = text.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + text + b'"'

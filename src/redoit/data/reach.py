"""The objects that used data are made of: of directories all files too, as far as anybody knows them."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterable

from redoit.data.used import Used
from redoit.errors import CorruptObject, MissingObject, RedoitError
from redoit.model import Algo, Oid
from redoit.store import tree
from redoit.store.listings import listing_of
from redoit.store.moved import Wanted
from redoit.store.objects import Objects
from redoit.store.remotes import Remotes
from redoit.store.transfer import list_directories

Key = tuple[Oid, Algo]

_NAMED = 10
"""So many directories an error names."""


class Reach:
    """Owns the keys of the objects that ``used`` is made of.

    ``unknown``: the directories among it whose files are not known, as their objects are missing or damaged. Those that come
    from another repository are not among them: it has the files, and here they may never have been.
    """

    def __init__(self, used: Iterable[Used], objects: Objects) -> None:
        self._objects = objects
        self.keys: set[Key] = set()
        self.unknown: dict[Key, Used] = {}
        # Of what an import and something else use, the import comes last.
        for each in sorted(used, key=_is_far):
            oid, algo = each.entry.oid, each.entry.algo
            if oid is None or (oid, algo) in self.keys:
                continue
            self.keys.add((oid, algo))
            if tree.is_dir_oid(oid):
                try:
                    files = listing_of(objects, oid, algo)
                except (MissingObject, CorruptObject):
                    if not _is_far(each):
                        self.unknown[oid, algo] = each
                else:
                    self.keys.update((inner, algo) for _, inner in files)

    def ask(self, remotes: Remotes, name: str | None) -> None:
        """Ask remotes for what is unknown: ``name``, that of the out, and the default one.

        One that there is not, or that cannot be reached, knows nothing.
        """
        groups: dict[str | None, list[Used]] = defaultdict(list)
        for each in self.unknown.values():
            for remote in dict.fromkeys((name, each.out.remote, None)):
                groups[remote].append(each)
        for remote, asked in groups.items():
            wanted = [
                Wanted(each.path, each.entry)
                for each in asked
                if (each.entry.oid, each.entry.algo) in self.unknown
            ]
            with contextlib.suppress(RedoitError):
                found = list_directories(wanted, remotes.open(remote), self._objects)
                for key, files in found.items():
                    del self.unknown[key]
                    self.keys.update((oid, key[1]) for oid in files)

    def told(self) -> str:
        """The unknown directories, by their paths."""
        names = list(dict.fromkeys(f"{each.path}/" for each in self.unknown.values()))
        more = len(names) - _NAMED
        return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")

    def check(self) -> None:
        """Raise MissingObject if the files of a directory are not known."""
        if self.unknown:
            oid, algo = next(iter(self.unknown))
            raise MissingObject(
                "it is not known which files belong to a directory in use: they would be taken for garbage",
                facts={"directories": self.told(), "looked for": self._objects.path(oid, algo)},
                hint="`exp data fetch` gets the list (-A: of all commits), `exp data commit` makes that of the workspace; "
                "--skip-failed lets such files go",
            )


def _is_far(used: Used) -> bool:
    """Whether another repository has the data."""
    return used.stage.origin is not None and used.stage.origin.repo is not None

"""Which plots a revision has: those of ``dvc.yaml``, of stages, and files that were asked for."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from redoit.experiments.plot_data import is_data
from redoit.experiments.revision import RevisionFiles
from redoit.model import OutKind, RepoPath
from redoit.project import Layout
from redoit.spec import Index
from redoit.spec.schema import PLOT_PROPERTIES

Fields = dict[str, Any]
"""What is said of a plot: x, y, x_label, y_label, title, template, header."""
_SEPARATOR = "::"


class PlotsAsked(NamedTuple):
    """What plots are asked for, and where from."""

    targets: tuple[str, ...] = ()
    """Files, directories or names of plots, or patterns (regular expressions) that such begin with; none: all."""
    fields: Mapping[str, Any] = {}
    """Fields that are put over those of every plot."""
    cwd: str = ""
    """Directory (absolute) that targets and names are relative to; empty means the project's root."""


class Definition(NamedTuple):
    """A plot of one revision: its ``name``, or the file that it is made of, and its fields."""

    name: str
    fields: Mapping[str, Any]


class Viewpoint:
    """Paths of the project as seen from a working directory, and back."""

    def __init__(self, layout: Layout, cwd: str) -> None:
        self._layout = layout
        self._here = os.path.realpath(cwd) if cwd else layout.root

    def seen(self, path: str) -> str:
        """A path of the project as it is written here."""
        if self._here == self._layout.root and not os.path.isabs(path):
            return path
        return os.path.relpath(self._layout.abspath(path), self._here)

    def path(self, seen: str) -> RepoPath:
        """What is written here as ``seen``, as a path of the project."""
        return self._layout.relative(os.path.normpath(os.path.join(self._here, seen)))


class Definitions:
    """The plots of one revision; owns what has been found of the targets."""

    def __init__(
        self, index: Index, files: RevisionFiles, asked: PlotsAsked, viewpoint: Viewpoint
    ) -> None:
        self._index = index
        self._files = files
        self._asked = asked
        self._viewpoint = viewpoint
        self._patterns = {target: _pattern(target) for target in asked.targets}
        self.found: set[str] = set()
        """The targets that mean something."""
        self.known: set[str] = set()
        """The names of all plots that there are, asked for or not."""

    def collect(self) -> dict[str, Definition]:
        """Name → plot, in the order of ``dvc.yaml`` files, stages, targets.

        A name that several have is preceded by the ``dvc.yaml`` that it stands in.
        """
        by_file: dict[str, dict[str, Fields]] = {}
        for top in self._index.files:
            seen = self._viewpoint.seen(top)
            by_file[seen] = self._top_level(top, seen)
        others = by_file.setdefault("", {})
        for path, fields in self._of_stages():
            others.setdefault(path, {}).update(fields)
        for path in self._of_targets():
            others.setdefault(path, {}).update(self._asked.fields)
        holders: dict[str, list[str]] = {}
        for file, plots in by_file.items():
            for name in plots:
                holders.setdefault(name, []).append(file)
        return {
            name if len(files) == 1 or not file else f"{file}{_SEPARATOR}{name}": Definition(
                name, by_file[file][name]
            )
            for name, files in holders.items()
            for file in files
        }

    def header(self, path: str) -> bool:
        """Whether the first row of a table has its fields' names, as the stage that writes it says."""
        if "header" in self._asked.fields:
            return bool(self._asked.fields["header"])
        for stage in self._index.stages.values():
            for out in stage.outs:
                if out.kind is OutKind.PLOT and (
                    out.path == path or path.startswith(f"{out.path}/")
                ):
                    return bool((out.extra or {}).get("header", True))
        return True

    def _top_level(self, file: RepoPath, seen: str) -> dict[str, Fields]:
        found: dict[str, Fields] = {}
        folder = posixpath.dirname(file)
        plots = {plot.name: dict(plot.fields or {}) for plot in self._index.files[file].plots}
        paths = {posixpath.normpath(posixpath.join(folder, name)) for name in plots}
        for name, fields in plots.items():
            if isinstance(fields.get("y"), Mapping):
                if self._is_asked(name, seen):
                    found[name] = self._asked_of_all(self._located(fields, folder))
            elif self._is_asked(name, seen):
                top = posixpath.normpath(posixpath.join(folder, name))
                for path in self._below(top):
                    # What a directory says holds for the files that nothing nearer speaks of.
                    if _nearest(path, paths) == top:
                        seen_path = self._viewpoint.seen(path)
                        fields_here = {**self._located(fields, folder), **self._asked.fields}
                        found.setdefault(seen_path, {}).update(fields_here)
        return found

    def _asked_of_all(self, fields: Fields) -> Fields:
        """``fields`` of a plot of several files with those that are asked for; a y that is, is one of each file."""
        asked = dict(self._asked.fields)
        if "y" in asked:
            asked["y"] = dict.fromkeys(fields["y"], asked["y"])
        return {**fields, **asked}

    def _located(self, fields: Fields, folder: str) -> Fields:
        """``fields`` with the files of x and y as seen from the working directory."""
        found = dict(fields)
        for axis in ("x", "y"):
            if isinstance(found.get(axis), Mapping):
                found[axis] = {
                    self._viewpoint.seen(posixpath.normpath(posixpath.join(folder, path))): named
                    for path, named in found[axis].items()
                }
        return found

    def _of_stages(self) -> Iterator[tuple[str, Fields]]:
        for stage in self._index.stages.values():
            for out in stage.outs:
                if out.kind is not OutKind.PLOT:
                    continue
                seen = self._viewpoint.seen(out.path)
                if self._is_asked(seen, self._viewpoint.seen(stage.file)):
                    said = {k: v for k, v in (out.extra or {}).items() if k in PLOT_PROPERTIES}
                    for path in self._below(out.path):
                        yield self._viewpoint.seen(path), {**said, **self._asked.fields}

    def _of_targets(self) -> Iterator[str]:
        for target in self._asked.targets:
            path = self._viewpoint.path(target)
            if self._files.exists(path):
                self.found.add(target)
                for each in self._below(path):
                    yield self._viewpoint.seen(each)

    def _below(self, path: str) -> list[str]:
        """The file, or the files of data and images in the directory; the path itself if there is neither."""
        try:
            inside = list(self._files.below(path))
        except OSError:  # reading it tells what is wrong
            return [path]
        if inside or self._files.is_dir(path):
            return [each for each in inside if is_data(each)]
        return [path]

    def _is_asked(self, name: str, file: str) -> bool:
        self.known.add(name)
        if not self._patterns:
            return True
        full = f"{file}{_SEPARATOR}{name}"
        means = {t for t, p in self._patterns.items() if p.match(name) or p.match(full)}
        self.found |= means
        return bool(means)


def _pattern(target: str) -> re.Pattern[str]:
    try:
        return re.compile(target)
    except re.error:  # a name, and no regular expression
        return re.compile(re.escape(target))


def _nearest(path: str, folders: Iterable[str]) -> str | None:
    """The longest of ``folders`` that ``path`` is or lies in."""
    above = [f for f in folders if path == f or f in ("", ".") or path.startswith(f"{f}/")]
    return max(above, key=len, default=None)

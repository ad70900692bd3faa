"""The plots of the workspace, of commits and of experiments, with the data that they are made of."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from redoit.errors import RedoitError, TargetNotFound
from redoit.experiments.overview import resolve_revision
from redoit.experiments.plot_data import Row, Table, is_image, read_table
from redoit.experiments.plot_definitions import Definition, Definitions, PlotsAsked, Viewpoint
from redoit.experiments.plot_series import Line, Series, make_series, sources
from redoit.experiments.revision import (
    WORKSPACE,
    Problem,
    RevisionFiles,
    RevisionReader,
    problem_of,
)
from redoit.git import Git
from redoit.git_objects import GitObjects
from redoit.project import Layout
from redoit.spec.source import near


class Image(NamedTuple):
    """An image as one revision has it."""

    rev: str
    data: bytes


class Unreadable(NamedTuple):
    """What could not be read of a revision: a file, if ``source`` names one, or how x and y go together."""

    rev: str
    problem: Problem
    source: str | None = None

    @property
    def is_absent(self) -> bool:
        """That revision just has no such file."""
        return self.source is not None and self.problem.kind == "FileNotFoundError"


class Plot(NamedTuple):
    """One plot of all revisions: points, or images."""

    name: str
    is_image: bool
    title: str
    template: str | None = None
    points: tuple[Row, ...] = ()
    x: str = ""
    y: str = ""
    """The fields of the points that are drawn."""
    x_label: str = ""
    y_label: str = ""
    lines: tuple[Line, ...] = ()
    """What each revision has a line of."""
    revs: tuple[str, ...] = ()
    """The revisions that have points."""
    images: tuple[Image, ...] = ()
    problems: tuple[Unreadable, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.points or self.images)


class Plots(NamedTuple):
    """All plots that were asked for, and the revisions that could not be read at all."""

    revs: tuple[str, ...]
    plots: tuple[Plot, ...]
    problems: tuple[Unreadable, ...] = ()


class _Read(NamedTuple):
    """The plots of one revision and the content of their files."""

    plots: Mapping[str, Definition]
    tables: Mapping[str, Table]
    images: Mapping[str, bytes]
    problems: Mapping[str, Problem]


def show_plots(layout: Layout, asked: PlotsAsked) -> Plots:
    """The plots of the workspace. Works without Git. Raises TargetNotFound."""
    return _collect(layout, RevisionReader(layout), {WORKSPACE: WORKSPACE}, asked)


def compare_plots(layout: Layout, revs: Sequence[str], asked: PlotsAsked) -> Plots:
    """The plots of several revisions, each drawn once with what all of them have.

    ``revs`` are commits, experiments or "workspace". One alone is compared with the workspace; none: the workspace,
    if it differs from ``HEAD`` that too. Raises GitError for what is no revision, TargetNotFound.
    """
    git = Git(layout.root)
    with contextlib.closing(GitObjects(git)) as objects:
        names = dict.fromkeys([*revs, WORKSPACE] if len(revs) == 1 else revs)
        if not names:
            changed = git.run("status", "--porcelain", "--untracked-files=no")
            names = dict.fromkeys([WORKSPACE, "HEAD"] if changed else [WORKSPACE])
        if WORKSPACE in names:
            names = {WORKSPACE: None, **names}
        found = {
            name: name if name == WORKSPACE else resolve_revision(git, objects, name)
            for name in names
        }
        return _collect(layout, RevisionReader(layout, git, objects), found, asked)


def _collect(
    layout: Layout, reader: RevisionReader, revs: Mapping[str, str], asked: PlotsAsked
) -> Plots:
    """``revs``: name → commit."""
    viewpoint = Viewpoint(layout, asked.cwd)
    read: dict[str, _Read] = {}
    problems = []
    found: set[str] = set()
    known: set[str] = set()
    for name, rev in revs.items():
        try:
            index, files = reader.open(rev)
        except (RedoitError, OSError) as error:
            problems.append(Unreadable(name, problem_of(error)))
            continue
        definitions = Definitions(index, files, asked, viewpoint)
        plots = definitions.collect()
        read[name] = _read(files, definitions, plots, viewpoint)
        found |= definitions.found
        known |= definitions.known
    if not problems:
        _check_targets(asked.targets, found, known)
    return Plots(tuple(revs), tuple(_plots(read)), tuple(problems))


def _check_targets(targets: Sequence[str], found: set[str], known: set[str]) -> None:
    for target in targets:
        if target not in found:
            raise TargetNotFound(
                f"'{target}' is neither a plot nor a file",
                hint=near(target, known) or "without a target, all plots are shown",
            )


def _read(
    files: RevisionFiles,
    definitions: Definitions,
    plots: Mapping[str, Definition],
    viewpoint: Viewpoint,
) -> _Read:
    tables: dict[str, Table] = {}
    images: dict[str, bytes] = {}
    problems: dict[str, Problem] = {}
    for plot in plots.values():
        for source in _sources(plot):
            if source in tables or source in images or source in problems:
                continue
            path = viewpoint.path(source)
            try:
                data = files.read(path)
                if is_image(source):
                    images[source] = data
                else:
                    header = definitions.header(path)
                    tables[source] = read_table(source, data, header=header)
            except (RedoitError, OSError) as error:
                problems[source] = problem_of(error)
    return _Read(plots, tables, images, problems)


def _sources(plot: Definition) -> list[str]:
    return [plot.name] if _shows_image(plot) else sources(plot.name, plot.fields)


def _shows_image(plot: Definition) -> bool:
    return is_image(plot.name) and not isinstance(plot.fields.get("y"), Mapping)


def _plots(read: Mapping[str, _Read]) -> Iterator[Plot]:
    groups: dict[str, list[tuple[str, Definition]]] = {}
    for rev, found in read.items():
        for name, plot in found.plots.items():
            # An image is shown once, whoever names it.
            key = plot.name if _shows_image(plot) else name
            if all(other != rev for other, _ in groups.get(key, ())):
                groups.setdefault(key, []).append((rev, plot))
    for name, group in groups.items():
        if _shows_image(group[0][1]):
            yield _image(name, [rev for rev, _ in group], read)
        else:
            yield _drawn(name, group, read)


def _image(name: str, revs: Sequence[str], read: Mapping[str, _Read]) -> Plot:
    problems = [
        Unreadable(rev, read[rev].problems[name], name)
        for rev in revs
        if name in read[rev].problems
    ]
    images = [Image(rev, read[rev].images[name]) for rev in revs if name in read[rev].images]
    return Plot(
        name,
        is_image=True,
        title=name,
        revs=tuple(image.rev for image in images),
        images=tuple(images),
        problems=tuple(problems),
    )


def _drawn(name: str, group: Sequence[tuple[str, Definition]], read: Mapping[str, _Read]) -> Plot:
    fields: dict[str, Any] = {}
    for _, plot in reversed(group):  # what the first revision says counts
        fields.update(plot.fields)
    first: Series | None = None
    points: list[Row] = []
    revs = []
    problems = []
    for rev, plot in group:
        here = read[rev]
        unread = [source for source in _sources(plot) if source in here.problems]
        problems += [Unreadable(rev, here.problems[source], source) for source in unread]
        try:
            series = make_series(plot.name, fields, here.tables, rev)
        except RedoitError as error:
            if not unread:  # else it is only what follows from that
                problems.append(Unreadable(rev, problem_of(error)))
            continue
        if series is not None:
            first = first or series
            points += series.points
            revs.append(rev)
    title = fields.get("title")
    empty = Plot(
        name,
        is_image=False,
        title=name if title is None else str(title),
        template=fields.get("template"),
        problems=tuple(problems),
    )
    if first is None:
        return empty
    return empty._replace(
        points=tuple(points),
        x=first.x,
        y=first.y,
        x_label=first.x_label,
        y_label=first.y_label,
        lines=first.lines,
        revs=tuple(revs),
    )

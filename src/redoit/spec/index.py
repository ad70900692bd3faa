"""Everything the project's ``dvc.yaml`` and ``.dvc`` files say, resolved."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from redoit.errors import SpecError, SyntaxProblem, TemplateProblem
from redoit.files import digest_bytes, survives_json
from redoit.model import PIPELINE_FILE, Address, Out, Place, RepoPath, Stage, Trace, address_of
from redoit.project import Layout
from redoit.spec.datafile import make_source
from redoit.spec.files import Files, WorkFiles
from redoit.spec.formats import read_values
from redoit.spec.ignore import GitRules, Ignore
from redoit.spec.kept import read_stages, read_trace, stage_rows, trace_row
from redoit.spec.pipeline import Pipeline, TopLevel, read_pipeline
from redoit.spec.schema import check_data_file
from redoit.spec.source import Fault, Source, describe
from redoit.spec.spots import blame
from redoit.spec.template import Style
from redoit.spec.variables import ReadValues
from redoit.spec.walk import find_files
from redoit.spec.yaml import load

_FORMAT = 5
"""Part of the name under which the index is kept: raise it when reading or the kept form changes."""


@dataclass(frozen=True)
class Index:
    """All stages of a project, and what stands beside them."""

    stages: Mapping[Address, Stage]
    """In DVC's order: of the search for files, then of the file, then of ``foreach`` or ``matrix``."""
    groups: Mapping[Address, tuple[Address, ...]]
    """``foreach`` or ``matrix`` entry → the stages made of it."""
    files: Mapping[RepoPath, TopLevel]
    """Every ``dvc.yaml``."""
    recorded: Mapping[Address, Trace]
    """For each ``.dvc`` file, what it records of its data."""


class _Part(NamedTuple):
    """What one file contributes to the Index."""

    stages: list[Stage]
    groups: Mapping[str, list[str]]
    top: TopLevel | None = None
    recorded: Trace | None = None


def load_index(layout: Layout) -> Index:
    """Read the whole project. Raises SpecError for the first mistake.

    What was resolved is kept under the digests of all files that had a say, so that an unchanged
    project is neither parsed nor resolved again.
    """
    key = f"{_FORMAT}-{layout.config.parsing_bool}-{layout.config.parsing_list}"
    before = layout.kept.get("spec", key)
    index, states = read_index(
        layout, WorkFiles(layout.root), before if isinstance(before, dict) else {}
    )
    if states != before:
        layout.kept.keep("spec", key, states, newest=4)
    return index


def read_index(
    layout: Layout, files: Files, before: Mapping[str, Any]
) -> tuple[Index, dict[str, Any]]:
    """What ``files`` say, and the states of them that spare work when they are given as ``before``.

    Raises SpecError for the first mistake.
    """
    ignore = Ignore(files)
    git = GitRules(layout.root) if files.is_work_tree and not layout.config.no_scm else None
    style = Style(layout.config.parsing_bool, layout.config.parsing_list)
    reader = _Reader(files, style, before)
    stages: dict[Address, Stage] = {}
    groups: dict[Address, tuple[Address, ...]] = {}
    tops: dict[RepoPath, TopLevel] = {}
    recorded: dict[Address, Trace] = {}
    outs: set[RepoPath] = set()
    for file in find_files(files, ignore, git, outs):
        part = reader.part(file)
        for stage in part.stages:
            stages[stage.address] = stage
            for out in stage.outs:
                outs.add(out.path)
        for name, members in part.groups.items():
            groups[address_of(file, name)] = tuple([address_of(file, member) for member in members])
        if part.top is not None:
            tops[file] = part.top
        if part.recorded is not None:
            recorded[part.stages[0].address] = part.recorded
    _check_ignored(files, ignore, stages)
    return Index(stages, groups, tops, recorded), reader.states


class _Reader:
    """Reads the files of one project, through what was kept of an earlier time."""

    def __init__(self, files: Files, style: Style, before: Mapping[str, Any]) -> None:
        self._files = files
        self._style = style
        self._before = before
        self._digests: dict[RepoPath, str | None] = {}
        self._values: dict[RepoPath, dict[Any, Any] | None] = {}
        self.states: dict[str, Any] = {}
        """File → [digest, [[input, its digest], ...], content] to keep for the next time."""

    def part(self, file: RepoPath) -> _Part:
        """What ``file`` contributes. Raises SpecError."""
        try:
            data = self._bytes(file)
        except FileNotFoundError:
            data = b""
        digest = digest_bytes(data)
        state = self._before.get(file)
        if (
            state is not None
            and state[0] == digest
            and all(self._digest(p) == d for p, d in state[1])
        ):
            self.states[file] = state
            return _read_part(file, state[2])
        source = Source.decode(file, data)
        inputs: dict[RepoPath, str | None] = {}

        def read(path: RepoPath) -> dict[Any, Any] | None:
            inputs[path] = self._digest(path)
            return self._read_values(path)

        try:
            part = self._parse(file, source, read)
        except Fault as fault:
            raise blame(source, fault) from None
        content = _part_rows(part)
        if survives_json(content):
            self.states[file] = [digest, [[path, at] for path, at in inputs.items()], content]
        return part

    def _parse(self, file: RepoPath, source: Source, read: ReadValues) -> _Part:
        loaded = load(source)
        value = loaded.value or {}
        if file.rpartition("/")[2] != PIPELINE_FILE:
            check_data_file(value)
            stage, trace = make_source(self._files.root, file, value)
            return _Part([stage], {}, recorded=trace)
        pipeline: Pipeline = read_pipeline(
            self._files.root, file, value, loaded.marks, self._style, read
        )
        return _Part(pipeline.stages, pipeline.groups, pipeline.top)

    def _bytes(self, file: RepoPath) -> bytes:
        try:
            return self._files.read(file)
        except NotADirectoryError:
            raise FileNotFoundError(file) from None
        except (FileNotFoundError, IsADirectoryError):
            raise
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise SyntaxProblem(f"cannot read {file}: {reason}", place=Place(file)) from None

    def _digest(self, file: RepoPath) -> str | None:
        """Digest of a vars file; None if there is none, or if it is a folder."""
        if file not in self._digests:
            try:
                self._digests[file] = digest_bytes(self._bytes(file))
            except (FileNotFoundError, IsADirectoryError):
                self._digests[file] = None
        return self._digests[file]

    def _read_values(self, file: RepoPath) -> dict[Any, Any] | None:
        if file not in self._values:
            try:
                source = Source.decode(file, self._bytes(file))
            except FileNotFoundError:
                self._values[file] = None
            else:
                self._values[file] = values = read_values(source)
                if not isinstance(values, dict):
                    what = f"{file} must be a mapping of names to values, not {describe(values)}"
                    hint = "write name: value in each line"
                    raise source.mistake(TemplateProblem, what, 1, 1, hint=hint)
        return self._values[file]


def _part_rows(part: _Part) -> list[Any]:
    top = part.top
    return [
        stage_rows(part.stages),
        part.groups,
        None if top is None else top.row(),
        None if part.recorded is None else trace_row(part.recorded),
    ]


def _read_part(file: RepoPath, rows: list[Any]) -> _Part:
    stages, groups, top, recorded = rows
    return _Part(
        read_stages(file, stages),
        groups,
        None if top is None else TopLevel.from_row(top),
        None if recorded is None else read_trace(recorded),
    )


def _check_ignored(files: Files, ignore: Ignore, stages: Mapping[Address, Stage]) -> None:
    """Raise SpecError for an out that ``.dvcignore`` leaves out: it could never be recorded."""
    for stage in stages.values():
        for out in stage.outs:
            path = out.path
            if not ignore.has_rules and not (path.startswith(".") or "/." in path):
                continue
            if ignore.ignores(path, False) or (ignore.ignores(path, True) and files.is_dir(path)):
                raise _blame_out(files, stage, out)


def _blame_out(files: Files, stage: Stage, out: Out) -> SpecError:
    what = f'DVC ignores the out "{out.text}", so that it cannot be recorded'
    entry: tuple[str, ...] = ("outs",)
    if not stage.is_data:
        entry = ("stages", stage.group or stage.name)
    fault = Fault(what, entry, needle=out.text, hint="change .dvcignore, or write it elsewhere")
    return blame(Source.decode(stage.file, files.read(stage.file)), fault)

"""Params files changed for a run, all of them or none: undone if the run cannot start, or the process is killed."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from redoit.errors import ParamsProblem
from redoit.files import digest_bytes, write_atomic
from redoit.late import late
from redoit.model import RepoPath
from redoit.project import Layout
from redoit.spec import Index
from redoit.spec.formats import read_values, suffix
from redoit.spec.source import Source, describe
from redoit.spec.variables import DEFAULT_FILE

if TYPE_CHECKING:
    from redoit.experiments.compose import compose
    from redoit.experiments.edit_params import edit, write_new
    from redoit.experiments.overrides import FileOverrides, apply_overrides, read_overrides
else:
    compose = late("redoit.experiments.compose", "compose")
    edit = late("redoit.experiments.edit_params", "edit")
    write_new = late("redoit.experiments.edit_params", "write_new")
    FileOverrides = late("redoit.experiments.overrides", "FileOverrides")
    apply_overrides = late("redoit.experiments.overrides", "apply_overrides")
    read_overrides = late("redoit.experiments.overrides", "read_overrides")


class Change(NamedTuple):
    """One params file before and after. ``old`` None: there is none yet."""

    path: RepoPath
    file: str
    """The name for messages."""
    old: bytes | None
    new: bytes


Read = Callable[[RepoPath, str], bytes | None]
"""Gives a params file's content, by its path and its name for messages; None if there is none."""


def plan_changes(
    layout: Layout, texts: Sequence[str], cwd: str, *, hydra: bool = True
) -> list[Change]:
    """What ``[FILE:]OVERRIDE`` texts make of the workspace's params files; files are relative to the directory ``cwd``.

    Raises UsageError for a text that is no override, and as ``changes_of``.
    """
    return changes_of(layout, read_overrides(texts), cwd, read_here(layout), hydra=hydra)


def changes_of(
    layout: Layout, overrides: Sequence[FileOverrides], cwd: str, read: Read, *, hydra: bool = True
) -> list[Change]:
    """What the overrides make of the params files that ``read`` gives. Writes nothing.

    With ``hydra`` and ``hydra.enabled`` in the configuration, the project's ``params.yaml`` is composed anew.
    Raises ParamsProblem or SyntaxProblem for a file that cannot be changed so, ConfigError for a composition that
    fails.
    """
    parts = {part.file: part for part in overrides}
    composed = hydra and layout.config.hydra_enabled
    if composed:
        parts.setdefault(DEFAULT_FILE, FileOverrides(DEFAULT_FILE, (), ()))
    changes: dict[RepoPath, Change] = {}
    for file, part in parts.items():
        # What Hydra composes is the project's: its configuration is found from the project's top folder.
        folder = layout.root if composed and file == DEFAULT_FILE else cwd or layout.root
        path = layout.relative(os.path.normpath(os.path.join(folder, file)))
        known = changes.get(path)
        old = read(path, file) if known is None else known.old
        if composed and file == DEFAULT_FILE:
            new = compose(layout, part.texts)
        else:
            new = _changed(part, old if known is None else known.new)
        changes[path] = Change(path, file, old, new)
    return [change for change in changes.values() if change.old != change.new]


def read_here(layout: Layout) -> Read:
    """Reads the params files of the workspace. Raises ParamsProblem."""
    return lambda path, file: _read(layout.abspath(path), file)


def _read(place: str, file: str) -> bytes | None:
    try:
        with open(place, "rb") as handle:
            return handle.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ParamsProblem(
            f"cannot read the params file {file}: {os.strerror(error.errno or 0)}"
        ) from None


def _changed(part: FileOverrides, data: bytes | None) -> bytes:
    file = part.file
    if data is None:
        if not all(each.is_add() or each.is_force_add() for each in part.parsed):
            raise ParamsProblem(
                f"there is no params file {file}",
                hint="name it in front of the override, as in -S config.json:key=value, "
                "or add the first param with +key=value",
            )
        if suffix(file) == ".py":
            raise ParamsProblem(f"there is no params file {file}", hint="write it first")
        return write_new(file, apply_overrides({}, part))
    source = Source.decode(file, data)
    values = read_values(source)
    if not isinstance(values, dict):
        raise source.mistake(
            ParamsProblem,
            f"{file} must be a mapping of keys to values, not {describe(values)}",
            1,
            1,
        )
    return edit(file, data, values, apply_overrides(values, part))


# --- writing --------------------------------------------------------------------------------------


class Edited:
    """Changes that stand in the workspace until they are undone or kept."""

    def __init__(self, layout: Layout, changes: Sequence[Change]) -> None:
        self._layout = layout
        self.changes = changes

    def write(self) -> None:
        """Write all files; a kill on the way is undone by ``recover``. Raises OSError."""
        rows = [
            [
                change.path,
                None if change.old is None else change.old.hex(),
                digest_bytes(change.new),
            ]
            for change in self.changes
        ]
        write_atomic(_journal(self._layout), json.dumps(rows).encode())
        for change in self.changes:
            write_atomic(_target(self._layout, change.path), change.new, staging=self._layout.tmp)

    def keep(self) -> None:
        """The changes stay."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_journal(self._layout))

    def undo(self) -> None:
        """Every file is again what it was, unless someone else has changed it since."""
        recover(self._layout)


@contextlib.contextmanager
def edited(layout: Layout, changes: Sequence[Change]) -> Iterator[Edited]:
    """Write ``changes``; at the end of the block they are undone unless ``keep`` was called."""
    edit = Edited(layout, changes)
    if not changes:
        yield edit
        return
    try:
        try:
            edit.write()
        except OSError as error:
            raise ParamsProblem(
                f"cannot write the params file {error.filename}: {os.strerror(error.errno or 0)}"
            ) from None
        yield edit
    finally:
        edit.undo()


def recover(layout: Layout) -> None:
    """Undo changes whose run never started, because the process was killed or the run refused."""
    journal = _journal(layout)
    try:
        with open(journal, "rb") as file:
            rows: list[Any] = json.loads(file.read())
    except FileNotFoundError:
        return
    except ValueError:  # no journal of ours: those are written whole or not at all
        rows = []
    for path, old, digest in rows:
        target = _target(layout, path)
        try:
            with open(target, "rb") as file:
                unchanged = digest_bytes(file.read()) == digest
        except OSError:
            continue
        if not unchanged:
            continue
        if old is None:
            os.unlink(target)
        else:
            write_atomic(target, bytes.fromhex(old), staging=layout.tmp)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(journal)


def _journal(layout: Layout) -> str:
    return os.path.join(layout.tmp, "params-edit.json")


def _target(layout: Layout, path: str) -> str:
    """Where to write: behind a link, unless that is the cache, whose objects never change."""
    place = layout.abspath(path)
    behind = os.path.realpath(place)
    cache = os.path.realpath(layout.cache_dir)
    return place if behind.startswith(cache + os.sep) else behind


# --- warning --------------------------------------------------------------------------------------


def unnoticed(layout: Layout, index: Index, changes: Iterable[Change]) -> list[Change]:
    """Those of ``changes`` that no stage can notice: no param, dep or vars file."""
    known: set[str] = set()
    for stage in index.stages.values():
        known.update(params.path for params in stage.params)
        known.update(dep.path for dep in stage.deps)
    for top in index.files.values():
        known.update(top.params)
    return [
        change
        for change in changes
        if not _inside(change.path, known) and not _is_vars(layout, index.files, change.path)
    ]


def _inside(path: str, known: set[str]) -> bool:
    while path:
        if path in known:
            return True
        path = os.path.dirname(path) if path != "/" else ""
    return False


def _is_vars(layout: Layout, files: Mapping[RepoPath, Any], path: str) -> bool:
    """Whether a ``dvc.yaml`` seems to take values of ``path`` for its templates."""
    folder, name = os.path.split(path)
    for file in files:
        with contextlib.suppress(OSError), open(layout.abspath(file), "rb") as handle:
            text = handle.read()
            beside = os.path.dirname(file) == folder and name == DEFAULT_FILE
            if b"${" in text and (beside or name.encode() in text):
                return True
    return False

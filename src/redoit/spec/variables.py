"""``vars``: values from ``params.yaml``, other files and inline mappings, merged as DVC merges them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from redoit.errors import TemplateProblem
from redoit.model import RepoPath
from redoit.spec.paths import inside
from redoit.spec.source import Fault, Path, check_encodable, near
from redoit.spec.template import has_expression

DEFAULT_FILE = "params.yaml"

ReadValues = Callable[[RepoPath], dict[Any, Any] | None]
"""The values of a file; None if there is none. Raises SpecError unless it is a mapping, IsADirectoryError."""


class _Conflict(Exception):
    """``args[0]``: the path of a key that both sides set, and not both as mappings."""


class Variables(NamedTuple):
    """The values that ``${...}`` can name, and where they came from."""

    data: dict[str, Any]
    layers: tuple[tuple[str, Mapping[str, Any]], ...]
    """What was merged, in order: name of the source, its values."""
    loaded: Mapping[RepoPath, tuple[str, ...] | None]
    """Files that were merged: the keys taken from each, None for all."""
    reserved: tuple[str, ...] = ()

    def with_defaults(self, folder: RepoPath, read: ReadValues) -> Variables:
        """These and the values of the ``params.yaml`` in ``folder``, if there is one."""
        path = inside(folder, DEFAULT_FILE)
        try:
            values = read(path)
        except IsADirectoryError:
            what = f'"{path}" is a folder, not a file of values'
            raise Fault(what, kind=TemplateProblem, hint="rename the folder") from None
        if values is None:
            return self
        return self._merged(path, _named(values), (), loaded={path: None})

    def with_entries(
        self, entries: list[Any], folder: RepoPath, read: ReadValues, path: Path
    ) -> Variables:
        """These and each entry of a ``vars`` list at ``path``; names of files are relative to ``folder``.

        Raises Fault for an unknown file or key, for a value set twice, for ``${...}`` inside.
        """
        result = self
        for index, entry in enumerate(entries):
            here = (*path, index)
            for spot in _expressions(entry, here):
                raise Fault(
                    "${...} is not allowed in vars",
                    spot,
                    needle="${",
                    kind=TemplateProblem,
                    hint="write the value out",
                )
            if isinstance(entry, dict):
                label = f"{_label(path)}[{index}]"
                result = result._merged(label, _named(entry), here, inline=True)
            else:
                result = result._with_file(entry, folder, read, here)
        return result

    def with_items(self, items: dict[str, Any]) -> Variables:
        """These with ``item`` and ``key`` of one step of a ``foreach`` or ``matrix``, which nothing may set."""
        named = {name: _known(value) for name, value in items.items()}
        return Variables({**self.data, **named}, self.layers, self.loaded, tuple(items))

    def _with_file(self, entry: str, folder: RepoPath, read: ReadValues, path: Path) -> Variables:
        name, _, listed = entry.partition(":")
        file = inside(folder, name)
        keys = tuple(key for key in listed.split(",") if key)
        if file in self.loaded:
            before = self.loaded[file]
            if not keys and before is None:
                return self
            if before is None or not keys or set(keys) & set(before):
                how = "as a whole" if before is None else f"for {', '.join(before)}"
                hint = (
                    f"remove the line: {DEFAULT_FILE} is always loaded"
                    if name == DEFAULT_FILE
                    else "name the file, or each of its keys, once"
                )
                raise Fault(
                    f'"{file}" is already loaded {how}', path, kind=TemplateProblem, hint=hint
                )
        check_encodable(file, path)
        try:
            values = read(file)
        except IsADirectoryError:
            what = f'"{file}" is a folder, not a file of values'
            raise Fault(what, path, kind=TemplateProblem, hint="name a file in it") from None
        if values is None:
            raise Fault(
                f'there is no file "{file}"',
                path,
                kind=TemplateProblem,
                hint="names are relative to the dvc.yaml, or to the wdir of the stage",
            )
        values = _named(values)
        for key in keys:
            if key not in values:
                raise Fault(
                    f'"{file}" has no key "{key}"',
                    path,
                    needle=key,
                    kind=TemplateProblem,
                    hint=near(key, values) or f"it has {', '.join(list(values)[:8]) or 'none'}",
                )
        if keys:
            values = {key: values[key] for key in keys}
        taken = (*(self.loaded.get(file) or ()), *keys) if keys else None
        return self._merged(file, values, path, loaded={file: taken})

    def _merged(
        self,
        label: str,
        values: dict[str, Any],
        path: Path,
        *,
        loaded: dict[RepoPath, tuple[str, ...] | None] | None = None,
        inline: bool = False,
    ) -> Variables:
        for name in self.reserved:
            if name in values:
                raise Fault(
                    f'"{name}" is reserved in foreach and matrix stages',
                    (*path, name) if inline else path,
                    on_key=inline,
                    kind=TemplateProblem,
                    hint="give the variable another name",
                )
        try:
            data = _merge(self.data, values, ())
        except _Conflict as conflict:
            keys = conflict.args[0]
            raise Fault(
                f'"{".".join(keys)}" is set twice',
                (*path, *keys) if inline else path,
                on_key=inline,
                kind=TemplateProblem,
                facts={"set in": self._origin(keys), "again in": label},
                hint="rename one of the two; only mappings are merged",
            ) from None
        return Variables(
            data, (*self.layers, (label, values)), {**self.loaded, **(loaded or {})}, self.reserved
        )

    def _origin(self, keys: tuple[str, ...]) -> str:
        for label, values in self.layers:
            here: Any = values
            for key in keys:
                here = here.get(key, _NOTHING) if isinstance(here, dict) else _NOTHING
            if here is not _NOTHING:
                return label
        return "vars"


_NOTHING = object()


def _merge(
    into: Mapping[str, Any], update: Mapping[str, Any], path: tuple[str, ...]
) -> dict[str, Any]:
    """A new mapping of both. Raises _Conflict."""
    result = dict(into)
    for key, value in update.items():
        if key in result:
            before = result[key]
            if not (isinstance(before, dict) and isinstance(value, dict)):
                raise _Conflict((*path, key))
            result[key] = _merge(before, value, (*path, key))
        else:
            result[key] = value
    return result


def _named(value: dict[Any, Any]) -> dict[str, Any]:
    """A mapping without entries whose key is not text, at any depth: ``${...}`` cannot name them."""
    return {key: _known(item) for key, item in value.items() if isinstance(key, str)}


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return _named(value)
    if isinstance(value, list):
        return [_known(item) for item in value]
    return value


def _expressions(value: Any, path: Path) -> Iterator[Path]:
    if isinstance(value, dict):
        for key, item in value.items():
            if has_expression(key):
                yield (*path, key)
            yield from _expressions(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _expressions(item, (*path, index))
    elif has_expression(value):
        yield path


def _label(path: Path) -> str:
    return ".".join(str(part) for part in path[1:]) if len(path) > 1 else str(path[0])

"""Entries of ``stages`` → one definition per stage, with every ``${...}`` replaced."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from redoit.errors import TemplateProblem
from redoit.model import RepoPath
from redoit.spec.paths import inside
from redoit.spec.source import Fault, Path, describe
from redoit.spec.template import Resolver, Style, is_expression, to_text
from redoit.spec.used import Used, only_expression, used_values
from redoit.spec.variables import ReadValues, Variables


class Definition(NamedTuple):
    """One stage, resolved: its name, the entry that made it, its fields."""

    name: str
    group: str | None
    """The ``foreach`` or ``matrix`` entry; None for a plain stage."""
    fields: dict[str, Any]
    path: Path
    """Where the fields stand in the document."""
    used: Used
    """What it takes from vars files."""


class Expander(NamedTuple):
    """Resolves the entries of one ``dvc.yaml`` in ``folder``."""

    folder: RepoPath
    variables: Variables
    style: Style
    read: ReadValues

    def expand(self, name: str, entry: dict[str, Any]) -> Iterator[Definition]:
        """The stages of ``entry``, in DVC's order. Raises Fault."""
        path: Path = ("stages", name)
        if "foreach" in entry:
            over = (*path, "foreach")
            steps = self._foreach(name, entry["foreach"], over)
            origins = _foreach_origins(entry["foreach"], steps)
            fields, path = entry["do"], (*path, "do")
        elif "matrix" in entry:
            over = (*path, "matrix")
            steps = self._matrix(entry["matrix"], over)
            origins = _matrix_origins(entry["matrix"], steps)
            fields = {key: value for key, value in entry.items() if key != "matrix"}
        else:
            resolved, used = self._resolve(entry, self.variables, path, {})
            yield Definition(name, None, resolved, path, used)
            return
        for key, items in steps.items():
            if not key:
                raise Fault(
                    f'an item of "{name}" makes an empty name',
                    over,
                    kind=TemplateProblem,
                    hint="remove the empty item, or use a mapping of names to values",
                )
            if "@" in key:
                raise Fault(
                    f'the item "{key}" makes the name "{name}@{key}", and an item must not hold "@"',
                    over,
                    needle=key,
                    kind=TemplateProblem,
                    hint="use a mapping of short names to values: foreach: {name: value}",
                )
            variables = self.variables.with_items(items)
            try:
                resolved, used = self._resolve(fields, variables, path, origins.get(key, {}))
            except Fault as fault:
                fault.facts.setdefault("stage", f"{name}@{key}")
                raise
            yield Definition(f"{name}@{key}", name, resolved, path, used)

    def _resolve(
        self,
        fields: dict[str, Any],
        variables: Variables,
        path: Path,
        origins: Mapping[str, str],
    ) -> tuple[dict[str, Any], Used]:
        entries = fields.get("vars")
        if entries:
            folder = self.folder
            wdir = fields.get("wdir")
            if wdir:
                # The stage's own vars are looked up in its wdir, so they cannot be part of it.
                resolver = Resolver(variables.data, self.style)
                folder = inside(folder, to_text(resolver.resolve(wdir, (*path, "wdir"), "wdir")))
            variables = variables.with_entries(entries, folder, self.read, (*path, "vars"))
        resolver = Resolver(variables.data, self.style)
        resolved = {
            key: resolver.resolve(value, (*path, key), key)
            for key, value in fields.items()
            if key != "vars"
        }
        return resolved, used_values(fields, variables, origins)

    def _foreach(self, name: str, over: Any, path: Path) -> dict[str, dict[str, Any]]:
        """Key → what ``item`` (and, over a mapping, ``key``) stand for. Raises Fault."""
        resolved = Resolver(self.variables.data, self.style).resolve(over, path)
        if isinstance(resolved, dict):
            return {
                key: {"item": item, "key": key}
                for key, item in ((to_text(key), item) for key, item in resolved.items())
            }
        if not isinstance(resolved, list | tuple):
            raise Fault(
                f'"foreach" of {name} must stand for a list or a mapping, not {describe(resolved)}',
                path,
                kind=TemplateProblem,
                hint="write the items as a list: [a, b]",
            )
        if any(_composite(item) for item in resolved):
            return {str(index): {"item": item} for index, item in enumerate(resolved)}
        return {
            label: {"item": item}
            for label, item in zip(_labels(over, resolved), resolved, strict=True)
        }

    def _matrix(self, axes: dict[str, Any], path: Path) -> dict[str, dict[str, Any]]:
        """Key → what ``key`` and ``item`` stand for, one per combination. Raises Fault."""
        resolver = Resolver(self.variables.data, self.style)
        labelled: list[list[tuple[str, str, Any]]] = []
        for axis, over in axes.items():
            name = to_text(resolver.resolve(axis, (*path, axis)))
            values = resolver.resolve(over, (*path, axis))
            if isinstance(values, dict):
                values = list(values)
            if not isinstance(values, list | tuple):
                raise Fault(
                    f'"{axis}" of a matrix must be a list, not {describe(values)}',
                    (*path, axis),
                    kind=TemplateProblem,
                    hint="write the values as a list: [a, b]",
                )
            labels = [
                f"{name}{index}" if _composite(value) else label
                for index, (value, label) in enumerate(
                    zip(values, _labels(over, values), strict=True)
                )
            ]
            labelled.append(
                [(name, label, value) for label, value in zip(labels, values, strict=True)]
            )
        steps: dict[str, dict[str, Any]] = {}
        for combination in itertools.product(*labelled):
            key = "-".join(label for _, label, _ in combination)
            steps[key] = {"key": key, "item": {name: value for name, _, value in combination}}
        return steps


def _foreach_origins(over: Any, steps: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Key of a step → ``item`` → the variable that it stands for, where it stands for one."""
    source = only_expression(over)
    origins: dict[str, dict[str, str]] = {}
    for index, (key, items) in enumerate(steps.items()):
        if source is not None:
            origins[key] = {"item": f"{source}.{key if 'key' in items else index}"}
        elif isinstance(over, list) and len(over) == len(steps):
            origin = only_expression(over[index])
            origins[key] = {"item": origin} if origin else {}
    return origins


def _matrix_origins(axes: Mapping[str, Any], steps: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Key of a step → ``item.AXIS`` → the variable that it stands for, where it stands for one."""
    lists: dict[str, list[str | None]] = {}
    for axis, over in axes.items():
        source = only_expression(over)
        if isinstance(over, list):
            lists[axis] = [only_expression(value) for value in over]
        elif source is not None:
            # The axes vary as in a product, the last one fastest: one list may hold any number of values.
            values = dict.fromkeys(repr(items["item"].get(axis)) for items in steps.values())
            lists[axis] = [f"{source}.{index}" for index in range(len(values))]
    if lists.keys() != axes.keys():
        return {}
    return {
        key: {
            f"item.{axis}": origin for axis, origin in zip(axes, combination, strict=True) if origin
        }
        for key, combination in zip(steps, itertools.product(*lists.values()), strict=False)
    }


def _composite(value: Any) -> bool:
    return isinstance(value, list | tuple | dict)


def _labels(over: Any, values: Any) -> list[str]:
    """How each of ``values`` appears in a name; ``over`` is what they were resolved from.

    A boolean written in the list is ``true``, one that comes out of a variable is ``True``: DVC's names.
    """
    if not isinstance(over, list):
        return [str(value) for value in values]
    return [
        str(value) if is_expression(written) else to_text(value)
        for written, value in zip(over, values, strict=True)
    ]

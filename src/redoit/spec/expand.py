"""Entries of ``stages`` → one definition per stage, with every ``${...}`` replaced."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

from redoit.errors import TemplateProblem
from redoit.model import RepoPath
from redoit.spec.paths import inside
from redoit.spec.source import Fault, Path, describe
from redoit.spec.template import Resolver, Style, is_expression, to_text
from redoit.spec.variables import ReadValues, Variables


class Definition(NamedTuple):
    """One stage, resolved: its name, the entry that made it, its fields."""

    name: str
    group: str | None
    """The ``foreach`` or ``matrix`` entry; None for a plain stage."""
    fields: dict[str, Any]
    path: Path
    """Where the fields stand in the document."""


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
            fields, path = entry["do"], (*path, "do")
        elif "matrix" in entry:
            over = (*path, "matrix")
            steps = self._matrix(entry["matrix"], over)
            fields = {key: value for key, value in entry.items() if key != "matrix"}
        else:
            yield Definition(name, None, self._resolve(entry, self.variables, path), path)
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
                resolved = self._resolve(fields, variables, path)
            except Fault as fault:
                fault.facts.setdefault("stage", f"{name}@{key}")
                raise
            yield Definition(f"{name}@{key}", name, resolved, path)

    def _resolve(self, fields: dict[str, Any], variables: Variables, path: Path) -> dict[str, Any]:
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
        return {
            key: resolver.resolve(value, (*path, key), key)
            for key, value in fields.items()
            if key != "vars"
        }

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

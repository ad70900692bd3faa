"""One ``dvc.yaml``: from its value to stages and what stands beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from redoit.model import Place, RepoPath, Stage
from redoit.spec.expand import Expander
from redoit.spec.paths import locate_path
from redoit.spec.schema import check_pipeline
from redoit.spec.source import Fault, Path, describe
from redoit.spec.stages import make_stage
from redoit.spec.template import Resolver, Style
from redoit.spec.used import Used
from redoit.spec.variables import ReadValues, Variables


class PlotSpec(NamedTuple):
    """An entry of a top-level ``plots``: a file, or a name with fields (``x``, ``y``, ``template``, ...)."""

    name: str
    fields: Mapping[str, Any] | None = None


class TopLevel(NamedTuple):
    """What stands beside the stages of a ``dvc.yaml``, resolved."""

    params: tuple[RepoPath, ...] = ()
    metrics: tuple[RepoPath, ...] = ()
    plots: tuple[PlotSpec, ...] = ()
    """Names as they are written: relative to the ``dvc.yaml``."""
    artifacts: Mapping[str, Mapping[str, Any]] | None = None
    """Name → ``path`` (relative to the ``dvc.yaml``), ``type``, ``desc``, ``labels``, ``meta``."""
    used: Mapping[str, Mapping[str, Any]] | None = None
    """Vars file (but the project's ``params.yaml``) → dotted key → value: what stages take from it."""

    def row(self) -> list[Any]:
        """As a list for ``from_row``."""
        return [
            list(self.params),
            list(self.metrics),
            [[plot.name, plot.fields] for plot in self.plots],
            self.artifacts,
            self.used,
        ]

    @classmethod
    def from_row(cls, row: list[Any]) -> TopLevel:
        """The value of ``row``."""
        params, metrics, plots, artifacts, used = row
        return cls(
            tuple(params),
            tuple(metrics),
            tuple([PlotSpec(*plot) for plot in plots]),
            artifacts,
            used,
        )


class Pipeline(NamedTuple):
    """A ``dvc.yaml``, resolved."""

    stages: list[Stage]
    groups: dict[str, list[str]]
    """``foreach`` or ``matrix`` entry → names of its stages."""
    top: TopLevel


def read_pipeline(
    root: str,
    file: RepoPath,
    value: Any,
    marks: Mapping[tuple[str, str], tuple[int, int]],
    style: Style,
    read: ReadValues,
) -> Pipeline:
    """Check and resolve the ``value`` of the ``dvc.yaml`` at ``file``.

    ``marks`` says where the keys of the second level stand; ``read`` gives the values of vars files.
    Raises Fault for a mistake in this file, SpecError for one in a vars file.
    """
    check_pipeline(value)
    folder = RepoPath(file.rpartition("/")[0])
    variables = Variables({}, (), {}).with_defaults(folder, read)
    variables = variables.with_entries(value.get("vars") or [], folder, read, ("vars",))
    expander = Expander(folder, variables, style, read)
    stages: list[Stage] = []
    groups: dict[str, list[str]] = {}
    used: Used = {}
    for name, entry in value.get("stages", {}).items():
        line, column = marks.get(("stages", name), (0, 0))
        place = Place(file, line, column)
        members = []
        for definition in expander.expand(name, entry):
            try:
                stages.append(make_stage(root, file, definition, place))
            except Fault as fault:
                fault.facts.setdefault("stage", definition.name)
                raise
            members.append(definition.name)
            for vars_file, values in definition.used.items():
                used.setdefault(vars_file, {}).update(values)
        if "foreach" in entry or "matrix" in entry:
            groups[name] = members
    top = _top_level(root, folder, value, Resolver(variables.data, style))
    return Pipeline(stages, groups, top._replace(used=used or None))


def _top_level(
    root: str, folder: RepoPath, value: Mapping[str, Any], resolver: Resolver
) -> TopLevel:
    def paths(name: str) -> tuple[RepoPath, ...]:
        return tuple(
            locate_path(root, folder, _text(resolver.resolve(item, (name, index)), (name, index)))[
                0
            ]
            for index, item in enumerate(value.get(name) or [])
        )

    plots: list[PlotSpec] = []
    for index, item in enumerate(value.get("plots") or []):
        resolved = resolver.resolve(item, ("plots", index))
        if isinstance(resolved, dict):
            plots.extend(
                PlotSpec(_text(name, ("plots", index)), fields) for name, fields in resolved.items()
            )
        else:
            plots.append(PlotSpec(_text(resolved, ("plots", index))))
    artifacts = {
        _text(resolver.resolve(name, ("artifacts", name)), ("artifacts", name)): resolver.resolve(
            fields, ("artifacts", name)
        )
        for name, fields in (value.get("artifacts") or {}).items()
    }
    return TopLevel(paths("params"), paths("metrics"), tuple(plots), artifacts or None)


def _text(value: Any, path: Path) -> str:
    if not isinstance(value, str):
        raise Fault(f"this stands for {describe(value)}, but must be text", path)
    return value

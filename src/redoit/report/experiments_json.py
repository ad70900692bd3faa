"""The experiments as DVC prints them for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from redoit.experiments.overview import Baseline
from redoit.experiments.revision import Revision, Values


def to_json(baselines: Sequence[Baseline], *, param_deps: bool) -> list[Any]:
    """What ``dvc exp show --json`` prints, as data."""
    return [
        _state(
            baseline.revision,
            baseline.name,
            [
                {
                    "revs": [
                        _state(each, tried.name if number == 0 else None, None, param_deps)
                        for number, each in enumerate(tried.revisions)
                    ],
                    "executor": None,
                    "name": tried.name,
                }
                for tried in baseline.experiments
            ]
            or None,
            param_deps,
        )
        for baseline in baselines
    ]


def _state(revision: Revision, name: str | None, experiments: Any, param_deps: bool) -> Any:
    problem = revision.problem
    return {
        "rev": revision.rev,
        "name": name,
        "data": None if problem else _data(revision, param_deps),
        "error": {"msg": problem.what, "type": problem.kind} if problem else None,
        "experiments": experiments,
    }


def _data(revision: Revision, param_deps: bool) -> Any:
    return {
        "rev": revision.rev,
        "timestamp": None
        if revision.time is None
        else datetime.fromtimestamp(revision.time).isoformat(),
        "params": _json_files(revision.param_deps if param_deps else revision.params),
        "metrics": _json_files(revision.metrics),
        "deps": {
            path: {"hash": dep.oid, "size": dep.size, "nfiles": dep.nfiles}
            for path, dep in revision.deps.items()
        },
        "outs": {
            path: {
                "hash": out.oid,
                "size": out.size,
                "nfiles": out.nfiles,
                "use_cache": out.cached,
                "is_data_source": out.is_data,
            }
            for path, out in revision.outs.items()
        },
        "meta": {},
    }


def _json_files(files: Mapping[str, Values]) -> dict[str, Any]:
    return {
        path: {"error": {"type": values.problem.kind, "msg": values.problem.what}}
        if values.problem
        else {"data": values.data}
        for path, values in files.items()
    }

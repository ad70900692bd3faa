"""The experiments as DVC prints them for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from redoit.experiments.overview import Baseline, Execution, Tried
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
                        _tried(tried, each, tried.name if number == 0 else None, param_deps)
                        for number, each in enumerate(tried.revisions)
                    ],
                    "executor": _executor(tried.execution),
                    "name": tried.name,
                }
                for tried in baseline.experiments
            ]
            or None,
            param_deps,
        )
        for baseline in baselines
    ]


def _tried(tried: Tried, revision: Revision, name: str | None, param_deps: bool) -> Any:
    state = _state(revision, name, None, param_deps)
    if tried.execution is not None and tried.execution.error is not None:
        state["error"] = {"msg": tried.execution.error, "type": ""}
    return state


def _executor(execution: Execution | None) -> Any:
    if execution is None:
        return None
    ended = {"success": 0, "failed": 1}
    return {
        "state": execution.state,
        "name": "dvc-task",  # editors know no other name for what a queue runs
        "local": {
            "root": execution.root,
            "log": execution.log,
            "pid": execution.pid,
            "returncode": ended.get(execution.state),
            "task_id": execution.task,
        },
    }


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

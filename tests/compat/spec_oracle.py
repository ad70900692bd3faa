"""What DVC reads in a project, beside what Redoit reads in it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from redoit.errors import SpecError
from redoit.model import Out, Stage
from redoit.project import Layout
from redoit.spec import ParamsFiles, load_index

DRIVER = Path(__file__).with_name("spec_driver.py")


class SpecOracle:
    """One long-living process of DVC's Python that reads projects."""

    def __init__(self, dvc: Path, home: Path) -> None:
        self._process = subprocess.Popen(
            [str(dvc.parent / "python"), str(DRIVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "DVC_NO_ANALYTICS": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
                "HOME": str(home),
                "DVC_GLOBAL_CONFIG_DIR": str(home / "global"),
                "DVC_SYSTEM_CONFIG_DIR": str(home / "system"),
            },
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        """The answer of the driver to ``request``."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"the oracle's process ended (exit {self._process.wait()})")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(30)


def write_project(root: Path, files: dict[str, str]) -> str:
    """Make a project of ``files`` at ``root``; its path. A ``.gitignore`` makes it a Git repository."""
    in_git = ".gitignore" in files
    config = "" if in_git else "[core]\n    no_scm = true\n"
    files = {**files, ".dvc/config": config + files.get(".dvc/config", "")}
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode())
    if in_git:
        subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return str(root.resolve())


def compare(oracle: SpecOracle, root: str, *, may_differ: bool = False) -> str:
    """Read the project at ``root`` with both, twice with ours (parsed and kept): "read" or "refused".

    Raises AssertionError if they differ; ``may_differ`` lets ours refuse what DVC reads.
    """
    theirs = oracle.ask(root=root)
    try:
        ours = read(root)
    except SpecError as error:
        message = error.render()
        assert may_differ or "error" in theirs, f"only ours refuses: {message}"
        assert error.place is not None and error.place.file, f"no place: {message}"
        return "refused"
    assert "error" not in theirs, f"only DVC refuses: {theirs['kind']}: {theirs['error']}"
    assert ours["stages"] == theirs["stages"]
    assert ours["files"] == expected_files(theirs["files"])
    assert read(root) == ours, "what was kept differs from what was parsed"
    return "read"


def expected_files(theirs: dict[str, Any]) -> dict[str, Any]:
    """The top-level lists of the driver, with paths relative to the project and without order of plots."""
    result: dict[str, Any] = {}
    for file, lists in sorted(theirs.items()):
        folder = os.path.dirname(file)
        entry: dict[str, Any] = {}
        for name in ("params", "metrics"):
            paths = lists.get(name, {}).get("list", [])
            entry[name] = [os.path.normpath(os.path.join(folder, path)) for path in paths]
        entry["plots"] = []
        for plot in lists.get("plots", {}).get("list", []):
            if isinstance(plot, str):
                entry["plots"].append([plot, None])
            else:
                entry["plots"].extend(plot["dict"])
        entry["artifacts"] = lists.get("artifacts")
        result[file] = entry
    return result


def tagged(value: Any) -> Any:
    """As the driver's: JSON that tells types apart."""
    if isinstance(value, dict):
        return {"dict": [[tagged(k), tagged(v)] for k, v in value.items()]}
    if isinstance(value, list | tuple):
        return {type(value).__name__: [tagged(v) for v in value]}
    if isinstance(value, set | frozenset):
        return {"set": sorted(repr(v) for v in value)}
    if isinstance(value, float):
        return {"float": repr(value)}
    if value is None or type(value) in (bool, int, str):
        return value
    return {type(value).__name__: str(value)}


def read(root: str) -> dict[str, Any]:
    """What Redoit reads in the project at ``root``, in the form of the driver's answers."""
    layout = Layout(root)
    index = load_index(layout)
    params = ParamsFiles(layout)
    stages = []
    for stage in index.stages.values():
        stages.append(_stage(stage, params))
        if stage.cmd is None:
            stages[-1]["recorded"] = [
                {
                    "oid": entry.oid,
                    "algo": entry.algo.value,
                    "size": entry.size,
                    "nfiles": entry.nfiles,
                    "isexec": entry.isexec,
                }
                for entry in index.recorded[stage.address].outs
            ]
    files = {
        file: {
            "params": list(top.params),
            "metrics": list(top.metrics),
            "plots": [[plot.name, tagged(plot.fields)] for plot in top.plots],
            "artifacts": tagged(top.artifacts),
        }
        for file, top in sorted(index.files.items())
        if any((top.params, top.metrics, top.plots, top.artifacts))
    }
    return {"stages": stages, "files": files}


def _stage(stage: Stage, params: ParamsFiles) -> dict[str, Any]:
    cmd = list(stage.cmd) if isinstance(stage.cmd, tuple) else stage.cmd
    return {
        "address": stage.address,
        "wdir": stage.wdir,
        "cmd": tagged(cmd),
        "deps": [[dep.path, dep.text] for dep in stage.deps],
        "params": [
            {
                "path": dep.path,
                "text": dep.text,
                "keys": list(dep.keys),
                "values": tagged(params.values(dep)),
            }
            for dep in stage.params
        ],
        "outs": [_out(out) for out in stage.outs],
        "frozen": stage.frozen,
        "always": stage.always_changed,
        "desc": stage.desc,
        "meta": tagged(stage.meta),
    }


def _out(out: Out) -> dict[str, Any]:
    return {
        "path": out.path,
        "text": out.text,
        "kind": out.kind.value,
        "cache": out.cache,
        "persist": out.persist,
        "remote": out.remote,
        "push": out.push,
        "desc": out.desc,
        "extra": tagged(dict(sorted((out.extra or {}).items()))),
    }

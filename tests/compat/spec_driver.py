"""Runs inside DVC's own Python: says what DVC reads in a project, as JSON.

Reads requests as JSON lines from stdin, ``{"root": "..."}``, and answers each with
``{"stages": [...], "top": {...}}`` or ``{"error": "...", "kind": "..."}``. ``{"yaml": "..."}`` is answered with what
DVC's parser reads in that text, ``{"ignored": ROOT, "paths": [[PATH, IS_DIR], ...]}`` (what
``.dvcignore`` says) and ``{"git_ignored": ROOT, "paths": ...}`` with booleans.
It knows nothing of this project.
"""

from __future__ import annotations

import json
import os
import sys

from dvc.repo import Repo
from dvc.utils.serialize import parse_yaml


def tagged(value):
    """JSON that tells types apart: dates, tuples and keys that are no text."""
    if isinstance(value, dict):
        return {"dict": [[tagged(k), tagged(v)] for k, v in value.items()]}
    if isinstance(value, (list, tuple)):
        return {type(value).__name__: [tagged(v) for v in value]}
    if isinstance(value, (set, frozenset)):
        return {"set": sorted(repr(v) for v in value)}
    if isinstance(value, float):
        return {"float": repr(value)}
    if value is None or type(value) in (bool, int, str):
        return value
    return {type(value).__name__: str(value)}


def rel(root, path):
    if path == root:
        return ""
    return os.path.relpath(path, root) if path.startswith(root + "/") else path


def out(item, root):
    plot = item.plot if isinstance(item.plot, dict) else {}
    return {
        "path": rel(root, item.fs_path),
        "text": item.def_path,
        "kind": "metrics" if item.metric else "plots" if item.plot else "outs",
        "cache": item.use_cache,
        "persist": item.persist,
        "remote": item.remote,
        "push": item.can_push,
        "desc": item.annot.desc,
        "extra": tagged(
            dict(
                sorted(
                    {
                        **{k: v for k, v in item.annot.to_dict().items() if k != "desc"},
                        **plot,
                    }.items()
                )
            )
        ),
    }


def recorded(item):
    meta = item.meta
    return {
        "oid": item.hash_info.value if item.hash_info else None,
        "algo": item.hash_name if item.is_in_repo else "?",
        "size": meta.size,
        "nfiles": meta.nfiles,
        "isexec": meta.isexec,
    }


def stage_of(stage, root):
    from dvc.dependency import ParamsDependency

    deps = [d for d in stage.deps if not isinstance(d, ParamsDependency)]
    result = {
        "address": stage.addressing,
        "wdir": rel(root, os.path.normpath(stage.wdir)),
        "cmd": tagged(stage.cmd),
        "deps": [[rel(root, d.fs_path), d.def_path] for d in deps],
        "params": [
            {
                "path": rel(root, d.fs_path),
                "text": d.def_path,
                "keys": list(dict.fromkeys(d.params)),
                "values": values_of(d),
            }
            for d in stage.params
        ],
        "outs": [out(o, root) for o in stage.outs],
        "frozen": bool(stage.frozen),
        "always": bool(stage.always_changed),
        "desc": stage.desc,
        "meta": tagged(stage.meta),
    }
    if stage.cmd is None:
        result["recorded"] = [recorded(o) for o in stage.outs]
    return result


def values_of(dep):
    try:
        return tagged(dep.read_params()) if dep.exists else None
    except Exception as error:  # noqa: BLE001
        return {"error": type(error).__name__}


def read(root):
    os.chdir(root)
    repo = Repo(root)
    index = repo.index
    stages = [stage_of(s, root) for s in index.stages]
    files = {}
    for name in ("params", "metrics", "plots", "artifacts"):
        for path, value in getattr(index, "_" + name).items():
            files.setdefault(rel(root, path), {})[name] = tagged(value)
    return {"stages": stages, "files": files}


def answer(request):
    if "yaml" in request:
        return {"value": tagged(parse_yaml(request["yaml"], "x.yaml"))}
    if "ignored" in request:
        repo = Repo(request["ignored"])
        root = repo.root_dir
        return {
            "value": [
                repo.dvcignore.is_ignored_dir(os.path.join(root, path))
                if is_dir
                else repo.dvcignore.is_ignored_file(os.path.join(root, path))
                for path, is_dir in request["paths"]
            ]
        }
    if "git_ignored" in request:
        root = request["git_ignored"]
        scm = Repo(root).scm
        return {
            "value": [
                bool(scm.is_ignored(os.path.join(root, path) + ("/" if is_dir else "")))
                for path, is_dir in request["paths"]
            ]
        }
    return read(request["root"])


def main():
    # Names sorted: the order of the disk differs from one to the next.
    walk = os.walk

    def sorted_walk(*args, **kwargs):
        for root, dirs, files in walk(*args, **kwargs):
            dirs.sort()
            files.sort()
            yield root, dirs, files

    os.walk = sorted_walk
    for line in sys.stdin:
        try:
            result = answer(json.loads(line))
        except RecursionError:
            result = {"error": "RecursionError", "kind": "RecursionError"}
        except Exception as error:  # noqa: BLE001
            result = {"error": str(error), "kind": type(error).__name__}
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""A random project as a value: sources, params and stages, and how it is written to disk."""

from __future__ import annotations

import copy
import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

MK = r"""#!/bin/sh
# mk NAME SALTED WORD... -i DEP... -o OUT...
# Writes every OUT from the content of all DEPs and WORDs, and notes that NAME ran.
# OUT's name says what it is: dir* a directory, flat* seldom changes, empty*, exec*, keep* grows, *.json.
# A DEP that holds FAIL makes it fail half-way; LOSE leaves the last OUT unwritten.
name=$1 salted=$2; shift 2
printf '%s\n' "$name" >> "$RUNLOG"
into=words all=$name outs= last=
[ "$salted" = salted ] && all="$all $(cat "$SALT")"
for arg; do
  case $arg in
    -i) into=deps;; -o) into=outs;;
    *) case $into in
         words) all="$all $arg";;
         deps) if [ -d "$arg" ]; then
                 all="$all $(cd "$arg" && find . -type f | LC_ALL=C sort | while read -r f; do echo "$f"; cat "$f"; done)"
               else all="$all $(cat "$arg")" || exit 4; fi;;
         outs) outs="$outs $arg" last=$arg;;
       esac;;
  esac
done
sum=$(printf '%s' "$all" | cksum | cut -d' ' -f1)
for out in $outs; do
  case $all in *LOSE*) [ "$out" = "$last" ] && continue;; esac
  case $out in */*) mkdir -p "${out%/*}";; esac
  case ${out##*/} in
    dir*) mkdir -p "$out/sub"; echo "$sum" > "$out/a"; echo "$name" > "$out/sub/same"; : > "$out/none"
          [ $((sum % 2)) = 0 ] && echo more > "$out/even" || cp "$out/a" "$out/odd é";;
    flat*) echo $((sum % 2)) > "$out";;
    empty*) : > "$out";;
    exec*) echo "$sum" > "$out"; chmod +x "$out";;
    keep*) echo "$sum" >> "$out";;
    *.json) echo "{\"score\": $sum}" > "$out";;
    *) echo "$sum $name" > "$out";;
  esac
  case $all in *FAIL*) exit 3;; esac
done
exit 0
"""


def joined(folder: str, name: str) -> str:
    """``name`` in ``folder``, both relative to the project's root; the root is ``""``."""
    return f"{folder}/{name}" if folder else name


@dataclass
class Out:
    """One out; ``path`` from the project's root, with ``{x}`` and ``{y}`` for a group's values."""

    path: str
    kind: str = "outs"
    options: dict[str, Any] = field(default_factory=dict)


@dataclass
class Group:
    """``foreach`` over a list or a dictionary, or ``matrix``."""

    form: str
    values: list[Any]
    """list: words; dict: (key, word); matrix: (word, word)"""

    def bindings(self) -> Iterator[tuple[str, dict[str, str]]]:
        """(stage name's suffix, placeholder → value) of every member."""
        for value in self.values:
            if self.form == "list":
                yield value, {"x": value, "y": value}
            elif self.form == "dict":
                yield value[0], {"x": value[0], "y": value[1]}
            else:
                yield f"{value[0]}-{value[1]}", {"x": value[0], "y": value[1]}

    def templates(self) -> tuple[str, dict[str, str]]:
        """As ``bindings``, for the text of dvc.yaml."""
        if self.form == "list":
            return "${item}", {"x": "${item}", "y": "${item}"}
        if self.form == "dict":
            return "${key}", {"x": "${key}", "y": "${item.w}"}
        return "${item.p}-${item.q}", {"x": "${item.p}", "y": "${item.q}"}


@dataclass
class StageSpec:
    """One entry of a ``dvc.yaml``; paths are relative to the project's root."""

    name: str
    folder: str
    wdir: str
    deps: list[str] = field(default_factory=list)
    outs: list[Out] = field(default_factory=list)
    params: list[tuple[str, list[str]]] = field(default_factory=list)
    """(params file, keys); no keys means the whole file."""
    words: list[str] = field(default_factory=list)
    """Further arguments of the command; may hold ``${...}``."""
    two_commands: bool = False
    salted: bool = False
    frozen: bool = False
    always_changed: bool = False
    group: Group | None = None
    desc: str = ""

    def members(self) -> Iterator[tuple[str, dict[str, str]]]:
        """(name within its dvc.yaml, placeholder values) of every stage this entry stands for."""
        if self.group is None:
            yield self.name, {}
        else:
            for suffix, values in self.group.bindings():
                yield f"{self.name}@{suffix}", values

    def addresses(self) -> list[str]:
        prefix = f"{self.folder}/dvc.yaml:" if self.folder else ""
        return [prefix + name for name, _ in self.members()]

    def out_paths(self) -> list[str]:
        return [out.path.format(**values) for _, values in self.members() for out in self.outs]


@dataclass
class Model:
    """The whole project as it should be on disk, apart from what runs leave there."""

    files: dict[str, str] = field(default_factory=dict)
    executables: set[str] = field(default_factory=set)
    params: dict[str, dict[str, Any]] = field(default_factory=dict)
    stages: list[StageSpec] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    """Paths added with ``dvc add``: files of ``files``, or folders of such."""
    comments: dict[str, int] = field(default_factory=dict)
    """dvc.yaml → number of comment lines at its top."""
    config: str = ""

    def copy(self) -> Model:
        return copy.deepcopy(self)

    def folders(self) -> list[str]:
        """Folders with a dvc.yaml, in a stable order."""
        return list(dict.fromkeys(stage.folder for stage in self.stages))

    def addresses(self) -> list[str]:
        return [address for stage in self.stages for address in stage.addresses()]

    def source_files(self) -> list[str]:
        return sorted(self.files)

    def edges(self) -> dict[str, set[str]]:
        """Stage address → addresses of the stages it directly depends on (``.dvc`` files too)."""
        makers: list[tuple[str, str]] = [(path, f"{path}.dvc") for path in self.data]
        for stage in self.stages:
            for address, (_, values) in zip(stage.addresses(), stage.members(), strict=True):
                makers += [(out.path.format(**values), address) for out in stage.outs]
        found: dict[str, set[str]] = {address: set() for _, address in makers}
        for stage in self.stages:
            for address, (_, values) in zip(stage.addresses(), stage.members(), strict=True):
                deps = [dep.format(**values) for dep in stage.deps]
                found[address] = {
                    maker
                    for path, maker in makers
                    for dep in deps
                    if path == dep or path.startswith(dep + "/") or dep.startswith(path + "/")
                }
        return found

    def rendered(self) -> dict[str, str]:
        """Path → text of every file that the model decides."""
        texts = dict(self.files)
        for name, values in self.params.items():
            texts[name] = _params_text(name, values)
        for folder in self.folders():
            path = joined(folder, "dvc.yaml")
            head = "".join(f"# remark {n}\n" for n in range(self.comments.get(path, 0)))
            body = {
                "stages": dict(_entry(stage) for stage in self.stages if stage.folder == folder)
            }
            texts[path] = head + yaml.safe_dump(body, sort_keys=False, allow_unicode=True)
        return texts


def _params_text(name: str, values: Mapping[str, Any]) -> str:
    if name.endswith(".json"):
        return json.dumps(values, indent=1) + "\n"
    if name.endswith(".toml"):
        lines = [
            f"{key} = {json.dumps(value)}"
            for key, value in values.items()
            if not isinstance(value, dict)
        ]
        for key, value in values.items():
            if isinstance(value, dict):
                lines += ["", f"[{key}]", *(f"{k} = {json.dumps(v)}" for k, v in value.items())]
        return "\n".join(lines) + "\n"
    if name.endswith(".py"):
        return "".join(f"{key} = {value!r}\n" for key, value in values.items())
    return yaml.safe_dump(dict(values), sort_keys=False)


def quoted(path: str) -> str:
    return f"'{path}'" if " " in path else path


def _entry(stage: StageSpec) -> tuple[str, dict[str, Any]]:
    suffix, values = stage.group.templates() if stage.group else ("", {})
    full = f"{stage.name}@{suffix}" if stage.group else stage.name
    address = f"{stage.folder}/dvc.yaml:{full}" if stage.folder else full

    def local(path: str) -> str:
        return os.path.relpath(path, stage.wdir or ".").format(**values)

    deps = [local(dep) for dep in stage.deps]
    outs = [local(out.path) for out in stage.outs]
    salted = "salted" if stage.salted else "plain"
    words = [word.format(**values) if not word.startswith("$") else word for word in stage.words]
    command = " ".join(
        ["mk", f"'{address}'", salted, *words, "-i", *map(quoted, deps), "-o", *outs]
    )
    body: dict[str, Any] = {
        "cmd": [f"true {stage.name}", command] if stage.two_commands else command
    }
    if stage.wdir != stage.folder:
        body["wdir"] = os.path.relpath(stage.wdir or ".", stage.folder or ".")
    if stage.desc:
        body["desc"] = stage.desc
    if deps:
        body["deps"] = deps
    params: list[Any] = []
    for name, keys in stage.params:
        if joined(stage.wdir, "params.yaml") == name and keys:
            params += keys
        else:
            params.append({local(name): list(keys) or None})
    if params:
        body["params"] = params
    for out, path in zip(stage.outs, outs, strict=True):
        body.setdefault(out.kind, []).append({path: out.options} if out.options else path)
    if stage.frozen:
        body["frozen"] = True
    if stage.always_changed:
        body["always_changed"] = True
    if stage.group is None:
        return stage.name, body
    if stage.group.form == "list":
        return stage.name, {"foreach": list(stage.group.values), "do": body}
    if stage.group.form == "dict":
        return stage.name, {
            "foreach": {key: {"w": word} for key, word in stage.group.values},
            "do": body,
        }
    axes = {
        "p": sorted({p for p, _ in stage.group.values}),
        "q": sorted({q for _, q in stage.group.values}),
    }
    return stage.name, {"matrix": axes, **body}


def write(root: Path, model: Model, before: Model | None = None) -> None:
    """Bring the files of ``model`` to ``root``; those equal in ``before`` are not touched."""
    texts, old = model.rendered(), before.rendered() if before else {}
    old_executables = before.executables if before else set()
    for path in old.keys() - texts.keys():
        (root / path).unlink(missing_ok=True)
    for path, text in texts.items():
        target = root / path
        if old.get(path) != text or not target.exists():
            replace(target, text)
            old_executables = old_executables - {path}
        if (path in model.executables) != (path in old_executables):
            target.chmod(0o755 if path in model.executables else 0o644)
    for stage in model.stages:
        (root / stage.wdir).mkdir(parents=True, exist_ok=True)


def replace(target: Path, text: str) -> None:
    """A new file in place of the old one, which may be a read-only link into the cache."""
    if target.is_dir():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(target.name + ".new")
    fresh.write_text(text)
    os.replace(fresh, target)


def without(model: Model, dropped: frozenset[str]) -> Model:
    """``model`` without the entries named in ``dropped``, and without deps on what they wrote."""
    kept = [stage for stage in model.stages if stage.name not in dropped]
    gone = {path for stage in model.stages if stage.name in dropped for path in stage.out_paths()}
    stages = [
        dataclasses.replace(
            stage,
            deps=[
                dep
                for dep in stage.deps
                if not any(
                    dep.format(**values) == path or dep.format(**values).startswith(path + "/")
                    for _, values in stage.members()
                    for path in gone
                )
            ],
        )
        for stage in kept
    ]
    return dataclasses.replace(model.copy(), stages=stages)

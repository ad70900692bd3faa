"""Resolved fields of a stage → Stage."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from redoit.model import (
    PIPELINE_FILE,
    Dep,
    Out,
    OutKind,
    ParamsDep,
    Place,
    RepoPath,
    Stage,
    address_of,
)
from redoit.spec.checks import expect
from redoit.spec.expand import Definition
from redoit.spec.paths import holds_project, locate_path
from redoit.spec.schema import PLOT_PROPERTIES
from redoit.spec.source import Fault, Path, check_encodable, describe
from redoit.spec.variables import DEFAULT_FILE

_SCHEME = r"([A-Za-z][A-Za-z0-9+.\-]*)://"
_KINDS = ((OutKind.OUT, "outs"), (OutKind.METRIC, "metrics"), (OutKind.PLOT, "plots"))
_EXTRA = ("type", "labels", "meta", *PLOT_PROPERTIES)


def make_stage(root: str, file: RepoPath, definition: Definition, place: Place) -> Stage:
    """The Stage of ``definition``. Raises Fault for a value that templating made impossible."""
    fields, path = definition.fields, definition.path
    folder = RepoPath(file.rpartition("/")[0])
    wdir = fields.get("wdir")
    if wdir is not None:
        _text(wdir, (*path, "wdir"))
        folder = locate_path(root, folder, wdir)[0] if wdir else folder
    outs = make_outs(root, folder, fields, path)
    return Stage(
        address=address_of(file, definition.name),
        name=definition.name,
        file=file,
        wdir=folder,
        cmd=_command(fields["cmd"], (*path, "cmd")),
        deps=tuple(_deps(root, folder, fields.get("deps") or [], (*path, "deps"))),
        params=tuple(make_params(root, folder, fields.get("params") or [], (*path, "params"))),
        outs=outs,
        frozen=bool(fields.get("frozen")),
        always_changed=bool(fields.get("always_changed")),
        desc=None if fields.get("desc") is None else str(fields["desc"]),
        meta=fields.get("meta"),
        group=definition.group,
        place=place,
    )


def _command(cmd: Any, path: Path) -> str | tuple[str, ...]:
    if isinstance(cmd, dict):
        raise Fault(
            "the command is a mapping only",
            path,
            hint="write the program in front of it: cmd: python train.py ${...}",
        )
    if not cmd and isinstance(cmd, str | list):
        raise Fault("the command is empty", path, hint="write the command that makes the outs")
    if isinstance(cmd, list):
        for index, line in enumerate(cmd):
            _text(line, (*path, index))
        return tuple(cmd)
    _text(cmd, path)
    return str(cmd)


def _text(value: Any, path: Path) -> None:
    if not isinstance(value, str):
        expect("text", value, path, hint=_QUOTES if isinstance(value, int | float) else None)
    check_encodable(value, path)


_QUOTES = "put it in quotes, here or where its value is set"


def check_local(text: Any, path: Path, *, on_key: bool = False) -> None:
    """Raise Fault unless ``text`` is a path on this machine."""
    if not isinstance(text, str) or not text:
        what = "a path is empty" if text == "" else f"a path must be text, not {describe(text)}"
        hint = "name a file or a folder; this one is ." if text == "" else _QUOTES
        raise Fault(what, path, on_key=on_key, hint=hint)
    check_encodable(text, path, on_key=on_key)
    scheme = re.match(_SCHEME, text) if "://" in text else None
    if scheme:
        what = "dataset" if scheme[1] == "ds" else "remote file"
        raise Fault(
            f'"{text}" is a {what}, and {scheme[1]}:// is not supported yet',
            path,
            on_key=on_key,
            needle=text,
            hint="make it a local file: a stage that downloads it, or a .dvc file",
        )


def _deps(root: str, folder: RepoPath, entries: list[Any], path: Path) -> list[Dep]:
    result = []
    for index, entry in enumerate(entries):
        here = (*path, index)
        check_local(entry, here)
        if is_data_file(entry):
            raise Fault(
                f'"{entry}" describes data and cannot be a dep',
                here,
                needle=entry,
                hint=f'depend on the data itself: "{entry[:-4]}"'
                if entry.endswith(".dvc")
                else "depend on the outs of its stages",
            )
        result.append(Dep(*locate_path(root, folder, entry)))
    return result


def is_data_file(path: str) -> bool:
    """Whether ``path`` names a ``.dvc`` file or a ``dvc.yaml``."""
    return path.endswith(".dvc") or path.rpartition("/")[2] == PIPELINE_FILE


def make_params(root: str, folder: RepoPath, entries: list[Any], path: Path) -> list[ParamsDep]:
    """The params files of a stage with their keys, in the order in which the files are first named."""
    whole = {
        file
        for entry in entries
        if isinstance(entry, dict)
        for file, keys in entry.items()
        if not keys
    }
    wanted: dict[str, list[str]] = {}
    for index, entry in enumerate(entries):
        here = (*path, index)
        if isinstance(entry, str):
            if DEFAULT_FILE not in whole:
                wanted.setdefault(DEFAULT_FILE, []).append(entry)
            continue
        if not isinstance(entry, dict):
            raise Fault(
                f"a param must be a key or a file with its keys, not {describe(entry)}", here
            )
        for file, keys in entry.items():
            check_local(file, (*here, file), on_key=True)
            if file in whole:
                wanted[file] = []
                continue
            if not isinstance(keys, list):
                raise Fault(
                    f'the keys of "{file}" must be a list, not {describe(keys)}',
                    (*here, file),
                    hint=f"write {file}: [{keys}]"
                    if isinstance(keys, str)
                    else "write - and a key in each line",
                )
            for position, key in enumerate(keys):
                _text(key, (*here, file, position))
            wanted.setdefault(file, []).extend(keys)
    return [
        ParamsDep(*locate_path(root, folder, file), tuple(dict.fromkeys(keys)))
        for file, keys in wanted.items()
    ]


def make_outs(
    root: str, folder: RepoPath, fields: Mapping[str, Any], path: Path
) -> tuple[Out, ...]:
    """All outs of a stage: ``outs``, then ``metrics``, then ``plots``."""
    result: list[Out] = []
    seen: dict[RepoPath, str] = {}
    for kind, name in _KINDS:
        merged: dict[str, dict[str, Any]] = {}
        spots: dict[str, tuple[Path, bool]] = {}
        for index, entry in enumerate(fields.get(name) or []):
            here = (*path, name, index)
            for text, flags in entry.items() if isinstance(entry, dict) else [(entry, {})]:
                keyed = isinstance(entry, dict)
                spot = (*here, text) if keyed else here
                check_local(text, spot, on_key=keyed)
                merged.setdefault(text, {}).update(flags)
                spots.setdefault(text, (spot, keyed))
        for text, flags in merged.items():
            spot, keyed = spots[text]
            if is_data_file(text):
                raise Fault(
                    f'"{text}" would be read as part of the project, so it cannot be an out',
                    spot,
                    on_key=keyed,
                    hint="give the out another name",
                )
            out = make_out(root, folder, text, kind, flags)
            check_place(root, out, spot, on_key=keyed)
            if out.path in seen:
                raise Fault(
                    f'"{text}" is written twice by this stage',
                    spot,
                    on_key=keyed,
                    facts={"also in": seen[out.path]},
                    hint="keep one of the two",
                )
            seen[out.path] = name
            result.append(out)
    return tuple(result)


def check_place(root: str, out: Out, spot: Path, *, on_key: bool = False) -> None:
    """Raise Fault for an out that is the project, or in which it lies: it would go when the out is written anew."""
    if holds_project(root, out.path):
        raise Fault(
            f'"{out.text}" is the project itself'
            if not out.path
            else f'the project itself lies in "{out.text}"',
            spot,
            on_key=on_key,
            hint="an out is a file or folder inside of it: give its path",
        )


def make_out(
    root: str, folder: RepoPath, text: str, kind: OutKind, flags: Mapping[str, Any]
) -> Out:
    """One out from its path and fields."""
    path, text = locate_path(root, folder, text)
    if not flags:
        return Out(path, text, kind)
    extra = {key: flags[key] for key in _EXTRA if key in flags and flags[key] is not None}
    return Out(
        path,
        text,
        kind,
        cache=bool(flags.get("cache", True)),
        persist=bool(flags.get("persist", False)),
        remote=flags.get("remote"),
        push=bool(flags.get("push", True)),
        desc=None if flags.get("desc") is None else str(flags["desc"]),
        extra=extra or None,
    )

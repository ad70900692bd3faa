"""What may stand in a ``dvc.yaml`` and in a ``.dvc`` file: names and types of fields, before templating."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from redoit.spec.checks import (
    Check,
    anything,
    expect,
    fields,
    flag,
    list_of,
    mapping_of,
    quote,
    text,
    text_or_list,
    text_or_mapping,
    whole,
)
from redoit.spec.source import Fault, Path

PLOT_PROPERTIES = ("template", "x", "y", "x_label", "y_label", "title", "header")
_ANNOTATIONS: dict[str, Check] = {
    "desc": text,
    "type": text,
    "labels": list_of(text, "labels"),
    "meta": anything,
}
_FLAGS: dict[str, Check] = {
    "cache": flag,
    "persist": flag,
    "remote": text,
    "push": flag,
    **_ANNOTATIONS,
    "checkpoint": flag,
}
_PROPERTIES: dict[str, Check] = {
    **dict.fromkeys(PLOT_PROPERTIES, text),
    "header": flag,
}


def _outs(known: Mapping[str, Check], what: str) -> Check:
    entry = mapping_of(fields(known, what), "text or a mapping")

    def checked(value: Any, path: Path) -> None:
        if not isinstance(value, str | dict):
            expect("a path, or a path with its fields", value, path, hint=quote(value))
        if isinstance(value, dict):
            for key, item in value.items():
                if item is None:
                    outdented = any(name in known for name in value)
                    raise Fault(
                        f'"{key}" has a colon but no fields',
                        (*path, key),
                        on_key=True,
                        hint="indent its fields deeper than the path"
                        if outdented
                        else "remove the colon, or add fields such as cache: false",
                    )
                if key in known and not isinstance(item, dict):
                    raise Fault(
                        f'"{key}" stands beside the path, not inside it',
                        (*path, key),
                        on_key=True,
                        hint=f"indent {key}: deeper than the path",
                    )
            entry(value, path)

    return list_of(checked, "paths")


def _vars_entry(value: Any, path: Path) -> None:
    if not isinstance(value, str | dict):
        expect("the name of a file, or a mapping of values", value, path)


def _params_entry(value: Any, path: Path) -> None:
    if not isinstance(value, str | dict):
        expect("a key, or a file with its keys", value, path, hint=quote(value))


def _matrix_value(value: Any, path: Path) -> None:
    if not isinstance(value, str | list):
        expect(
            "a list, or ${...} that stands for one",
            value,
            path,
            hint="write the values as a list: [a, b]",
        )


_vars = list_of(_vars_entry, "files and mappings")
_STAGE: dict[str, Check] = {
    "cmd": text_or_list,
    "wdir": text,
    "deps": list_of(text, "paths"),
    "params": list_of(_params_entry, "keys and files"),
    "outs": _outs(_FLAGS, "an out"),
    "metrics": _outs(_FLAGS, "a metric"),
    "plots": _outs({**_FLAGS, **_PROPERTIES}, "a plot"),
    "vars": _vars,
    "frozen": flag,
    "always_changed": flag,
    "desc": text,
    "meta": anything,
    "matrix": mapping_of(_matrix_value, "a mapping of names to lists"),
}
_STAGE_HINTS = {
    "command": 'did you mean "cmd"?',
    "run": 'did you mean "cmd"?',
    "script": 'did you mean "cmd"?',
    "dependencies": 'did you mean "deps"?',
    "outputs": 'did you mean "outs"?',
    "inputs": 'did you mean "deps"?',
    "env": "set variables in the command: cmd: NAME=value program",
    "no cmd": "add the command that makes the outs: cmd: ...",
    "artifacts": "artifacts stand at the top of the file, beside stages",
}
_stage = fields(_STAGE, "a stage", ("cmd",), _STAGE_HINTS)
_do = fields(
    {k: v for k, v in _STAGE.items() if k != "matrix"},
    'the "do" of a foreach stage',
    ("cmd",),
    {**_STAGE_HINTS, "matrix": "a matrix takes the place of foreach and do: it stands beside cmd"},
)
_foreach = fields(
    {"foreach": anything, "do": _do},
    "a foreach stage",
    ("foreach", "do"),
    {
        **dict.fromkeys(_STAGE, 'the fields of the stages belong under "do"'),
        "matrix": 'take either "foreach" or "matrix"',
        "no foreach": "say over what to go: foreach: [a, b]",
        "no do": "put the fields of each stage (cmd, deps, ...) under do:",
    },
)


def _entry(value: Any, path: Path) -> None:
    """A stage, or a ``foreach``."""
    if isinstance(value, dict) and ("foreach" in value or "do" in value):
        over = value.get("foreach", [])
        if not isinstance(over, str | list | dict):
            expect("a list, a mapping, or ${...} that stands for one", over, (*path, "foreach"))
        _foreach(value, path)
    elif isinstance(value, str):
        expect("a mapping (a stage)", value, path, hint=f"name the command: cmd: {value}")
    else:
        _stage(value, path)


def _stage_name(name: str, path: Path) -> None:
    if not name:
        raise Fault("a stage has an empty name", path, on_key=True, hint="give it a name")
    if "@" in name:
        raise Fault(
            f'the name of a stage must not hold "@": {name}',
            path,
            on_key=True,
            hint='"@" joins the name of a foreach or matrix stage and its item',
        )


def _stages(value: Any, path: Path) -> None:
    mapping_of(
        lambda _item, here: _stage_name(here[-1], here), "a mapping of stage names to stages"
    )(value, path)
    for name, entry in value.items():
        _entry(entry, (*path, name))


def _plot_axis(value: Any, path: Path) -> None:
    if isinstance(value, dict):
        mapping_of(_text_or_texts, "text, a list or a mapping")(value, path)
    else:
        _text_or_texts(value, path)


def _text_or_texts(value: Any, path: Path) -> None:
    if isinstance(value, list):
        list_of(text, "text")(value, path)
    elif not isinstance(value, str):
        expect("text or a list of text", value, path, hint=quote(value))


def _plot_x(value: Any, path: Path) -> None:
    if isinstance(value, dict):
        mapping_of(text, "text or a mapping")(value, path)
    elif not isinstance(value, str):
        expect("text or a mapping of files to text", value, path, hint=quote(value))


_plot = fields(
    {
        "x": _plot_x,
        "y": _plot_axis,
        **dict.fromkeys(("x_label", "y_label", "title", "template"), text),
    },
    "a plot",
)


def _top_plot(value: Any, path: Path) -> None:
    if isinstance(value, str):
        return
    if not isinstance(value, dict):
        expect("a path, or a name with its fields", value, path, hint=quote(value))
    mapping_of(lambda item, here: None if item is None else _plot(item, here), "a mapping")(
        value, path
    )


_artifact = fields({"path": text, **_ANNOTATIONS}, "an artifact", ("path",))
_TOP: dict[str, Check] = {
    "stages": _stages,
    "vars": _vars,
    "params": list_of(text, "paths"),
    "metrics": list_of(text, "paths"),
    "plots": list_of(_top_plot, "plots"),
    "artifacts": mapping_of(_artifact, "a mapping of names to artifacts"),
    "datasets": anything,
}
_pipeline = fields(
    _TOP,
    "dvc.yaml",
    hints={
        **dict.fromkeys(
            ("cmd", "deps", "outs", "wdir"), "stages stand under stages:, each with its name"
        ),
        "outs": 'this looks like a .dvc file: a dvc.yaml begins with "stages:"',
        "schema": "this looks like a dvc.lock, which only a run writes",
    },
)


def check_pipeline(value: Any) -> None:
    """Raise Fault for the first mistake in the value of a ``dvc.yaml``."""
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, dict) and "cmd" in item and key not in _TOP:
                what = f'the stage "{key}" stands outside of stages'
                raise Fault(what, (key,), on_key=True, hint="put it under stages:, indented")
    _pipeline(value, ())


def _digest(value: Any, path: Path) -> None:
    good = (
        value is None
        or value == ""
        or (isinstance(value, str | int) and not isinstance(value, bool) and len(str(value)) >= 3)
    )
    if not good:
        expect("a digest (hex digits)", value, path)


def _oid(value: Any, path: Path) -> None:
    """A digest that may name an object of the cache: anything but hex digits could lead elsewhere."""
    _digest(value, path)
    if value and not _HEX.issuperset(str(value).removesuffix(".dir")):
        expect("a digest (hex digits)", value, path)


_HEX = frozenset("0123456789abcdefABCDEF")

_FILE_META: dict[str, Check] = {
    **dict.fromkeys(("md5", "xxh128"), _oid),
    **dict.fromkeys(("checksum", "etag"), _digest),
    "size": whole,
    "nfiles": whole,
    "isexec": flag,
    "version_id": text,
}


def _cloud(value: Any, path: Path) -> None:
    mapping_of(fields(_FILE_META, "a cloud version"), "a mapping of a remote to a version")(
        value, path
    )
    if len(value) > 1:
        raise Fault('"cloud" names more than one remote', path, hint="keep one")


_RECORD: dict[str, Check] = {
    **_FILE_META,
    "path": text,
    "persist": flag,
    "cloud": _cloud,
    "hash": text,
    "files": list_of(
        fields(
            {**_FILE_META, "relpath": text, "cloud": _cloud}, "a file of a directory", ("relpath",)
        ),
        "files",
    ),
    "fs_config": mapping_of(anything, "a mapping"),
}
_repo = fields(
    {
        "url": text,
        "rev": text,
        "rev_lock": text,
        "config": text_or_mapping,
        "remote": text_or_mapping,
    },
    "a repo",
    ("url",),
)
_DB: dict[str, Check] = {"db": anything}
_data_dep = fields({**_RECORD, "repo": _repo, **_DB}, "a dep of a .dvc file")
_data_out = fields(
    {**_RECORD, **_ANNOTATIONS, "cache": flag, "remote": text, "push": flag},
    "an out of a .dvc file",
    ("path",),
)


def _or_nothing(check: Check) -> Check:
    return lambda value, path: None if value is None else check(value, path)


_data_file = fields(
    {
        "outs": _or_nothing(list_of(_data_out, "outs")),
        "deps": _or_nothing(list_of(_data_dep, "deps")),
        "md5": _digest,
        "wdir": _or_nothing(text),
        "frozen": flag,
        "locked": flag,
        "desc": text,
        "meta": anything,
        "always_changed": flag,
    },
    "a .dvc file",
    hints={
        "cmd": "a .dvc file holds data; put the command into a stage of dvc.yaml",
        "stages": "a .dvc file holds data; stages belong into dvc.yaml",
    },
)


def check_data_file(value: Any) -> None:
    """Raise Fault for the first mistake in the value of a ``.dvc`` file."""
    _data_file(value, ())

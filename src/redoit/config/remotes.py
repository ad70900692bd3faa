"""The remotes in DVC's configuration files: adding, changing, naming and removing them.

A file that one of these changes is as DVC would leave it, but for comments, which stay.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from redoit.config import schema
from redoit.config.edit import (
    LEVELS,
    level_file,
    open_document,
    relative_path,
    save_documents,
)
from redoit.config.load import absolute, load_config, suggestion
from redoit.config.parse import levels
from redoit.errors import ConfigError, UsageError
from redoit.redact import redacted

_NAMED = tuple(f'{kind} "' for kind in schema.NAMED)


@dataclass(frozen=True)
class RemoteLine:
    """A remote as it is listed; a password in its URL is left out."""

    name: str
    url: str
    is_default: bool


def list_remotes(root: str | None, level: str | None = None) -> list[RemoteLine]:
    """The remotes of all levels together, or of one. Raises ConfigError."""
    if level is None:
        config = load_config(root)
        default, remotes = config.remote, config.remotes
    else:
        file = level_file(root, level)
        table = open_document(file)
        default = _default_in(table)
        folder = os.path.dirname(file)
        remotes = {
            name: {"url": absolute(str(url), folder)} if (url := table[key].get("url")) else {}
            for name, key in _remotes_in(table).items()
        }
    return [
        RemoteLine(name, redacted(str(options.get("url", ""))), name == default)
        for name, options in remotes.items()
    ]


def default_remote(root: str | None, level: str | None = None) -> str | None:
    """Name of the default remote, of all levels or of one; None without one. Raises ConfigError."""
    if level is None:
        return load_config(root).remote
    return _default_in(open_document(level_file(root, level)))


def add_remote(
    root: str | None,
    name: str,
    url: str,
    level: str | None = None,
    *,
    default: bool = False,
    force: bool = False,
    cwd: str,
) -> str:
    """Write a remote into the project's file, or that of ``level``. Returns the file.

    A path as ``url`` is relative to ``cwd``. With ``force`` it replaces one of that name, with all
    its options. Raises ConfigError for one that is there, UsageError for a name or a URL that cannot be.
    """
    name = _checked(name)
    _check_url(root, name, url)
    file = level_file(root, level)
    document = open_document(file)
    known = _remotes_in(document)
    if name in known and not force:
        raise ConfigError(
            f"there is a remote '{name}' already",
            facts={"url": redacted(str(document[known[name]].get("url", ""))), "file": file},
            hint="choose another name, or replace it with --force",
        )
    if name in known:
        document[known[name]].clear()
        key = known[name]
    else:
        key = _new_section(document, name)
    document[key]["url"] = relative_path(url, os.path.dirname(file), cwd)
    if default:
        _set_default(document, name)
    save_documents(root, {file: document})
    return file


def modify_remote(
    root: str | None,
    name: str,
    option: str,
    value: str | None,
    level: str | None = None,
    *,
    cwd: str,
) -> str:
    """Set an option of a remote, or with ``value`` None take it out. Returns the file.

    The remote may stand in a level that counts less. Raises ConfigError for a remote or an option
    that there is not.
    """
    name, option = name.lower(), option.lower()
    file = level_file(root, level)
    document = open_document(file)
    known = _remotes_in(document)
    if name not in known:
        _check_known(name, load_config(root).remotes)
    if value is None:
        if name in known:
            section = document[known[name]]
            for key in [key for key in section if key.lower() == option]:
                del section[key]
            if not section:
                del document[known[name]]
    else:
        if option == "url":
            _check_url(root, name, value)
        key = known.get(name) or _new_section(document, name)
        if option in schema.PATHS["remote"]:
            value = relative_path(value, os.path.dirname(file), cwd)
        document[key][_spelt(document[key], option)] = value
    save_documents(root, {file: document})
    return file


def set_default_remote(root: str | None, name: str | None, level: str | None = None) -> str:
    """Make ``name`` the default remote; None: there is none any more. Returns the file.

    Raises ConfigError for a remote that there is not.
    """
    file = level_file(root, level)
    document = open_document(file)
    if name is None:
        _drop_default(document)
    else:
        name = name.lower()
        _check_known(name, load_config(root).remotes)
        _set_default(document, name)
    save_documents(root, {file: document})
    return file


def rename_remote(root: str | None, name: str, new: str, level: str | None = None) -> str:
    """Call a remote ``new``, in ``level`` and those that count more. Returns the file.

    Where it is the default or another remote refers to it, that is so under its new name. Raises ConfigError if there is
    no such remote in that level, or one called ``new`` in any.
    """
    name, new = name.lower(), _checked(new)
    if new in load_config(root).remotes:
        raise ConfigError(
            f"there is a remote '{new}' already",
            hint=f"choose another name, or `exp remote remove {new}` first",
        )
    file = level_file(root, level)
    document = open_document(file)
    _section_of(document, name, file)
    documents = {file: document, **_above(root, level)}
    for each in documents.values():
        old = _remotes_in(each).get(name)
        if old is not None:
            key = _new_section(each, new)
            each[key].update(each[old])
            del each[old]
        for other in _remotes_in(each).values():
            rest = _referring(each[other], name)
            if rest is not None:
                each[other]["url"] = f"remote://{new}{rest}"
        if _default_in(each) == name:
            _set_default(each, new)
    save_documents(root, documents)
    return file


def remove_remote(root: str | None, name: str, level: str | None = None) -> str:
    """Take a remote out of its file; where it is the default, there is none any more. Returns the file.

    What lies at the remote stays. Raises ConfigError if there is none in that level, if another level still has
    options of it, or if another remote refers to it.
    """
    name = name.lower()
    file = level_file(root, level)
    document = open_document(file)
    del document[_section_of(document, name, file)]
    documents = {file: document, **_above(root, level)}
    for path, each in documents.items():
        if name in _remotes_in(each):
            level = next(level for level, file in levels(root).items() if file == path)
            raise ConfigError(
                f"another file has options of the remote '{name}'",
                facts={"file": path},
                hint=f"`exp remote remove --{level} {name}` first",
            )
    others = [open_document(each) for each in levels(root).values() if each != file]
    gone = not any(name in _remotes_in(each) for each in others)
    for other, options in load_config(root).remotes.items():
        if gone and _referring(options, name) is not None:
            raise ConfigError(
                f"the remote '{other}' refers to '{name}'",
                facts={"url": str(options["url"])},
                hint=f"`exp remote modify {other} url URL`, or `exp remote remove {other}` first",
            )
    for each in documents.values():
        if _default_in(each) == name:
            _drop_default(each)
    save_documents(root, documents)
    return file


def _above(root: str | None, level: str | None) -> dict[str, Any]:
    """The documents of the levels that count more than ``level``: they may have options of its remotes."""
    files = levels(root)
    higher = LEVELS[LEVELS.index(level or "project") + 1 :]
    opened = {files[each]: open_document(files[each]) for each in higher if each in files}
    return {file: document for file, document in opened.items() if document.sections}


def _referring(options: Mapping[str, Any], name: str) -> str | None:
    """What follows in the URL of a remote that lies at the remote ``name``; None of one that does not."""
    found = re.match(
        rf"remote://{re.escape(name)}(/.*)?$", str(options.get("url", "")), re.IGNORECASE
    )
    return (found[1] or "") if found else None


def _check_url(root: str | None, name: str, url: str) -> None:
    """Raise UsageError for what is neither a path nor a URL, ConfigError for ``remote://`` and no remote."""
    if not url.strip():
        raise UsageError(
            "the URL is empty", hint="give a path, or a URL such as s3://bucket/folder"
        )
    scheme, colon, rest = url.partition(":")
    place = rest.strip("/")
    if (
        colon
        and scheme in (*schema.schemes(), "remote")
        and (rest[:2] != "//" or rest[2:3] in ("", "/"))
    ):
        raise UsageError(
            f"'{redacted(url)}' is no URL",
            hint=f"did you mean '{redacted(f'{scheme}://{place}')}'? A path of that name is ./{redacted(url)}"
            if place
            else f"after {scheme}:// a name is missing",
        )
    if scheme == "remote" and colon:
        other = place.partition("/")[0].lower()
        _check_known(other, [each for each in load_config(root).remotes if each != name])


def _check_known(name: str, known: Collection[str]) -> None:
    if name not in known:
        raise _unknown(name, known)


def _unknown(name: str, known: Iterable[str]) -> ConfigError:
    names = list(known)
    return ConfigError(
        f"there is no remote '{name}'",
        hint=suggestion(name, names) if names else f"`exp remote add {name} URL` adds it",
    )


def _section_of(document: Any, name: str, file: str) -> str:
    known = _remotes_in(document)
    if name not in known:
        error = _unknown(name, known)
        raise ConfigError(error.what, facts={"file": file}, hint=error.hint)
    return known[name]


def _remotes_in(document: Any) -> dict[str, str]:
    """Name → how the file spells the section."""
    found = {}
    for key in document.sections:
        kind, _, rest = " ".join(key.split()).partition(' "')
        if kind.lower() == "remote" and rest.endswith('"'):
            found[rest[:-1].lower()] = key
    return found


def _checked(name: str) -> str:
    name = name.lower()
    bad = sorted(set(name) & set("\"'[]#\\\n\t"))
    if not name.strip() or bad:
        raise UsageError(
            f"{name!r} cannot be the name of a remote",
            facts={"because": f"it has {' '.join(map(repr, bad))}" if bad else "it is empty"},
            hint="use letters, digits, - and _",
        )
    return name


def _new_section(document: Any, name: str) -> str:
    """Make the section of a remote, after those that there are."""
    key = f'remote "{name}"'
    order = document.sections
    last = max((order.index(each) for each in _remotes_in(document).values()), default=None)
    document[key] = {}
    if last is not None:
        order.insert(last + 1, order.pop())
    return key


def _core(document: Any, *, make: bool = False) -> Any:
    """The section ``core``, which DVC writes before the remotes; None if there is none."""
    for key in document.sections:
        if key.strip().lower() == "core":
            return document[key]
    if not make:
        return None
    order = document.sections
    at = next((i for i, key in enumerate(order) if key.startswith(_NAMED)), len(order))
    document["core"] = {}
    order.insert(at, order.pop())
    return document["core"]


def _spelt(section: Any, option: str) -> str:
    return next((str(key) for key in section if key.lower() == option), option)


def _default_in(document: Any) -> str | None:
    core = _core(document) or {}
    value = core.get(_spelt(core, "remote"))
    return None if value is None else str(value).lower()


def _set_default(document: Any, name: str) -> None:
    core = _core(document, make=True)
    core[_spelt(core, "remote")] = name


def _drop_default(document: Any) -> None:
    core = _core(document)
    if core is None:
        return
    core.pop(_spelt(core, "remote"), None)
    if not core:
        key = next(key for key in document.sections if key.strip().lower() == "core")
        del document[key]

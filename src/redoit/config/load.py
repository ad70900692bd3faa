"""Loading: files of all levels → one checked Config; redoit.toml → Settings."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from redoit.config import schema
from redoit.config.parse import Sections, excerpt, levels, line_of, parse, read_text
from redoit.config.values import Config, Settings
from redoit.errors import ConfigError
from redoit.model import Algo, Place
from redoit.redact import redacted

SETTINGS = ("hash", "exps_dir")
"""The keys of ``redoit.toml``."""
_PLAIN_SETTING = r"""([a-z_]+)\s*=\s*(?:"([a-z0-9]+)"|'([a-z0-9]+)')\s*(?:#.*)?"""


def load_config(root: str | None) -> Config:
    """What all levels say together for the project at ``root`` (None: system and global only).

    Raises ConfigError, with file and line, for a file that DVC would not take either.
    """
    return merged_config((path, read_text(path)) for path in levels(root).values())


def merged_config(files: Iterable[tuple[str, str]]) -> Config:
    """What the files, each a path and its text, say together; later ones count more.

    Raises ConfigError, with file and line.
    """
    merged: Sections = {}
    read: list[tuple[str, str, Sections]] = []
    for path, text in files:
        sections = parse(text, path)
        if sections:
            check(sections, path, text)
            read.append((path, text, sections))
            merge(merged, resolve_paths(sections, os.path.dirname(path)))
    for name, options in merged.get("remote", {}).items():
        _check_remote(name, options, read)
    return Config(merged) if merged else Config()


def merge(into: Sections, more: Sections) -> None:
    """Put ``more`` over ``into``, section by section."""
    for key, value in more.items():
        if isinstance(into.get(key), dict) and isinstance(value, dict):
            merge(into[key], value)
        else:
            into[key] = value


def resolve_paths(sections: Sections, folder: str) -> Sections:
    """The same with absolute paths; relative ones count from ``folder``."""
    out = dict(sections)
    for section, options in schema.PATHS.items():
        if section not in out:
            continue
        if section in schema.NAMED:
            out[section] = {k: _resolved(v, options, folder) for k, v in out[section].items()}
        else:
            out[section] = _resolved(out[section], options, folder)
    return out


def _resolved(table: Sections, options: tuple[str, ...], folder: str) -> Sections:
    return {
        key: absolute(value, folder) if key in options and isinstance(value, str) else value
        for key, value in table.items()
    }


def absolute(path: str, folder: str) -> str:
    """``path`` of a file in ``folder`` as an absolute path; a URL stays as it is."""
    if re.match(r"\w+://", path) or os.path.isabs(path):
        return path
    expanded = os.path.expanduser(path)
    if os.path.isabs(expanded):
        return expanded
    return os.path.abspath(os.path.join(folder, path))


def check(sections: Sections, path: str, text: str) -> None:
    """Raise ConfigError for the first section, option or value that DVC does not know."""
    for section, table in sections.items():
        if not isinstance(table, dict):
            raise _problem(
                f"the option {section!r} stands outside of a section",
                path,
                text,
                ("", None, section),
                hint="put it below a line such as [core]",
            )
        if section == "feature":
            continue
        if section in schema.NAMED:
            for name, options in table.items():
                if isinstance(options, dict):
                    known = schema.options_of(section) if section != "remote" else None
                    _check_options(section, name, options, known, path, text)
            continue
        if section not in schema.SECTIONS:
            raise _problem(
                f"unknown section [{section}]",
                path,
                text,
                (section, None, None),
                hint=suggestion(section, [*schema.SECTIONS, *schema.NAMED, "feature"]),
            )
        _check_options(section, None, table, schema.SECTIONS[section], path, text)


def _check_options(
    section: str,
    name: str | None,
    options: Mapping[str, Any],
    known: Mapping[str, str] | None,
    path: str,
    text: str,
) -> None:
    if known is None:  # a remote's options depend on its URL, which another file may hold
        return
    for option, value in options.items():
        if option not in known:
            raise _problem(
                f"unknown option {option!r} in section [{section}]",
                path,
                text,
                (section, name, option),
                hint=suggestion(option, known),
            )
        if wrong := schema.problem_of(known[option], value):
            raise _problem(
                f"{section}.{option} must be {wrong}, not {shown(value)}",
                path,
                text,
                (section, name, option),
                hint=f"for example: exp config {section}.{f'{name}.' if name else ''}{option} {example(known[option])}",
            )


def _check_remote(name: str, options: Any, read: list[tuple[str, str, Sections]]) -> None:
    def where(option: str | None) -> tuple[str, str]:
        for path, text, sections in reversed(read):
            table = sections.get("remote", {}).get(name)
            if isinstance(table, dict) and (option is None or option in table):
                return path, text
        return read[-1][:2]

    if not isinstance(options, dict) or not isinstance(options.get("url"), str):
        raise _problem(
            f"the remote {name!r} has no url",
            *where(None),
            ("remote", name, None),
            hint=f"for example: exp config remote.{name}.url /path/or/url",
        )
    known = schema.remote_options(options["url"])
    if known is None:
        raise _problem(
            f"the remote {name!r} has a url of an unknown kind: {redacted(options['url'])}",
            *where("url"),
            ("remote", name, "url"),
            hint=f"known are paths and {', '.join(s + '://' for s in schema.schemes())}",
        )
    for option in options:
        _check_options("remote", name, {option: options[option]}, known, *where(option))


def _problem(
    what: str,
    path: str,
    text: str,
    spot: tuple[str, str | None, str | None],
    *,
    hint: str | None,
) -> ConfigError:
    section, _, option = spot
    line = line_of(text, *spot)
    hidden = section in schema.NAMED and option not in (None, *schema.options_of(section))
    return ConfigError(
        what, place=Place(path, line), excerpt=excerpt(text, line, hidden=hidden), hint=hint
    )


def suggestion(word: str, known: Mapping[str, object] | list[str]) -> str:
    """ "did you mean", or the whole list when nothing is near."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(sorted(known))}"


def shown(value: object) -> str:
    """A value as it was written."""
    return repr(", ".join(map(str, value)) if isinstance(value, list) else value)


def example(kind: str) -> str:
    """A value that is right for the kind."""
    words = {"bool": "true", "int": "4", "float": "10", "links": "reflink,hardlink,copy"}
    return words.get(kind) or kind.partition("|")[0]


def load_settings(root: str) -> Settings:
    """Redoit's own settings of the project at ``root``; the defaults if it has none.

    Raises ConfigError for a file that is not TOML, an unknown key or a wrong value.
    """
    path = os.path.join(root, ".dvc", "redoit.toml")
    try:
        with open(path, "rb") as file:
            data = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return Settings()
    except OSError as error:
        raise ConfigError(
            f"cannot read the settings: {error.strerror}",
            place=Place(path),
            hint="make the file readable, or remove it",
        ) from None
    return settings_from(data, path)


def settings_from(data: bytes, path: str) -> Settings:
    """The settings in the content of the file at ``path``. Raises ConfigError."""
    table: Mapping[str, Any] | None = _plain_settings(data)
    if table is None:
        table = _parse_toml(data, path)
    text = data.decode("utf-8", "replace")
    for key in table:
        if key not in SETTINGS:
            raise _problem(
                f"unknown setting {key!r}",
                path,
                text,
                ("", None, key),
                hint=suggestion(key, list(SETTINGS)),
            )
    value = table.get("hash", Algo.MD5.value)
    if not isinstance(value, str) or value not in (Algo.MD5.value, Algo.XXH128.value):
        raise _problem(
            f"hash must be 'md5' or 'xxh128', not {value!r}",
            path,
            text,
            ("", None, "hash"),
            hint="md5 is DVC's; xxh128 is much faster and Redoit's own",
        )
    place = table.get("exps_dir")
    if place is not None and (not isinstance(place, str) or not place.strip()):
        raise _problem(
            f"exps_dir must be the path of a folder, not {place!r}",
            path,
            text,
            ("", None, "exps_dir"),
            hint='for example: exps_dir = "/scratch/exps"',
        )
    return Settings(Algo(value), place)


def _plain_settings(data: bytes) -> dict[str, str] | None:
    """``key = "word"`` lines and comments, which is what `exp init` writes; None for more.

    Saves the import of a TOML parser at every start.
    """
    table: dict[str, str] = {}
    for line in data.split(b"\n"):
        text = line.strip().decode("ascii", "replace")
        if not text:
            continue
        if not (text.isascii() and text.isprintable()):
            return None
        if text[0] == "#":
            continue
        found = re.fullmatch(_PLAIN_SETTING, text)
        if found is None or found[1] in table:
            return None
        table[found[1]] = found[2] or found[3]
    return table


def _parse_toml(data: bytes, path: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        text = data.decode("utf-8")
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            "the settings are not UTF-8 text", place=Place(path, line), hint="save them as UTF-8"
        ) from None
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        line, column = (int(found[1]), int(found[2])) if found else (text.count("\n") + 1, 0)
        reason = re.sub(r"\s*\(at .*\)$", "", str(error))
        raise ConfigError(
            f"the settings are not TOML: {reason[:1].lower()}{reason[1:]}",
            place=Place(path, line, column),
            excerpt=excerpt(text, line),
            hint='a setting looks like: hash = "md5"',
        ) from None

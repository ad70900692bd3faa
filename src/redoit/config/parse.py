"""Reading one configuration file: text → sections, and where in the text a thing stands."""

from __future__ import annotations

import os
import re
from typing import Any

from redoit.errors import ConfigError
from redoit.model import Place
from redoit.redact import HIDDEN, SECRETS, redacted

Sections = dict[str, Any]
"""Section → option → value (text, or a list of texts); named sections one level deeper."""

# As text: `re` compiles and keeps them at their first use, and most runs need none.
_HEADER = r"""\[(?:([a-z_]+)|'(remote|machine|db) "([^'"\[\]#\\]+)"')\]"""
_OPTION = r"""([A-Za-z_][A-Za-z0-9_]*)\s*=\s*([^\s"'#%$,{}\[\]\\][^"'#%$,{}\[\]\\]*)?"""
_QUOTED = r"""([A-Za-z_][A-Za-z0-9_]*)\s*=\s*"([^"'#%$\\]+)\""""
_WORD_LIST = r"([A-Za-z_][A-Za-z0-9_]*)\s*=\s*([a-z]+(?:\s*,\s*[a-z]+)+)"
_NAMED = r'\s*(remote|machine|db)\s*"(.*)"\s*'


def parse(text: str, path: str) -> Sections:
    """The sections of ``text``. Raises ConfigError, which names ``path`` and the line."""
    if not text.strip():
        return {}
    plain = _parse_plain(text)
    return _parse(text, path) if plain is None else plain


def read_text(path: str) -> str:
    """The text of the file; empty if there is no such file. Raises ConfigError."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise ConfigError(
            f"cannot read the configuration: {error.strerror}",
            place=Place(path),
            hint="make the file readable, or remove it",
        ) from None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(
            "the configuration is not UTF-8 text",
            place=Place(path, data.count(b"\n", 0, error.start) + 1),
            hint="save the file as UTF-8",
        ) from None


def _parse_plain(text: str) -> Sections | None:
    """What nearly every file holds: words, no quotes, no interpolation. None for anything else.

    Saves the import of configobj; a property test holds both to the same result.
    """
    if not set(text) <= _PRINTABLE:
        return None
    sections: Sections = {}
    current: dict[str, Any] | None = None
    for raw in text.split("\n"):
        line = raw.strip(" \t")
        if not line or line[0] == "#":
            continue
        if header := re.fullmatch(_HEADER, line):
            plain, kind, name = header.groups()
            group = sections if plain else sections.setdefault(kind, {})
            key = plain or name.lower()
            if not isinstance(group, dict) or key in group:
                return None
            current = group[key] = {}
            continue
        option = re.fullmatch(_OPTION, line) or re.fullmatch(_QUOTED, line)
        words = None if option else re.fullmatch(_WORD_LIST, line)
        found = option or words
        if found is None or current is None or found[1].lower() in current:
            return None
        value = found[2] or ""
        if words:
            current[found[1].lower()] = [word.strip() for word in value.split(",")]
        else:
            current[found[1].lower()] = value if line.endswith('"') else value.strip(" \t")
    return sections


_PRINTABLE = frozenset("\n\t" + "".join(map(chr, range(32, 127))))


def _parse(text: str, path: str) -> Sections:
    from configobj import ConfigObj, ConfigObjError

    try:
        parsed = _lower_keys(ConfigObj(text.splitlines(keepends=True)).dict())
    except ConfigObjError as error:
        first = (getattr(error, "errors", None) or [error])[0]
        line = getattr(first, "line_number", None) or 0
        raise ConfigError(
            "the configuration is not of the form [section], option = value",
            place=Place(path, line),
            excerpt=excerpt(text, line),
            hint="correct the line; a name may stand once in its section only",
        ) from None
    sections: Sections = {}
    for name, value in parsed.items():
        if named := re.fullmatch(_NAMED, name):
            group = sections.setdefault(named[1], {})
            if isinstance(group, dict):  # else an option outside of any section, refused below
                group[named[2]] = value
        else:
            sections[name] = value
    return sections


def _lower_keys(data: dict[str, Any]) -> dict[str, Any]:
    return {
        key.lower(): _lower_keys(value) if isinstance(value, dict) else value
        for key, value in data.items()
    }


def excerpt(text: str, line: int, *, hidden: bool = False) -> str | None:
    """Line number ``line`` of ``text``, shortened; None for 0.

    The value of an option that is secret is left out; with ``hidden`` of any, as that of a secret one that is misspelt.
    """
    lines = text.split("\n")
    if not 0 < line <= len(lines):
        return None
    found = lines[line - 1].strip("\r")
    option = re.match(r"\s*([\w-]+)\b[\s=:]*(?=\S)", found)
    if option and (hidden or option[1].lower() in SECRETS):
        return f"{option[0]}{HIDDEN}"
    return redacted(found)[:120]


def line_of(text: str, section: str, name: str | None, option: str | None) -> int:
    """The line on which a section, or an option in it, stands; 0 if it cannot be told."""
    header = re.compile(
        rf"""\s*\[\s*['"]?\s*{re.escape(section)}\s*"""
        + (rf'"?{re.escape(name)}"?' if name is not None else "")
        + r"""\s*['"]?\s*\]""",
        re.IGNORECASE,
    )
    inside, found = section == "", 0
    for number, line in enumerate(text.split("\n"), 1):
        if header.match(line):
            inside, found = True, number
            if option is None:
                return number
        elif line.lstrip().startswith("["):
            inside = False
        elif inside and option is not None and _key_of(line) == option.lower():
            return number
    return found


def _key_of(line: str) -> str:
    return line.partition("=")[0].strip(" \t'\"").lower()


def levels(root: str | None) -> dict[str, str]:
    """Level → path of its file, those that count less first: system, global, project, local."""
    files = {
        "system": os.path.join(_system_dir(), "config"),
        "global": os.path.join(_global_dir(), "config"),
    }
    if root is not None:
        files["project"] = os.path.join(root, ".dvc", "config")
        files["local"] = os.path.join(root, ".dvc", "config.local")
    return files


def _system_dir() -> str:
    if folder := os.environ.get("DVC_SYSTEM_CONFIG_DIR"):
        return folder
    if os.uname().sysname == "Darwin":
        return "/Library/Application Support/dvc"
    first = _absolute_of(os.environ.get("XDG_CONFIG_DIRS", "").split(os.pathsep)) or "/etc/xdg"
    return os.path.join(first, "dvc")


def _global_dir() -> str:
    if folder := os.environ.get("DVC_GLOBAL_CONFIG_DIR"):
        return folder
    if os.uname().sysname == "Darwin":
        return os.path.expanduser("~/Library/Application Support/dvc")
    base = _absolute_of([os.environ.get("XDG_CONFIG_HOME", "")]) or os.path.expanduser("~/.config")
    return os.path.join(base, "dvc")


def _absolute_of(folders: list[str]) -> str | None:
    """The first absolute path; the XDG specification ignores others."""
    for folder in folders:
        expanded = os.path.expanduser(folder.strip())
        if os.path.isabs(expanded):
            return expanded
    return None

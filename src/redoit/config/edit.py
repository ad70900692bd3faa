"""Reading and changing single options: what ``exp config`` does.

Options are named as in DVC: ``section.option``, ``remote.NAME.option``, ``db.NAME.option``.
``redoit.SETTING`` is one of Redoit's own, which the project alone can have.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from redoit.config import schema
from redoit.config.load import (
    SETTINGS,
    load_settings,
    merged_config,
    resolve_paths,
    settings_from,
    suggestion,
)
from redoit.config.parse import Sections, levels, parse, read_text
from redoit.errors import ConfigError, NotAProject, UsageError
from redoit.files import write_atomic

LEVELS = ("system", "global", "project", "local")
"""Those that count more come later."""

_SETTINGS = "redoit"


@dataclass(frozen=True)
class Option:
    """An option as one file sets it."""

    name: str
    value: str
    level: str
    file: str


@dataclass(frozen=True)
class _Name:
    """A parsed option name; ``inner`` is the name of a remote or database."""

    section: str
    inner: str | None
    option: str

    def __str__(self) -> str:
        return ".".join(part for part in (self.section, self.inner, self.option) if part)


def list_options(root: str | None, level: str | None = None) -> list[Option]:
    """All options that are set, of one level or of all, those that count less first.

    Raises ConfigError for a file that cannot be parsed, UsageError for a level that needs a project.
    """
    found = []
    for each, file in _files(root, level).items():
        sections = resolve_paths(parse(read_text(file), file), os.path.dirname(file))
        found += [Option(name, _shown(value), each, file) for name, value in _flat(sections)]
    if root is not None and level in (None, "project"):
        file = _settings_file(root)
        if os.path.exists(file):
            settings = load_settings(root)
            set_here = {"hash": settings.hash.value, "exps_dir": settings.exps_dir}
            found += [
                Option(f"{_SETTINGS}.{key}", value, "project", file)
                for key, value in set_here.items()
                if value is not None
            ]
    return found


def get_option(root: str | None, name: str, level: str | None = None) -> Option | None:
    """The option as the level, or the level that counts most, sets it; None if none does.

    Raises UsageError for a name that no option has, ConfigError as ``list_options``.
    """
    wanted = str(_parse_name(name))
    for option in reversed(list_options(root, level)):
        if option.name == wanted:
            return option
    return None


def set_option(
    root: str | None, name: str, value: str, level: str | None = None, *, cwd: str
) -> str:
    """Set an option, in the project's file unless ``level`` says another. Returns the file.

    A path that is relative to ``cwd`` is written relative to the file's folder, as DVC does.
    Comments stay. Raises UsageError for an unknown option, ConfigError if the result would not
    be valid; then nothing is written.
    """
    parsed = _parse_name(name)
    if parsed.section == _SETTINGS:
        return _set_setting(root, parsed, value, level)
    file = level_file(root, level)
    if parsed.option in schema.PATHS.get(parsed.section, ()):
        value = relative_path(value, os.path.dirname(file), cwd)
    document = open_document(file)
    key = _section_key(document, parsed)
    document.setdefault(key, {})[_option_key(document.get(key, {}), parsed.option)] = value
    save_documents(root, {file: document})
    return file


def unset_option(root: str | None, name: str, level: str | None = None) -> str:
    """Take an option out of the project's file, or that of ``level``. Returns the file.

    Raises ConfigError if it is not set there, or if what remains would not be valid.
    """
    parsed = _parse_name(name)
    if parsed.section == _SETTINGS:
        return _set_setting(root, parsed, None, level)
    file = level_file(root, level)
    document = open_document(file)
    section = document.get(_section_key(document, parsed), {})
    key = _option_key(section, parsed.option)
    if key not in section:
        raise _not_set(parsed, file)
    del section[key]
    if not section:
        del document[_section_key(document, parsed)]
    save_documents(root, {file: document})
    return file


# --- names ----------------------------------------------------------------------------------------


def _parse_name(name: str) -> _Name:
    parts = name.lower().split(".")
    if len(parts) == 3 and parts[0] in ("remote", "db") and all(parts):
        parsed = _Name(*parts)
    elif len(parts) == 2 and all(parts) and parts[0] not in schema.NAMED:
        parsed = _Name(parts[0], None, parts[1])
    else:
        raise UsageError(
            f"{name!r} is no name of an option",
            hint="names look like core.remote, remote.NAME.url or redoit.hash",
        )
    known = SETTINGS if parsed.section == _SETTINGS else schema.options_of(parsed.section)
    if parsed.section == "feature":
        return parsed
    if not known:
        sections = [*schema.SECTIONS, "remote", "db", _SETTINGS]
        raise UsageError(
            f"there is no section {parsed.section!r} of options",
            hint=suggestion(parsed.section, sections),
        )
    if parsed.option not in known:
        raise UsageError(
            f"there is no option {parsed.option!r} in the section {parsed.section!r}",
            hint=suggestion(parsed.option, list(known)),
        )
    return parsed


def _flat(sections: Sections, above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in sections.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _shown(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


# --- files ----------------------------------------------------------------------------------------


def _files(root: str | None, level: str | None) -> dict[str, str]:
    files = levels(root)
    if level is None:
        return files
    if level not in LEVELS:
        raise UsageError(f"there is no level {level!r}", hint=f"levels are {', '.join(LEVELS)}")
    if level not in files:
        raise NotAProject(
            f"the level {level!r} needs a project, and there is none here",
            hint="run `exp init` to make one, or use --global",
        )
    return {level: files[level]}


def level_file(root: str | None, level: str | None) -> str:
    """The file of the level, by default the project's. Raises UsageError, NotAProject."""
    return next(iter(_files(root, level or "project").values()))


def open_document(file: str) -> Any:
    """The file as configobj has it, comments and order included."""
    from configobj import ConfigObj

    text = read_text(file)
    parse(text, file)  # says what is wrong, with the line
    document = ConfigObj(text.splitlines(), interpolation=False)
    if not document.sections:
        document.indent_type = "    "
    return document


def _section_key(document: Any, name: _Name) -> str:
    """How the file itself spells the section's name, or how it is spelt when it is new."""
    wanted = name.section if name.inner is None else f'{name.section} "{name.inner}"'
    for key in document.sections:
        if " ".join(key.lower().split()) == wanted:
            return str(key)
    return wanted


def _option_key(section: Any, option: str) -> str:
    return next((str(key) for key in section if key.lower() == option), option)


def save_documents(root: str | None, documents: Mapping[str, Any]) -> None:
    """Write the files, once it is known that all levels together are still valid. Raises ConfigError."""
    texts = {file: _text_of(document) for file, document in documents.items()}
    files = levels(root).values()
    try:
        merged_config((p, texts[p] if p in texts else read_text(p)) for p in files)
    except ConfigError as error:
        if error.place is None or error.place.file not in texts:
            raise
        # It would stand in a line that is not there yet.
        raise ConfigError(error.what, facts={"file": error.place.file}, hint=error.hint) from None
    for file, text in texts.items():
        _write(file, text)


def _text_of(document: Any) -> str:
    target = io.BytesIO()
    document.write(target)
    return target.getvalue().decode("utf-8")


def _write(file: str, text: str) -> None:
    try:
        write_atomic(file, text.encode("utf-8"))
    except OSError as error:
        raise ConfigError(
            "the configuration cannot be written",
            facts={"file": file, "because": error.strerror or str(error)},
            hint="check who may write there",
        ) from error


def relative_path(path: str, folder: str, cwd: str) -> str:
    if re.match(r"\w+://", path) or os.path.isabs(path) or os.path.expanduser(path) != path:
        return path
    return os.path.relpath(os.path.join(cwd, path), folder)


def _not_set(name: _Name, file: str) -> ConfigError:
    return ConfigError(
        f"the option {str(name)!r} is not set there",
        facts={"file": file},
        hint="`exp config --list --show-origin` shows what is set where",
    )


# --- redoit.toml ----------------------------------------------------------------------------------


def _settings_file(root: str) -> str:
    return os.path.join(root, ".dvc", "redoit.toml")


def _set_setting(root: str | None, name: _Name, value: str | None, level: str | None) -> str:
    """Change or remove (``value`` None) one line of ``redoit.toml``; the others stay as they are."""
    if root is None:
        raise NotAProject("there is no project here", hint="run `exp init` to make one")
    if level not in (None, "project"):
        raise UsageError(
            f"{name} is a setting of the project", hint="leave the level out, or give --project"
        )
    file = _settings_file(root)
    text = read_text(file)
    pattern = rf"(?m)^[ \t]*{re.escape(name.option)}[ \t]*=.*(?:\n|\Z)"
    if value is None:
        if not re.search(pattern, text):
            raise _not_set(name, file)
        changed = re.sub(pattern, "", text, count=1)
    else:
        line = f"{name.option} = {json.dumps(value, ensure_ascii=False)}\n"
        if re.search(pattern, text):
            changed = re.sub(pattern, lambda _: line, text, count=1)
        else:
            changed = f"{line}{text}" if text.startswith("[") else f"{text.rstrip()}\n{line}"
            changed = changed.lstrip("\n")
    settings_from(changed.encode(), file)
    write_atomic(file, changed.encode())
    return file

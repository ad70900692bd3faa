"""``-S/--set-param``: Hydra's override grammar, read by Hydra itself, applied to plain values."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from redoit.errors import ParamsProblem, UsageError
from redoit.experiments.hydra import grammar, hydra
from redoit.model import Place
from redoit.spec.source import near
from redoit.spec.variables import DEFAULT_FILE

_FORMS = "write key=value, +key=value (new), ++key=value (new or not) or ~key (remove)"


class FileOverrides(NamedTuple):
    """What one params file is to be changed by."""

    file: str
    """As it is written: relative to the directory in which the command was given."""
    texts: tuple[str, ...]
    parsed: tuple[Any, ...]
    """Hydra's ``Override`` of each text."""


def read_overrides(texts: Sequence[str]) -> list[FileOverrides]:
    """Split ``[FILE:]OVERRIDE`` texts by file, in the order of the first mention, and parse them.

    Raises UsageError, with a caret under the place, for text that is no override, and for a sweep.
    """
    read = _read(texts)
    for part in read:
        for text, override in zip(part.texts, part.parsed, strict=True):
            if override.is_sweep_override():
                raise UsageError(
                    "this override stands for several values, which needs the queue",
                    excerpt=_caret(text, text.find("=") + 1, len(text)),
                    hint="add --queue to queue an experiment for each of them, or give one value "
                    "(quote text that holds a comma: key='a,b')",
                )
    return read


def combinations(texts: Sequence[str]) -> list[list[FileOverrides]]:
    """As ``read_overrides``, once for each combination of the values that choices and ranges stand for.

    The last override changes fastest. Raises UsageError likewise, and for a sweep without separate values.
    """
    read = _read(texts)
    columns = [
        (part.file, list(_values(text, override)))
        for part in read
        for text, override in zip(part.texts, part.parsed, strict=True)
    ]
    found = []
    for row in itertools.product(*(values for _, values in columns)):
        by_file: dict[str, list[tuple[str, Any]]] = {}
        for (file, _), chosen in zip(columns, row, strict=True):
            by_file.setdefault(file, []).append(chosen)
        found.append(
            [
                FileOverrides(file, *map(tuple, zip(*chosen, strict=True)))
                for file, chosen in by_file.items()
            ]
        )
    return found


def _values(text: str, override: Any) -> Iterator[tuple[str, Any]]:
    """The single overrides, text and parsed, that one override stands for."""
    if not override.is_sweep_override():
        yield text, override
        return
    if not override.is_discrete_sweep() or override.value_type.name == "GLOB_CHOICE_SWEEP":
        raise UsageError(
            "this override stands for no definite values",
            excerpt=_caret(text, text.find("=") + 1, len(text)),
            hint="write the values, as in key=1,2,3, or key=range(1,4)",
        )
    key = override.get_key_element()
    singles = [f"{key}={value}" for value in override.sweep_string_iterator()]
    if not singles:
        raise UsageError(
            "this override stands for no value at all",
            excerpt=_caret(text, text.find("=") + 1, len(text)),
            hint="a range ends in front of its second number: range(1,4) is 1, 2 and 3",
        )
    yield from zip(singles, _parse(singles), strict=True)


def _read(texts: Sequence[str]) -> list[FileOverrides]:
    by_file: dict[str, list[str]] = {}
    for text in texts:
        file, override = _split(text)
        by_file.setdefault(file, []).append(override)
    return [
        FileOverrides(file, tuple(overrides), tuple(_parse(overrides)))
        for file, overrides in by_file.items()
    ]


def _split(text: str) -> tuple[str, str]:
    """(file, override). A colon in front of the first ``=`` ends the name of a file."""
    name = text.partition("=")[0]
    if ":" not in name:
        return DEFAULT_FILE, text
    file, _, override = text.partition(":")
    if not file:
        raise UsageError(
            "there is no file name in front of the colon",
            excerpt=_caret(text, 0),
            hint=f"leave the colon out for {DEFAULT_FILE}, or write FILE:{override}",
        )
    return file, override


def _parse(texts: Sequence[str]) -> Iterator[Any]:
    parser = grammar().parser.create()
    for text in texts:
        try:
            override = parser.parse_rule(text, "override")
        except grammar().error as error:
            raise _unreadable(text, str(error)) from None
        if not override.key_or_group:
            raise UsageError("this override names no param", excerpt=_caret(text, 0), hint=_FORMS)
        yield override


def _unreadable(text: str, said: str) -> UsageError:
    hint = _FORMS
    column = _first_mistake(text)
    if "=" not in text and not text.startswith("~"):
        column, reason = len(text), 'there is no "="'
    elif _is_open(text):
        reason = "a bracket or a quote is not closed"
    elif column is not None and column < len(text):
        reason = f"{text[column]!r} does not belong here"
        if "=" in text[:column]:
            hint = "quote such text once more within the shell's quotes: -S 'key=\"a: b\"'"
    else:
        reason = re.sub(r"^\w+ while evaluating '.*?': ", "", said.partition("\n")[0])
    return UsageError(
        f"{text!r} is not an override: {reason}",
        excerpt=None if column is None else _caret(text, column),
        hint=hint,
    )


def _is_open(text: str) -> bool:
    """Whether a bracket or a quote is never closed."""
    bare = re.sub(r"""\\.|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""", "", text)
    return (
        "'" in bare
        or '"' in bare
        or any(bare.count(a) > bare.count(b) for a, b in ("[]", "{}", "()"))
    )


def _first_mistake(text: str) -> int | None:
    """Column (from 0) at which Hydra's grammar gives up; None if it accepts the text."""
    from antlr4 import CommonTokenStream, InputStream
    from antlr4.error.ErrorListener import ErrorListener
    from hydra.grammar.gen.OverrideLexer import OverrideLexer
    from hydra.grammar.gen.OverrideParser import OverrideParser

    columns: list[int] = []

    class Listener(ErrorListener):  # type: ignore[misc]
        def syntaxError(
            self, recognizer: Any, symbol: Any, line: int, column: int, *_: Any
        ) -> None:
            columns.append(column)

    lexer = OverrideLexer(InputStream(text))
    parser = OverrideParser(CommonTokenStream(lexer))
    for recognizer in (lexer, parser):
        recognizer.removeErrorListeners()
        recognizer.addErrorListener(Listener())
    rule: Any = parser.override
    rule()
    return min(columns, default=None)


def _caret(text: str, column: int, end: int = 0) -> str:
    return f"{text}\n{' ' * column}{'^' * max(1, end - column)}"


def apply_overrides(values: Mapping[str, Any], overrides: FileOverrides) -> dict[str, Any]:
    """``values`` after the overrides, as Hydra changes a configuration: types kept, ``${...}`` resolved.

    Raises ParamsProblem, with a caret under the override, for one that does not fit the values.
    """
    if not _all_plain(values):
        return _apply_with_hydra(values, overrides)
    changed = dict(values)
    for override in overrides.parsed:
        replaced = _replaced(changed, override)
        if replaced is None:
            return _apply_with_hydra(values, overrides)
        changed = replaced
    return changed


def _all_plain(value: Any) -> bool:
    """Whether Hydra would leave all of this as it is: no ``${...}`` and no ``???``, text for keys, values of JSON."""
    if isinstance(value, Mapping):
        return all(type(key) is str and _all_plain(each) for key, each in value.items())
    if isinstance(value, list):
        return all(map(_all_plain, value))
    if isinstance(value, str):
        return "$" not in value and "???" not in value
    return value is None or type(value) in (bool, int, float)


def _replaced(values: Mapping[str, Any], override: Any) -> dict[str, Any] | None:
    """``values`` with one plain value in the place of another; None: this override does something else.

    That is what nearly all overrides do, and loading OmegaConf for it would take half of the time of queueing.
    """
    value = override.value()
    if override.type.name != "CHANGE" or override.package is not None or not _is_scalar(value):
        return None
    *path, last = override.key_or_group.split(".")
    changed = dict(values)
    inner = changed
    for key in path:
        if not isinstance(inner.get(key), Mapping):
            return None
        copy = dict(inner[key])
        inner[key] = copy
        inner = copy
    if last not in inner or not _is_scalar(inner[last]):
        return None
    inner[last] = value
    return changed


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, (Mapping, list)) and _all_plain(value)


def _apply_with_hydra(values: Mapping[str, Any], overrides: FileOverrides) -> dict[str, Any]:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        config = OmegaConf.create(dict(values), flags={"allow_objects": True})
    except OmegaConfBaseException as error:
        raise _unusable(overrides.file, error) from None
    OmegaConf.set_struct(config, True)
    parser = hydra().parser.create()
    for text in overrides.texts:
        override = parser.parse_rule(text, "override")
        try:
            hydra().loader._apply_overrides_to_config([override], config)
        except hydra().error as error:
            raise _misfit(text, override, overrides.file, values, error) from None
        except (OmegaConfBaseException, AssertionError, TypeError, ValueError) as error:
            raise _unfitting(text, override, overrides.file, str(error)) from None
    try:
        result = OmegaConf.to_object(config)
    except OmegaConfBaseException as error:
        raise _unusable(overrides.file, error) from None
    values_then: dict[str, Any] = dict(result)  # type: ignore[arg-type] # it was made of a dict
    return values_then


def _unusable(file: str, error: Exception) -> ParamsProblem:
    return ParamsProblem(
        f"Hydra cannot use the values of {file}",
        place=Place(file),
        facts={"it says": str(error).splitlines()[0] if str(error) else type(error).__name__},
        hint="edit the file by hand, then run without -S",
    )


def _misfit(
    text: str, override: Any, file: str, values: Mapping[str, Any], error: Exception
) -> ParamsProblem:
    key = str(override.key_or_group)
    start = text.find(key)
    shown = _caret(text, max(start, 0), start + len(key)) if start >= 0 else text
    if override.package is not None:
        return _unfitting(text, override, file, "key@package is for Hydra's groups, not for params")
    if "Could not delete" in str(error):
        if "The value of" in str(error):
            return ParamsProblem(
                f'"{key}" has another value in {file}, so it was not removed',
                place=Place(file),
                excerpt=shown,
                hint=f"~{key} removes it whatever its value is",
            )
        if any(key == known for known in _keys(values)):
            return ParamsProblem(
                f'"{key}" is null in {file}, and Hydra removes no null',
                place=Place(file),
                excerpt=shown,
                hint=f"give it a value first: -S {key}=0 -S ~{key}",
            )
        return _missing(key, file, values, shown, None)
    if "Could not append" in str(error):
        return ParamsProblem(
            f'"{key}" is in {file} already, so + cannot add it',
            place=Place(file),
            excerpt=shown,
            hint=f"to change it write {text.removeprefix('+')}, to set it in any case +{text}",
        )
    if "Could not override" in str(error):
        lacking = getattr(error.__cause__, "full_key", None) or key
        otherwise = f"to add it write +{text}" if lacking == key else f"to add keys write ++{text}"
        return _missing(lacking, file, values, shown, otherwise)
    cause = error.__cause__
    return _unfitting(text, override, file, str(cause if cause is not None else error))


def _missing(
    key: str, file: str, values: Mapping[str, Any], shown: str, otherwise: str | None
) -> ParamsProblem:
    guess = near(key, _keys(values))
    return ParamsProblem(
        f'there is no param "{key}" in {file}',
        place=Place(file),
        excerpt=shown,
        hint=" ".join(part for part in (guess, otherwise) if part) or None,
    )


def _unfitting(text: str, override: Any, file: str, said: str) -> ParamsProblem:
    key = str(override.key_or_group)
    return ParamsProblem(
        f'"{key}" of {file} cannot be changed so',
        place=Place(file),
        facts={"reason": said.splitlines()[0].strip() if said else "it does not fit"},
        excerpt=_caret(text, max(text.find(key), 0), text.find(key) + len(key)),
        hint="the items of a list are counted from 0, and + cannot add to it: give the whole list"
        if re.search(r"\.\d+(\.|$)", key)
        else None,
    )


def _keys(values: Mapping[Any, Any], prefix: str = "") -> Iterator[str]:
    for key, value in values.items():
        yield f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _keys(value, f"{prefix}{key}.")

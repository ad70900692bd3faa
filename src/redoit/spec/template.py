"""``${...}`` in text: what it may look like, and what stands in its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from redoit.errors import TemplateProblem
from redoit.spec.source import Fault, Path, describe, near

EXPRESSION = r"(?<!\\)\$\{(.*?)\}"
_KEY = r"[^.\[\]]+(?:\s*\.[^.\[\]]+|\s*\[[^.\[\]]+\s*\])*\s*"


class Style(NamedTuple):
    """How a mapping in a command becomes options: DVC's ``parsing.bool`` and ``parsing.list``."""

    bool: str = "store_true"
    list: str = "nargs"


class Unknown(LookupError):
    """A key that leads nowhere; ``args[0]`` says why, ``args[1]`` is a hint or None."""


def has_expression(value: object) -> bool:
    """Whether ``value`` is text with an unescaped ``${...}`` in it."""
    return isinstance(value, str) and "${" in value and re.search(EXPRESSION, value) is not None


def is_expression(value: object) -> bool:
    """Whether ``value`` is text that consists of one ``${...}`` and nothing else."""
    if not has_expression(value):
        return False
    found = list(re.finditer(EXPRESSION, str(value)))
    return len(found) == 1 and found[0].group() == value


def select(data: Any, key: str) -> Any:
    """The value at ``key`` (``a.b[0].c``). Raises Unknown."""
    here = data
    walked: list[str] = []
    for part in key.replace("[", ".").replace("]", "").split("."):
        name = part.strip()
        if isinstance(here, dict):
            if name not in here:
                raise Unknown(f'"{name}" is not set', _near_key(data, here, walked, name, key))
            here = here[name]
        elif isinstance(here, list | tuple):
            try:
                here = here[int(name)]
            except ValueError:
                raise Unknown(
                    f'"{".".join(walked)}" is a list: "{name}" must be an index',
                    f"write for example ${{{'.'.join(walked)}[0]}}",
                ) from None
            except IndexError:
                raise Unknown(
                    f'"{".".join(walked)}" has {len(here)} items, so no index {name}',
                    "the first item has the index 0",
                ) from None
        else:
            owner = ".".join(walked)
            raise Unknown(
                f'"{owner}" is {describe(here)}, so it has no "{name}"', f"write ${{{owner}}}"
            )
        walked.append(name)
    return here


def _near_key(
    data: Any, here: dict[str, Any], walked: list[str], name: str, key: str
) -> str | None:
    if key.isupper() and not walked:
        return f"a variable of the shell is ${key} or \\${{{key}}}"
    if key == "key":
        return "there is a key in a matrix, and in a foreach over a mapping"
    beside = near(name, [k for k in here if isinstance(k, str)])
    if beside and walked:
        return beside.replace('"', '"' + ".".join(walked) + ".", 1)
    return (
        beside
        or near(key, _dotted(data))
        or (
            "set it in params.yaml, or under vars:"
            if here
            else "nothing is set: is there a params.yaml, or vars:?"
        )
    )


def _dotted(data: Any, prefix: str = "", limit: int = 2000) -> list[str]:
    """Dotted keys of ``data``, for "did you mean"."""
    result: list[str] = []
    stack: list[tuple[str, Any]] = [(prefix, data)]
    while stack and len(result) < limit:
        lead, node = stack.pop()
        for key, value in node.items():
            if isinstance(key, str):
                result.append(lead + key)
                if isinstance(value, dict):
                    stack.append((f"{lead}{key}.", value))
    return result


def to_text(value: Any, style: Style | None = None) -> str:
    """``value`` as it stands inside other text. Raises Unknown for a list in a list of a mapping."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return " ".join(_options(value, style or Style()))
    return str(value)


def _options(value: dict[str, Any], style: Style) -> Iterator[str]:
    """A mapping as the options of a command: ``--lr 0.1 --verbose``."""
    import shlex

    for name, item in _flat(value):
        if isinstance(item, bool):
            if item:
                yield f"--{name}"
            elif style.bool == "boolean_optional":
                yield f"--no-{name}"
        elif isinstance(item, list | tuple):
            for index, part in enumerate(item):
                if isinstance(part, list | tuple | dict):
                    raise Unknown(
                        f'"{name}" holds a list or mapping inside a list',
                        "flatten it, or pass a file to the command",
                    )
                shown = shlex.quote(part) if isinstance(part, str) else str(part)
                yield f"--{name} {shown}" if index == 0 or style.list == "append" else shown
        else:
            yield f"--{name} {shlex.quote(item) if isinstance(item, str) else item}"


def _flat(value: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, dict):
            yield from _flat(item, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", item


class Resolver(NamedTuple):
    """Puts values in place of ``${...}``: from ``data``, the merged vars."""

    data: dict[str, Any]
    style: Style

    def resolve(self, value: Any, path: Path, field: str | None = None) -> Any:
        """``value`` with all its text resolved, keys included. Raises Fault at ``path`` or inside.

        ``field`` is the stage's field that ``value`` stands in: there only plain values may be put in
        place, and in ``cmd`` mappings. None: anything (``foreach``, ``matrix``, top-level lists).
        """
        if isinstance(value, str):
            return self.text(value, path, field) if "${" in value else value
        if isinstance(value, dict):
            return {
                self._key(key, (*path, key), field): self.resolve(item, (*path, key), field)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.resolve(item, (*path, index), field) for index, item in enumerate(value)]
        return value

    def _key(self, key: Any, path: Path, field: str | None) -> Any:
        if not isinstance(key, str) or "${" not in key:
            return key
        resolved = self.text(key, path, field, on_key=True)
        if isinstance(resolved, list | dict):
            raise Fault(
                f'"{key}" stands for {describe(resolved)}, which cannot be a key',
                path,
                on_key=True,
                kind=TemplateProblem,
            )
        return resolved

    def text(self, text: str, path: Path, field: str | None = None, *, on_key: bool = False) -> Any:
        """One text resolved; if it is one ``${...}`` and no more, the value itself. Raises Fault."""
        parts: list[str] = []
        end = 0
        for match in re.finditer(EXPRESSION, text):
            try:
                value = self._value(match[1], match[0], field)
                if match[0] == text:
                    return value
                parts += text[end : match.start()], to_text(value, self.style)
            except Unknown as unknown:
                what, hint = unknown.args
                raise Fault(
                    f"{match[0]}: {what}",
                    path,
                    on_key=on_key,
                    needle=match[0],
                    hint=hint,
                    kind=TemplateProblem,
                ) from None
            end = match.end()
        parts.append(text[end:])
        return "".join(parts).replace("\\${", "${")

    def _value(self, inner: str, whole: str, field: str | None) -> Any:
        if not inner.strip() or not re.fullmatch(_KEY, inner):
            raise Unknown(
                "this is not a key",
                "write ${key}, ${section.key} or ${list[0]}; a literal ${ is \\${",
            )
        value = select(self.data, inner)
        if (
            field is not None
            and isinstance(value, list | tuple | set | dict)
            and not (isinstance(value, dict) and field == "cmd")
        ):
            raise Unknown(
                f"this is {describe(value)}, which cannot stand in {field}",
                f"name one of its values, such as {_example(whole, value)}",
            )
        return value


def _example(whole: str, value: Any) -> str:
    inner = whole[2:-1].strip()
    if isinstance(value, dict):
        first = next(iter(value), "key")
        return f"${{{inner}.{first}}}"
    return f"${{{inner}[0]}}"

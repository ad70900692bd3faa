"""Rules for values: each raises Fault for a value that is not what it must be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from redoit.spec.source import Fault, Path, describe, near

Check = Callable[[Any, Path], None]
"""Raises Fault if the value at the path is not what it must be."""


def text(value: Any, path: Path) -> None:
    if not isinstance(value, str):
        expect("text", value, path, hint=quote(value))


def flag(value: Any, path: Path) -> None:
    if not isinstance(value, bool):
        meant = str(value).lower() if isinstance(value, str) else ""
        hint = {
            "yes": "write true",
            "on": "write true",
            "no": "write false",
            "off": "write false",
        }.get(
            meant,
            "write true or false, without quotes"
            if meant in ("true", "false")
            else "write true or false",
        )
        expect("true or false", value, path, hint=hint)


def whole(value: Any, path: Path) -> None:
    if not isinstance(value, int):
        expect("a whole number", value, path)


def anything(value: Any, path: Path) -> None:
    """No rule."""


def text_or_list(value: Any, path: Path) -> None:
    if not isinstance(value, str | list):
        expect("text or a list", value, path, hint=quote(value))


def list_of(check: Check, what: str) -> Check:
    def checked(value: Any, path: Path) -> None:
        if not isinstance(value, list):
            hint = f"write it as a list: [{value}]" if isinstance(value, str) else None
            expect(f"a list of {what}", value, path, hint=hint)
        for index, item in enumerate(value):
            check(item, (*path, index))

    return checked


def text_or_mapping(value: Any, path: Path) -> None:
    if not isinstance(value, str | dict):
        expect("text or a mapping", value, path, hint=quote(value))


def mapping_of(check: Check, what: str) -> Check:
    """Names (text) to values that pass ``check``; ``what`` is the whole, in words."""

    def checked(value: Any, path: Path) -> None:
        if not isinstance(value, dict):
            expect(what, value, path)
        for key, item in value.items():
            if not isinstance(key, str):
                raise Fault(
                    f"the name of an entry must be text, not {describe(key)}",
                    (*path, key),
                    on_key=True,
                    hint=f'put it in quotes: "{key}"',
                )
            check(item, (*path, key))

    return checked


def fields(
    known: Mapping[str, Check],
    what: str,
    required: tuple[str, ...] = (),
    hints: Mapping[str, str] | None = None,
) -> Check:
    """A mapping whose keys are all ``known``; ``what`` names it in messages."""

    def checked(value: Any, path: Path) -> None:
        if not isinstance(value, dict):
            expect(f"a mapping ({what})", value, path)
        for key, item in value.items():
            check = known.get(key) if isinstance(key, str) else None
            if check is None:
                advice = (hints or {}).get(key) if isinstance(key, str) else None
                raise Fault(
                    f'unknown field "{key}" in {what}',
                    (*path, key),
                    on_key=True,
                    hint=advice or near(key, known) or f"known fields: {', '.join(known)}",
                )
            check(item, (*path, key))
        for name in required:
            if name not in value:
                raise Fault(
                    f'{what} has no "{name}"',
                    path,
                    on_key=True,
                    hint=(hints or {}).get(f"no {name}") or f"add a field {name}:",
                )

    return checked


def expect(wanted: str, value: Any, path: Path, *, hint: str | None = None) -> None:
    """Raise Fault: the value at ``path`` must be ``wanted``."""
    name = next((part for part in reversed(path) if isinstance(part, str)), None)
    subject = (
        f'"{name}"' if path and path[-1] == name else f'an item of "{name}"' if name else "the file"
    )
    raise Fault(
        f"{subject} must be {wanted}, not {describe(value)}",
        path,
        on_key=value is None and bool(path) and isinstance(path[-1], str),
        hint=hint or _advice(wanted, value, path),
    )


def _advice(wanted: str, value: Any, path: Path) -> str:
    if not path and not isinstance(value, list):
        return "write a field with a colon in each line"
    if value is None:
        return "give it a value, or remove it"
    if wanted.startswith("a list"):
        return (
            'begin each item with "- "' if isinstance(value, dict) else "write it as a list: [...]"
        )
    if wanted.startswith("text") and isinstance(value, list):
        return "write one text, without brackets and dashes"
    if wanted.startswith("text") and isinstance(value, dict):
        return "write a text; one that holds a colon needs quotes"
    if "mapping" in wanted and isinstance(value, list):
        return "write names with a colon, without dashes"
    return f"write {wanted}"


def quote(value: Any) -> str | None:
    """The hint for a number where text is wanted."""
    return "put it in quotes" if isinstance(value, int | float) else None

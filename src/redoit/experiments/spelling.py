"""How a value is spelled in YAML on one line."""

from __future__ import annotations

import json
import re
from typing import Any

from redoit.spec.scalars import plain


def inline(value: Any, quote: str = "") -> str:
    """``value`` as YAML on one line, text in ``quote`` if it was so before."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{inline(k)}: {inline(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(inline(item) for item in value) + "]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    if not isinstance(value, str):
        return str(value)
    if quote == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if quote or not _is_plain(value):
        return json.dumps(value, ensure_ascii=False)
    return value


def _float(value: float) -> str:
    if value != value:
        return ".nan"
    if value in (float("inf"), float("-inf")):
        return ".inf" if value > 0 else "-.inf"
    text = repr(value)
    # YAML 1.1 readers take a number with an exponent for text unless it has a dot.
    return text if "." in text or "e" not in text else text.replace("e", ".0e")


def _is_plain(text: str) -> bool:
    """Whether ``text`` is itself in YAML without quotes, also inside of brackets and for YAML 1.1."""
    return (
        re.fullmatch(r"[A-Za-z_./][\w ./+@%-]*", text, re.ASCII) is not None
        and text == text.strip()
        and plain(text) == text
        and text.lower() not in {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
    )

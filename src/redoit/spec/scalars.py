"""What a scalar of YAML 1.2 stands for, as DVC's parser decides it."""

from __future__ import annotations

import re
from collections.abc import Callable

_FLOAT = (
    r"[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?(?:[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)"
    r"|[-+]?\.[0-9_]+(?:[eE][-+][0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_INT = r"[-+]?0b[0-1_]+|[-+]?0o?[0-7_]+|[-+]?[0-9_]+|[-+]?0x[0-9a-fA-F_]+"
_DATE = (
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:(?:[Tt]|[ \t]+)([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]*))?"
    r"(?:[ \t]*(?:(Z)|([-+])([0-9]{1,2})(?::([0-9]{2}))?))?)?"
)
_WORDS: dict[str, object] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_NUMERIC = frozenset("+-.0123456789")


def plain(text: str) -> object:
    """What an unquoted scalar stands for in YAML 1.2: null, boolean, number, date or text."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC:
        return text
    try:
        if re.fullmatch(_FLOAT, text):
            return _float(text)
        if re.fullmatch(_INT, text):
            return _int(text)
        if text[0] in "0123456789":
            match = re.fullmatch(_DATE, text)
            if match:
                return _date(match)
    except ValueError:
        pass
    return text


def _float(text: str) -> float:
    return float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))


def _int(text: str) -> int:
    digits = text.replace("_", "")
    sign = -1 if digits[0] == "-" else 1
    digits = digits.lstrip("+-")
    base = {"0b": 2, "0o": 8, "0x": 16}.get(digits[:2], 10)
    return sign * int(digits if base == 10 else digits[2:], base)


def _date(match: re.Match[str]) -> object:
    import datetime

    year, month, day, hour, minute, second, fraction, utc, sign, zone_hour, zone_minute = (
        match.groups()
    )
    if hour is None:
        # Without a time the month and the day must have two digits.
        if len(month) < 2 or len(day) < 2:
            return match.string
        return datetime.date(int(year), int(month), int(day))
    zone = None
    if utc or sign:
        delta = datetime.timedelta(hours=int(zone_hour or 0), minutes=int(zone_minute or 0))
        zone = datetime.timezone(-delta if sign == "-" else delta)
    moment = datetime.datetime(
        int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=zone
    )
    # The seventh digit rounds the sixth.
    digits = (fraction or "").ljust(7, "0")
    return moment + datetime.timedelta(microseconds=int(digits[:6]) + (digits[6] > "4"))


def _timestamp(text: str) -> object:
    match = re.fullmatch(_DATE, text)
    if match is None:
        raise ValueError(text)
    return _date(match)


def _binary(text: str) -> bytes:
    import base64

    return base64.decodebytes(text.encode("ascii"))


_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "y"), True),
    **dict.fromkeys(("false", "no", "off", "n"), False),
}
TAGGED: dict[str, Callable[[str], object]] = {
    "str": str,
    "int": _int,
    "float": _float,
    "bool": lambda text: _BOOLEANS[text.lower()],
    "null": lambda _text: None,
    "timestamp": _timestamp,
    "binary": _binary,
}

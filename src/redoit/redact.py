"""Leaving out of a text what must not be seen: passwords and tokens in URLs and options."""

from __future__ import annotations

import re

_USER = re.compile(r"(?P<scheme>\w[\w+.-]*://)(?P<user>[^/@\s:]*):[^/@\s]*@")
_QUERY = re.compile(
    r"([?&;](?:[\w.-]*(?:sig|token|key|password|secret|credential|auth)[\w.-]*)=)[^&;\s'\"]+", re.I
)
HIDDEN = "***"


def redacted(text: str) -> str:
    """``text`` without the passwords, signatures and tokens of the URLs in it."""
    return _QUERY.sub(rf"\1{HIDDEN}", _USER.sub(rf"\g<scheme>\g<user>:{HIDDEN}@", text))

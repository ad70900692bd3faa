"""Leaving out of a text what must not be seen: passwords and tokens in URLs and options."""

from __future__ import annotations

import re

# As text: `re` compiles them at their first use, and most commands need none.
_USER = r"(?P<scheme>\w[\w+.-]*://)(?P<user>[^/@\s:]*):[^/@\s]*@"
_QUERY = (
    r"(?i)([?&;](?:[\w.-]*(?:sig|token|key|password|secret|credential|auth)[\w.-]*)=)[^&;\s'\"]+"
)
HIDDEN = "***"
SECRETS = (
    *("password", "passphrase", "token", "access_key_id", "secret_access_key", "session_token"),
    *("sse_customer_key", "connection_string", "sas_token", "account_key", "client_secret"),
    *("oss_key_id", "oss_key_secret", "gdrive_client_secret"),
)
"""Options of remotes, databases and services that are not to be seen."""


def redacted(text: str) -> str:
    """``text`` without the passwords, signatures and tokens of the URLs in it."""
    return re.sub(_QUERY, rf"\1{HIDDEN}", re.sub(_USER, rf"\g<scheme>\g<user>:{HIDDEN}@", text))

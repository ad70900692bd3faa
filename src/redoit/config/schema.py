"""Which options DVC's configuration files may hold, and what their values look like."""

from __future__ import annotations

from collections.abc import Mapping

# How a kind of value reads: "str" anything, "lower" case does not matter, "bool" true or false,
# "int" a whole number from 1, "float" a number from 0, "links" names of link types with commas,
# "bool-or-str"; any other text is the list of allowed words with bars between them.
Kind = str

LINK_TYPES = ("reflink", "hardlink", "symlink", "copy")

_LOCAL: dict[str, Kind] = {
    "type": "links",
    "protected": "bool",
    "shared": "group",
    "slow_link_warning": "bool",
    "verify": "bool",
}

SECTIONS: Mapping[str, Mapping[str, Kind]] = {
    "core": {
        "remote": "lower",
        "checksum_jobs": "int",
        "interactive": "bool",
        "analytics": "bool",
        "hardlink_lock": "bool",
        "no_scm": "bool",
        "autostage": "bool",
        "experiments": "bool",
        "check_update": "bool",
        "site_cache_dir": "str",
        "machine": "lower",
    },
    "cache": {
        **dict.fromkeys(("local", "s3", "gs", "hdfs", "webhdfs", "ssh", "azure"), "str"),
        "dir": "str",
        **_LOCAL,
    },
    "state": {"dir": "str", "row_limit": "int", "row_cleanup_quota": "float"},
    "index": {"dir": "str"},
    "plots": {"html_template": "str", "auto_open": "bool", "out_dir": "str"},
    "exp": {
        **dict.fromkeys(("code", "data", "models", "metrics", "params", "plots", "live"), "str"),
        "auto_push": "bool",
        "git_remote": "str",
    },
    "parsing": {"bool": "store_true|boolean_optional", "list": "nargs|append"},
    "hydra": {
        "enabled": "bool",
        "config_dir": "str",
        "config_module": "str",
        "config_name": "str",
        "plugins_path": "str",
    },
    "studio": {"token": "str", "url": "str", "repo_url": "str", "offline": "bool"},
}
"""Section → option → kind. ``feature`` is free; the named sections are below."""

_REMOTE_COMMON: dict[str, Kind] = {
    "url": "str",
    "checksum_jobs": "int",
    "jobs": "int",
    "worktree": "bool",
    "no_traverse": "bool",
    "version_aware": "bool",
    "verify": "bool",
}
_HTTP: dict[str, Kind] = {
    "auth": "basic|digest|custom",
    "ask_password": "bool",
    "ssl_verify": "bool-or-str",
    "connect_timeout": "float",
    "read_timeout": "float",
    **dict.fromkeys(("custom_auth_header", "user", "password", "method"), "str"),
}
_WEBDAV: dict[str, Kind] = {
    "ask_password": "bool",
    "timeout": "int",
    "ssl_verify": "bool-or-str",
    **dict.fromkeys(
        ("user", "password", "token", "bearer_token_command", "cert_path", "key_path"), "str"
    ),
}

_REMOTES: dict[str, dict[str, Kind]] = {
    "": _LOCAL,
    "s3": {
        "listobjects": "bool",
        "use_ssl": "bool",
        "allow_anonymous_login": "bool",
        "ssl_verify": "bool-or-str",
        "cache_regions": "bool",
        "read_timeout": "int",
        "connect_timeout": "int",
        **dict.fromkeys(
            (
                *("region", "profile", "credentialpath", "configpath", "endpointurl"),
                *("access_key_id", "secret_access_key", "session_token", "acl"),
                *("sse", "sse_kms_key_id", "sse_customer_algorithm", "sse_customer_key"),
                *("grant_read", "grant_read_acp", "grant_write_acp", "grant_full_control"),
            ),
            "str",
        ),
    },
    "gs": {
        "allow_anonymous_login": "bool",
        **dict.fromkeys(("projectname", "credentialpath", "endpointurl"), "str"),
    },
    "ssh": {
        "type": "links",
        "port": "int",
        "ask_password": "bool",
        "ask_passphrase": "bool",
        "timeout": "int",
        "gss_auth": "bool",
        "allow_agent": "bool",
        "max_sessions": "int",
        **dict.fromkeys(("user", "password", "passphrase", "keyfile"), "str"),
    },
    "hdfs": {"user": "str", "kerb_ticket": "str", "replication": "int"},
    "webhdfs": {
        "kerberos": "bool",
        "ssl_verify": "bool-or-str",
        "use_https": "bool",
        **dict.fromkeys(
            ("kerberos_principal", "proxy_to", "token", "user", "password", "data_proxy_target"),
            "str",
        ),
    },
    "azure": {
        "allow_anonymous_login": "bool",
        "exclude_environment_credential": "bool",
        "exclude_visual_studio_code_credential": "bool",
        "exclude_shared_token_cache_credential": "bool",
        "exclude_managed_identity_credential": "bool",
        "timeout": "int",
        "read_timeout": "int",
        "connection_timeout": "int",
        **dict.fromkeys(
            (
                *("connection_string", "sas_token", "account_name", "account_key"),
                *("tenant_id", "client_id", "client_secret"),
            ),
            "str",
        ),
    },
    "oss": dict.fromkeys(("oss_key_id", "oss_key_secret", "oss_endpoint"), "str"),
    "gdrive": {
        "gdrive_use_service_account": "bool",
        "gdrive_trash_only": "bool",
        "gdrive_acknowledge_abuse": "bool",
        **dict.fromkeys(
            (
                *("profile", "gdrive_client_id", "gdrive_client_secret"),
                *("gdrive_user_credentials_file", "gdrive_service_account_user_email"),
                "gdrive_service_account_json_file_path",
            ),
            "str",
        ),
    },
    "http": _HTTP,
    "https": _HTTP,
    "webdav": _WEBDAV,
    "webdavs": _WEBDAV,
}

_MACHINE: dict[str, Kind] = dict.fromkeys(
    (
        *("cloud", "region", "image", "spot", "spot_price", "instance_hdd_size"),
        *("instance_type", "instance_gpu", "ssh_private", "startup_script", "setup_script"),
    ),
    "str",
)
_DB: dict[str, Kind] = dict.fromkeys(("url", "username", "password"), "str")

NAMED = ("remote", "machine", "db")
"""Sections that exist once per name: ``['remote "name"']``."""

PATHS: Mapping[str, tuple[str, ...]] = {
    "cache": ("dir",),
    "remote": (
        *("url", "gdrive_user_credentials_file", "gdrive_service_account_json_file_path"),
        *("credentialpath", "configpath", "keyfile", "cert_path", "key_path"),
    ),
    "machine": ("startup_script", "setup_script"),
}
"""Options that are paths: relative ones count from the folder of their file."""


def scheme_of(url: str) -> str:
    """``s3`` of ``s3://…``; ``""`` for a path."""
    scheme, colon, rest = url.partition("://")
    return scheme if colon and scheme.isidentifier() and rest and rest[0] != "/" else ""


def remote_options(url: str) -> Mapping[str, Kind] | None:
    """What a remote at ``url`` may set; None when nobody knows its scheme."""
    scheme = scheme_of(url)
    if scheme == "remote":  # a path on another remote takes whatever that one takes
        return {**{key: "str" for table in _REMOTES.values() for key in table}, **_REMOTE_COMMON}
    table = _REMOTES.get(scheme)
    return None if table is None else {**table, **_REMOTE_COMMON}


def options_of(section: str) -> Mapping[str, Kind]:
    """What any ``section`` of that name may set; for a remote, of whatever scheme."""
    if section == "remote":
        return {**{k: v for t in _REMOTES.values() for k, v in t.items()}, **_REMOTE_COMMON}
    return {"machine": _MACHINE, "db": _DB}.get(section) or SECTIONS.get(section, {})


def schemes() -> tuple[str, ...]:
    """Every scheme a remote may have, the empty one for paths left out."""
    return tuple(name for name in _REMOTES if name)


def problem_of(kind: Kind, value: object) -> str | None:
    """What is wrong with ``value`` as a ``kind``, as words after "must be"; None if it is fine."""
    if kind == "links":
        words = value if isinstance(value, list) else str(value).split(",")
        bad = [word for word in words if str(word).strip() not in LINK_TYPES]
        return f"some of {', '.join(LINK_TYPES)}" if bad else None
    if not isinstance(value, str):
        return "one value, not a list or a section"
    if kind in ("str", "lower", "bool-or-str"):
        return None
    if kind == "bool":
        return None if value.lower() in ("true", "false") else "true or false"
    if kind in ("int", "float"):
        return _number_problem(kind, value)
    words = kind.split("|")
    return None if value.lower() in words else f"{' or '.join(words)}"


def _number_problem(kind: Kind, value: str) -> str | None:
    try:
        number = int(value) if kind == "int" else float(value)
    except ValueError:
        return "a whole number" if kind == "int" else "a number"
    if kind == "int" and number < 1:
        return "at least 1"
    return None if number >= 0 else "0 or more"

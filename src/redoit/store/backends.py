"""Remotes behind fsspec: what DVC's options mean to each of its file systems.

Everything here is imported late: a project without such a remote pays for nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from redoit.errors import RemoteError
from redoit.redact import SECRETS
from redoit.store.fsspec_storage import FsspecStorage, Opened

if TYPE_CHECKING:
    from urllib.parse import SplitResult


_WHOLE = 1 << 17
"""Up to this size, in bytes, a file is sent over SSH by one call."""


class Options:
    """The options of one remote, as DVC's configuration has them."""

    def __init__(self, name: str, table: Mapping[str, Any]) -> None:
        self.name = name
        self._table = table

    def text(self, option: str) -> str | None:
        value = self._table.get(option)
        return ",".join(map(str, value)) if isinstance(value, list) else value

    def flag(self, option: str, default: bool = False) -> bool:
        value = self.text(option)
        return default if value is None else value.lower() == "true"

    def versioned(self) -> bool:
        """Whether files are meant by their version in the cloud."""
        return self.flag("version_aware") or self.flag("worktree")

    def number(self, option: str) -> float | None:
        value = self.text(option)
        return None if value is None else float(value)

    def secrets(self) -> tuple[str, ...]:
        """The values that must not be seen in an error."""
        given = [self.text(option) for option in SECRETS]
        url = _split(self.text("url") or "")
        return tuple(value for value in (*given, url.password) if value)

    def verify(self) -> bool | str | None:
        """``ssl_verify``: whether to check certificates, or a file of them; None: not said."""
        value = self.text("ssl_verify")
        if value is None or value.lower() not in ("true", "false"):
            return value
        return value.lower() == "true"

    def secret(self, option: str) -> str | None:
        """A password; asked for on the terminal if ``ask_…`` says so. Raises RemoteError."""
        value = self.text(option)
        if value is not None or not self.flag(f"ask_{option}"):
            return value
        import getpass

        try:
            return getpass.getpass(f"The {option} of the remote '{self.name}': ")
        except EOFError:
            raise RemoteError(
                f"the remote '{self.name}' wants a {option}, and there is no terminal to ask at",
                hint=f"exp remote modify --local {self.name} {option} …",
            ) from None


# --- one function for each kind -------------------------------------------------------------------


def _s3(url: str, options: Options) -> FsspecStorage:
    client = {
        "region_name": options.text("region"),
        "endpoint_url": options.text("endpointurl"),
        "verify": options.verify(),
    }
    config: dict[str, Any] = {
        "read_timeout": options.number("read_timeout"),
        "connect_timeout": options.number("connect_timeout"),
    }
    extra = {
        "ServerSideEncryption": options.text("sse"),
        "SSEKMSKeyId": options.text("sse_kms_key_id"),
        "SSECustomerAlgorithm": options.text("sse_customer_algorithm"),
        "ACL": options.text("acl"),
        "GrantRead": options.text("grant_read"),
        "GrantReadACP": options.text("grant_read_acp"),
        "GrantWriteACP": options.text("grant_write_acp"),
        "GrantFullControl": options.text("grant_full_control"),
    }
    if key := options.text("sse_customer_key"):
        import base64

        extra["SSECustomerKey"] = base64.b64decode(key)  # type: ignore[assignment]
        extra["SSECustomerAlgorithm"] = extra["SSECustomerAlgorithm"] or "AES256"
    system = _class("s3fs", "S3FileSystem", "s3", options)(
        key=options.text("access_key_id"),
        secret=options.text("secret_access_key"),
        token=options.text("session_token"),
        **_s3_session(options),
        anon=options.flag("allow_anonymous_login"),
        use_ssl=options.flag("use_ssl", True),
        client_kwargs=_given(client),
        config_kwargs=_given(config),
        s3_additional_kwargs=_given(extra),
        cache_regions=options.flag("cache_regions"),
        version_aware=options.versioned(),
        **_FRESH,
    )
    # The library below tries each request again, as AWS_MAX_ATTEMPTS and ~/.aws/config say; s3fs shall not multiply that.
    system.retries = 1
    return FsspecStorage(Opened(system, _bucket_path(url)), attempts=2)


def _s3_session(options: Options) -> dict[str, Any]:
    """Where the credentials come from, if not from the usual places."""
    profile = options.text("profile")
    files = {
        "credentials_file": options.text("credentialpath"),
        "config_file": options.text("configpath"),
    }
    if not any(files.values()):
        return {"profile": profile}
    session = _class("aiobotocore.session", "AioSession", "s3", options)(profile=profile)
    for variable, path in _given(files).items():
        session.set_config_variable(variable, path)
    # A project may name files of its own there: what runs the program `credential_process` is for the user's alone.
    session.get_component("credential_provider").remove("custom-process")
    return {"session": session}


def _gs(url: str, options: Options) -> FsspecStorage:
    anonymous = options.flag("allow_anonymous_login")
    aiohttp = _module("aiohttp", "gs", options)
    # The class that the package itself names asks by gRPC for the kind of each bucket, and where only HTTP is answered
    # (``endpointurl``) it does so for minutes.
    system = _class("gcsfs.core", "GCSFileSystem", "gs", options)(
        **_given(
            {
                "project": options.text("projectname"),
                "token": "anon" if anonymous else options.text("credentialpath"),
                "endpoint_url": options.text("endpointurl"),
            }
        ),
        # By default a request may take five minutes in all, however much it brings.
        requests_timeout=aiohttp.ClientTimeout(
            total=None, sock_connect=_SILENCE, sock_read=_SILENCE
        ),
        **_FRESH,
    )
    # It tries again itself. With headers of our own it asks for a file once, not for what it is before, nor for pieces of
    # it, of which each would be tried again and then all.
    return FsspecStorage(Opened(system, _bucket_path(url)), attempts=1, get_options={"headers": {}})


def _azure(url: str, options: Options) -> FsspecStorage:
    names = (
        *("connection_string", "account_name", "account_key", "sas_token"),
        *("tenant_id", "client_id", "client_secret"),
    )
    given: dict[str, Any] = _given({name: options.text(name) for name in names})
    if timeout := options.number("timeout"):
        given["timeout"] = int(timeout)
    for name in ("read_timeout", "connection_timeout"):
        given[name] = options.number(name) or _SILENCE
    system = _class("adlfs", "AzureBlobFileSystem", "azure", options)(
        **given, anon=options.flag("allow_anonymous_login"), **_FRESH
    )
    return FsspecStorage(Opened(system, _bucket_path(url)), attempts=1)  # it tries again itself


def _ssh(url: str, options: Options) -> FsspecStorage:
    parts = _split(url)
    keyfile = options.text("keyfile")
    timeout = options.number("timeout") or _SILENCE
    user = options.text("user") or _unquoted(parts.username)
    for name in (parts.hostname, user):
        _check_name(name, options)
    given = {
        "username": user,
        "port": options.number("port") or parts.port,
        "password": options.secret("password") or _unquoted(parts.password),
        "passphrase": options.secret("passphrase"),
        "client_keys": [os.path.expanduser(keyfile)] if keyfile else None,
        "max_sessions": options.number("max_sessions"),
    }
    given = {key: int(value) if isinstance(value, float) else value for key, value in given.items()}
    if not options.flag("allow_agent", True):
        given["agent_path"] = ""
    make = partial(
        _class("sshfs", "SSHFileSystem", "ssh", options),
        parts.hostname,
        **_given(given),
        known_hosts=(),  # those of ~/.ssh: a host whose key is unknown is refused
        gss_auth=options.flag("gss_auth"),
        connect_timeout=timeout,
        login_timeout=timeout,
        # A server or a network that says nothing more would be waited for without an end.
        keepalive_interval=timeout / _KEEPALIVES,
        keepalive_count_max=_KEEPALIVES,
        skip_instance_cache=True,
    )

    def connect() -> Any:
        return asking_once(make())

    root = (_unquoted(parts.path) or "").rstrip("/")
    return FsspecStorage(Opened(connect(), root), renames=True, again=connect, whole=_WHOLE)


def asking_once(system: Any) -> Any:
    """``system``, which before each file that it writes asks after all folders above: of each once is enough."""
    made: set[str] = set()
    makedirs = system._makedirs

    async def remembering(path: str, **options: Any) -> None:
        if path not in made:
            await makedirs(path, **options)
            made.add(path)

    system._makedirs = remembering
    return system


def _check_name(name: str | None, options: Options) -> None:
    """Raise RemoteError for a host or user that a shell could take for more, as one that a ProxyCommand starts."""
    if name and not _NAME.fullmatch(name):
        raise RemoteError(
            f"the remote '{options.name}' has a host or user that is no name",
            facts={"is": name},
            hint="names have letters, digits, dots, dashes and the like, and begin with none of these",
        )


def _http(url: str, options: Options) -> FsspecStorage:
    system_class = _class("fsspec.implementations.http", "HTTPFileSystem", "http", options)
    aiohttp = _module("aiohttp", "http", options)
    timeout = aiohttp.ClientTimeout(
        total=None,
        sock_connect=options.number("connect_timeout") or 60,
        sock_read=options.number("read_timeout") or 60,
    )
    client: dict[str, Any] = {"timeout": timeout, "trust_env": True}
    parts = _split(url)
    method = options.text("auth")
    user = options.text("user") or _unquoted(parts.username)
    password = options.secret("password") or _unquoted(parts.password)
    if method == "digest":
        raise RemoteError(
            f"the remote '{options.name}' wants digest authentication, which is not supported",
            hint="use auth = basic or custom",
        )
    if method == "custom":
        header = options.text("custom_auth_header")
        client["headers"] = {header: password} if header and password else {}
    elif user and password:
        client["auth"] = aiohttp.BasicAuth(user, password)
    verify = options.verify()
    if isinstance(verify, str):
        import ssl

        checked: dict[str, Any] = {"ssl": ssl.create_default_context(cafile=verify)}
    else:
        checked = {"ssl": False} if verify is False else {}
    system = system_class(client_kwargs=client, **checked, **_FRESH)
    netloc = parts.hostname or ""
    root = f"{parts.scheme}://{netloc}{f':{parts.port}' if parts.port else ''}{parts.path}"
    return FsspecStorage(Opened(system, root.rstrip("/")), lists=False, writable=False)


def _webdav(url: str, options: Options) -> FsspecStorage:
    if options.text("bearer_token_command") is not None:
        raise RemoteError(
            f"the remote '{options.name}' has bearer_token_command, which would run a program",
            hint=f"put the token itself there: exp remote modify --local {options.name} token …",
        )
    parts = _split(url)
    scheme = "https" if parts.scheme == "webdavs" else "http"
    port = f":{parts.port}" if parts.port else ""
    base = f"{scheme}://{parts.hostname}{port}{parts.path.rstrip('/')}"
    user = options.text("user") or _unquoted(parts.username)
    password = options.secret("password") or _unquoted(parts.password)
    token = options.text("token")
    certificate, key = options.text("cert_path"), options.text("key_path")
    verify = options.verify()
    system = _class("webdav4.fsspec", "WebdavFileSystem", "webdav", options)(
        base,
        auth=(user, password or "") if user and not token else None,
        headers={"Authorization": f"Bearer {token}"} if token else {},
        cert=(certificate, key) if certificate and key else certificate,
        verify=True if verify is None else verify,
        timeout=options.number("timeout") or 30,
        retry=False,  # we try again
        skip_instance_cache=True,
    )
    return FsspecStorage(Opened(system, ""), renames=True)


_KINDS: Mapping[str, Callable[[str, Options], FsspecStorage]] = {
    "s3": _s3,
    "gs": _gs,
    "azure": _azure,
    "ssh": _ssh,
    "http": _http,
    "https": _http,
    "webdav": _webdav,
    "webdavs": _webdav,
}
_SILENCE = 60.0
"""Seconds without a sign of life, after which a connection counts as lost."""
_KEEPALIVES = 4
_NAME = re.compile(r"[\w\[:][\w.:@+\]%\\-]*")
_FRESH = {"skip_instance_cache": True, "use_listings_cache": False}


def open_backend(scheme: str, url: str, options: Options) -> FsspecStorage:
    """The storage at ``url``. Raises RemoteError for a kind that there is not, or that lacks its package."""
    make = _KINDS.get(scheme)
    if make is None:
        raise RemoteError(
            f"the remote '{options.name}' is of a kind that is not supported: {scheme}://",
            hint=f"supported are folders and {', '.join(f'{kind}://' for kind in _KINDS)}",
        )
    return make(url, options)


def _class(module: str, name: str, extra: str, options: Options) -> Any:
    return getattr(_module(module, extra, options), name)


def _module(name: str, extra: str, options: Options) -> Any:
    import importlib
    import logging

    # What it has to say of a failure is in the exception: without a handler Python would print it as well.
    logger = logging.getLogger(name.partition(".")[0])
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise RemoteError(
            f"the remote '{options.name}' needs a package that is not installed",
            facts={"package": error.name or name},
            hint=f"pip install 'redoit[{extra}]'",
        ) from error


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _bucket_path(url: str) -> str:
    parts = _split(url)
    return f"{parts.netloc}{parts.path}".rstrip("/")


def _split(url: str) -> SplitResult:
    from urllib.parse import urlsplit  # slow to import, and most projects need none of this

    return urlsplit(url)


def _unquoted(text: str | None) -> str | None:
    from urllib.parse import unquote

    return None if text is None else unquote(text)

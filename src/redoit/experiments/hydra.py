"""The one place that loads Hydra's override grammar and what applies overrides, and only those parts of Hydra.

``import hydra`` loads nearly all of it: the launcher, logging, the configuration of Hydra itself. Reading ``-S key=value``
needs the parser alone. A Hydra whose parts cannot be loaded so is loaded whole.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

from redoit.parts import load_parts

_NAMES = (
    "errors",
    "core.override_parser.overrides_parser",
    "_internal.config_loader_impl",
)
_UNUSED = {
    # What finds and composes configurations of Hydra's own.
    "hydra.conf": ("ConfigSourceInfo",),
    "hydra.core.utils": ("JobRuntime",),
    "hydra._internal.defaults_list": ("DefaultsList", "create_defaults_list"),
    "hydra._internal.config_repository": (
        "CachingConfigRepository",
        "ConfigRepository",
        "IConfigRepository",
    ),
}


def _load() -> dict[str, ModuleType]:
    try:
        # Its version is only told in messages about its future.
        return load_parts("hydra", _NAMES, _UNUSED, {"__version__": "0"})
    except Exception:  # noqa: BLE001 - of a Hydra that is built in another way
        return {name: import_module(f"hydra.{name}") for name in _NAMES}


class Hydra(NamedTuple):
    """The parts that are used."""

    parser: Any
    """Its ``OverridesParser``."""
    loader: Any
    """Its ``ConfigLoaderImpl``."""
    error: type[Exception]
    """Its ``HydraException``."""


def hydra() -> Hydra:
    """The parts; they are loaded with this module."""
    return _HYDRA


_PARTS = _load()
_HYDRA = Hydra(
    _PARTS["core.override_parser.overrides_parser"].OverridesParser,
    _PARTS["_internal.config_loader_impl"].ConfigLoaderImpl,
    _PARTS["errors"].HydraException,
)

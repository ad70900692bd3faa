"""The one place that loads Hydra, and only those parts of it that are needed.

``import hydra`` loads nearly all of it: the launcher, logging, the configuration of Hydra itself. Reading ``-S key=value``
needs its grammar alone, and changing a plain value no more than that; OmegaConf waits for what is not plain. A Hydra whose
parts cannot be loaded so is loaded whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

from redoit.late import late
from redoit.parts import load_parts

_GRAMMAR = ("errors", "core.override_parser.overrides_parser")
_LOADER = (*_GRAMMAR, "_internal.config_loader_impl")
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


def _annotates(kind: type) -> Callable[[Any], bool]:
    return lambda annotation: getattr(annotation, "__origin__", annotation) is kind


# The grammar asks OmegaConf about types: of its own functions' arguments, for messages, and of values that no text has.
_PLAIN = {
    "hydra.core.config_loader": ("ConfigLoader",),
    # Asked only whether to warn of an old way to name packages, which params have none of.
    "hydra.version": {"base_at_least": lambda version: True},
    "omegaconf": ("OmegaConf",),
    "omegaconf.basecontainer": ("BaseContainer",),
    "omegaconf._utils": {
        "is_dict_annotation": _annotates(dict),
        "is_list_annotation": _annotates(list),
        "is_structured_config": late("omegaconf._utils", "is_structured_config"),
        "type_str": late("omegaconf._utils", "type_str"),
    },
}


def _load(
    names: Sequence[str], stand_ins: Mapping[str, Iterable[str] | Mapping[str, object]]
) -> dict[str, ModuleType]:
    try:
        # Its version is only told in messages about its future.
        return load_parts("hydra", names, stand_ins, {"__version__": "0"})
    except Exception:  # noqa: BLE001 - of a Hydra that is built in another way
        return {name: import_module(f"hydra.{name}") for name in names}


class Grammar(NamedTuple):
    """What reads overrides."""

    parser: Any
    """Its ``OverridesParser``."""
    error: type[Exception]
    """Its ``HydraException``."""


class Hydra(NamedTuple):
    """What reads overrides and applies them; its classes are not those of ``Grammar``."""

    parser: Any
    loader: Any
    """Its ``ConfigLoaderImpl``."""
    error: type[Exception]


@cache
def grammar() -> Grammar:
    """The grammar alone; loaded once."""
    parts = _load(_GRAMMAR, _PLAIN)
    return Grammar(
        parts["core.override_parser.overrides_parser"].OverridesParser,
        parts["errors"].HydraException,
    )


@cache
def hydra() -> Hydra:
    """All that is used of Hydra; loaded once."""
    parts = _load(_LOADER, _UNUSED)
    return Hydra(
        parts["core.override_parser.overrides_parser"].OverridesParser,
        parts["_internal.config_loader_impl"].ConfigLoaderImpl,
        parts["errors"].HydraException,
    )

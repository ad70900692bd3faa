"""Loads parts of a library without the library's own initialisation, which may cost ten times as much.

The parts are a private copy: whoever imports the library in the same process gets it whole. Where it is loaded
already, its own modules are used.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from types import ModuleType


def load_parts(
    package: str,
    names: Sequence[str],
    stand_ins: Mapping[str, Iterable[str] | Mapping[str, object]],
    constants: Mapping[str, object] | None = None,
) -> dict[str, ModuleType]:
    """The modules ``names`` of ``package`` (relative to it), by name.

    ``stand_ins`` are modules that they import for features that are never used: each is replaced, unless it is
    loaded, by one with these names in it, for empty classes or for what a mapping gives. ``constants`` are names that the package itself must have.
    Raises ImportError, or whatever a library of another version raises when it misses something.
    """
    whole = [f"{package}.{name}" for name in names]
    if package in sys.modules:
        return dict(zip(names, map(import_module, whole), strict=True))
    spec = importlib.util.find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError(f"{package} is not installed")
    bare = ModuleType(package)
    bare.__path__ = list(spec.submodule_search_locations)
    vars(bare).update(constants or {})
    unused = {
        name: _stand_in(name, held) for name, held in stand_ins.items() if name not in sys.modules
    }
    sys.modules[package] = bare
    sys.modules.update(unused)
    try:
        return dict(zip(names, map(import_module, whole), strict=True))
    finally:
        for name in [*sys.modules]:
            if name in unused or name == package or name.startswith(f"{package}."):
                del sys.modules[name]


def _stand_in(name: str, held: Iterable[str] | Mapping[str, object]) -> ModuleType:
    module = ModuleType(name)
    if not isinstance(held, Mapping):
        held = {attribute: type(attribute, (), {}) for attribute in held}
    vars(module).update(held)
    return module

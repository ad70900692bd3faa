"""The one place that loads doit, and only those parts of it that a run needs.

``import doit`` executes the whole command line of doit: its sub-commands, plug-ins, the debugger, e-mail for
package metadata. That is 110 ms of the 400 that a run with nothing to do may take; the parts used here are
25 ms (doit 0.37, CPython 3.11). So they are loaded as a private copy, without the package's own initialisation
and without what serves features that are never used here. Whoever imports doit in the same process gets doit
whole; and where it is loaded already, as under plain ``doit``, its own modules are used.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib import import_module
from types import ModuleType


def _unused() -> dict[str, ModuleType]:
    """Empty stand-ins for what doit imports to debug actions, to run tasks in processes, and to know a Path.

    All paths that it is given here are text.
    """
    names = {
        "pdb": (),
        "multiprocessing": ("Process", "Queue"),
        "cloudpickle": ("dumps",),
        "pathlib": ("PurePath",),
        "pickle": (),
    }
    modules = {}
    for name, attributes in names.items():
        if name not in sys.modules:
            modules[name] = ModuleType(name)
            for attribute in attributes:
                setattr(modules[name], attribute, type(attribute, (), {}))
    return modules


def _parts() -> dict[str, ModuleType]:
    """doit's modules by name, loaded as the module's docstring says."""
    names = ("action", "control", "dependency", "exceptions", "runner", "task")
    if "doit" in sys.modules:
        return {name: import_module(f"doit.{name}") for name in names}
    spec = importlib.util.find_spec("doit")
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError("doit is not installed")
    package = ModuleType("doit")
    package.__path__ = list(spec.submodule_search_locations)
    unused = _unused()
    sys.modules["doit"] = package
    sys.modules.update(unused)
    try:
        return {name: import_module(f"doit.{name}") for name in names}
    finally:
        for name in [name for name in sys.modules if name == "doit" or name.startswith("doit.")]:
            del sys.modules[name]
        for name in unused:
            del sys.modules[name]


_PARTS = _parts()
BaseAction = _PARTS["action"].BaseAction
TaskControl = _PARTS["control"].TaskControl
Dependency = _PARTS["dependency"].Dependency
FileChangedChecker = _PARTS["dependency"].FileChangedChecker
BaseFail = _PARTS["exceptions"].BaseFail
TaskFailed = _PARTS["exceptions"].TaskFailed
UnmetDependency = _PARTS["exceptions"].UnmetDependency
MThreadRunner = _PARTS["runner"].MThreadRunner
Runner = _PARTS["runner"].Runner
Task = _PARTS["task"].Task

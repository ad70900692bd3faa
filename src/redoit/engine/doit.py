"""The one place that loads doit, and only those parts of it that a run needs.

``import doit`` executes the whole command line of doit: its sub-commands, plug-ins, the debugger, e-mail for
package metadata. That is 110 ms of the 400 that a run with nothing to do may take; the parts used here are
30 ms (doit 0.37, CPython 3.11). So the parts are loaded without the package's own initialisation, unless
doit is loaded already, as it is under plain ``doit``.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib import import_module
from types import ModuleType


def _load_parts() -> None:
    if "doit" in sys.modules:
        _import_parts()
        return
    spec = importlib.util.find_spec("doit")
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError("doit is not installed")
    package = ModuleType("doit")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["doit"] = package
    # For sending tasks to other processes, which is never done here; doit can do without it.
    absent = "cloudpickle" not in sys.modules
    if absent:
        sys.modules["cloudpickle"] = None  # type: ignore[assignment]
    try:
        _import_parts()
    finally:
        # Whoever imports doit later gets the real package; its modules stay the same objects.
        del sys.modules["doit"]
        if absent:
            del sys.modules["cloudpickle"]


def _import_parts() -> None:
    import_module("doit.control")
    import_module("doit.runner")


_load_parts()

# The modules are in sys.modules now, with or without their package.
BaseAction = sys.modules["doit.action"].BaseAction
TaskControl = sys.modules["doit.control"].TaskControl
Dependency = sys.modules["doit.dependency"].Dependency
FileChangedChecker = sys.modules["doit.dependency"].FileChangedChecker
BaseFail = sys.modules["doit.exceptions"].BaseFail
TaskFailed = sys.modules["doit.exceptions"].TaskFailed
UnmetDependency = sys.modules["doit.exceptions"].UnmetDependency
MThreadRunner = sys.modules["doit.runner"].MThreadRunner
Runner = sys.modules["doit.runner"].Runner
Task = sys.modules["doit.task"].Task

"""The one place that loads doit, and only those parts of it that a run needs.

``import doit`` executes the whole command line of doit: its sub-commands, plug-ins, the debugger, e-mail for
package metadata. That is 110 ms of the 400 that a run with nothing to do may take; the parts used here are
25 ms (doit 0.37, CPython 3.11). So they are loaded as a private copy, without the package's own initialisation
and without what serves features that are never used here. Whoever imports doit in the same process gets doit
whole; and where it is loaded already, as under plain ``doit``, its own modules are used.
"""

from __future__ import annotations

from redoit.parts import load_parts

_PARTS = load_parts(
    "doit",
    ("action", "control", "dependency", "exceptions", "runner", "task"),
    # To debug actions, to run tasks in processes, and to know a Path; all paths that it is given here are text.
    {
        "pdb": (),
        "multiprocessing": ("Process", "Queue"),
        "cloudpickle": ("dumps",),
        "pathlib": ("PurePath",),
        "pickle": (),
    },
)
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

"""Every error a user can see, with its exit code.

    RedoitError                     1   what, where, what to do
    ├── UsageError                  2   the command line is wrong
    ├── ProjectError                1   no project here, or one that cannot be used
    │   ├── NotAProject
    │   ├── ConfigError             .dvc/config or .dvc/redoit.toml
    │   └── Locked                  another run holds the workspace
    ├── SpecError                   1   dvc.yaml, .dvc, params files: always with a Place
    │   ├── SyntaxProblem           the file is not YAML/JSON/TOML/Python
    │   ├── SchemaProblem           a field is unknown, missing or of the wrong type
    │   ├── TemplateProblem         ${...}, vars, foreach, matrix
    │   └── ParamsProblem           a params file or a key of it is missing
    ├── GraphError                  1
    │   ├── CycleError              stages depend on each other in a circle
    │   ├── DuplicateOut            two stages write the same path
    │   ├── OverlappingOuts         one out lies inside another
    │   └── StageInsideOut          a dvc.yaml or .dvc file lies inside an out
    ├── TargetNotFound              1   (with "did you mean")
    ├── StageError                  1   one stage could not be completed
    │   ├── CommandFailed
    │   ├── MissingDep
    │   └── MissingOut
    ├── StoreError                  1   cache, links, directories
    │   ├── MissingObject           not in the cache
    │   ├── CorruptObject           in the cache, but its content is not its name
    │   ├── RemoteError             a remote is not there, or cannot be used
    │   └── TransferFailed          some objects came or went, others did not
    ├── TraceError                  1   dvc.lock, journal, run cache
    ├── GitError                    1
    ├── ExperimentError             1
    │   ├── ExperimentExists
    │   ├── ExperimentNotFound      (with "did you mean")
    │   ├── AmbiguousExperiment     several baselines have one of that name
    │   ├── WouldOverwrite          uncommitted edits are in the way
    │   └── BadExperimentName
    ├── QueueError                  1   the queue's database, or a task of it
    │   └── TaskNotFound            (with "did you mean")
    └── Interrupted               130   Ctrl-C or SIGTERM

Anything else that reaches the top is a bug, and is reported as one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from redoit.printable import printable

if TYPE_CHECKING:  # `exp --help` needs the errors, but not the model
    from redoit.model import Place


class RedoitError(Exception):
    """One mistake or failure, said once: what happened, the facts, what to do.

    ``what``  one line, no full stop, lower-case start unless a name comes first.
    ``place`` where in a file, if it is in a file.
    ``facts`` aligned ``label: value`` lines (stage, path, field, ...), in the given order.
    ``excerpt`` lines of the file with a caret under the place, already formatted.
    ``hint``  one line that says what to do.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        what: str,
        *,
        place: Place | None = None,
        facts: Mapping[str, object] | None = None,
        excerpt: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.place = place
        self.facts = dict(facts or {})
        self.excerpt = excerpt
        self.hint = hint

    def render(self) -> str:
        """The whole message as plain text that a terminal can show, without a trailing newline."""
        rows: dict[str, object] = {}
        if self.place is not None:
            rows["at"] = self.place
        rows.update(self.facts)
        width = max((len(label) for label in rows), default=0)
        lines = [f"error: {printable(self.what)}"]
        lines += [
            f"  {label + ':':<{width + 1}} {printable(str(value))}" for label, value in rows.items()
        ]
        if self.excerpt:
            lines += [f"    {printable(line)}" for line in self.excerpt.splitlines()]
        if self.hint:
            lines.append(f"  {printable(self.hint)}")
        return "\n".join(lines)


class UsageError(RedoitError):
    """The command line is wrong."""

    exit_code = 2


class ProjectError(RedoitError):
    """The project cannot be used as it is."""


class NotAProject(ProjectError):
    """No ``.dvc/`` here or above."""


class ConfigError(ProjectError):
    """``.dvc/config`` or ``.dvc/redoit.toml`` cannot be used."""


class Locked(ProjectError):
    """Another process holds the workspace, and waiting was not wanted."""


class SpecError(RedoitError):
    """A ``dvc.yaml``, ``.dvc`` or params file is wrong."""


class SyntaxProblem(SpecError):
    """The file does not parse."""


class SchemaProblem(SpecError):
    """A field is unknown, missing, or has the wrong type."""


class TemplateProblem(SpecError):
    """``${...}``, ``vars``, ``foreach`` or ``matrix`` cannot be resolved."""


class ParamsProblem(SpecError):
    """A params file, or a key that a stage tracks, is missing or unusable."""


class GraphError(RedoitError):
    """The stages do not make a graph that can be run."""


class CycleError(GraphError):
    """Stages depend on each other in a circle."""


class DuplicateOut(GraphError):
    """Two stages write the same path."""


class OverlappingOuts(GraphError):
    """One stage's out lies inside another's."""


class StageInsideOut(GraphError):
    """A ``dvc.yaml`` or ``.dvc`` file lies inside an out."""


class TargetNotFound(RedoitError):
    """A target names no stage, group, file or out."""


class StageError(RedoitError):
    """One stage could not be completed."""


class CommandFailed(StageError):
    """A stage's command ended with a non-zero code or by a signal."""


class MissingDep(StageError):
    """A dep of a stage that must run is not there."""


class MissingOut(StageError):
    """A stage's command ended well but did not write one of its outs."""


class StoreError(RedoitError):
    """The cache, a link or a directory cannot be read or written."""


class MissingObject(StoreError):
    """An object is not in the cache."""


class CorruptObject(StoreError):
    """An object's content does not have the digest that is its name."""


class RemoteError(StoreError):
    """A remote is not there, lacks a package, or refuses."""


class TransferFailed(StoreError):
    """Some objects could not be sent to a remote or got from it."""


class TraceError(RedoitError):
    """``dvc.lock``, the journal or the run cache cannot be read or written."""


class GitError(RedoitError):
    """Git refused or is missing."""


class ExperimentError(RedoitError):
    """An experiment cannot be recorded or found."""


class ExperimentExists(ExperimentError):
    """An experiment of that name is there already."""


class ExperimentNotFound(ExperimentError):
    """A name, ref or sha means no experiment."""


class AmbiguousExperiment(ExperimentError):
    """A name means experiments on several baselines, none of them HEAD."""


class WouldOverwrite(ExperimentError):
    """Edits that are recorded nowhere are in the way."""


class BadExperimentName(ExperimentError):
    """Git would not take that name as part of a ref."""


class QueueError(RedoitError):
    """The queue cannot be used, or not so."""


class TaskNotFound(QueueError):
    """A name means no task of the queue."""


class Interrupted(RedoitError):
    """Ctrl-C or SIGTERM ended the work; what had finished is recorded."""

    exit_code = 130

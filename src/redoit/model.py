"""The words of Redoit as types: immutable values that every room shares.

They are named tuples: a frozen dataclass takes seven times as long to define, and these definitions are
executed at the start of every command.

No module here imports anything of Redoit, reads a file or runs a command.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple, NewType

RepoPath = NewType("RepoPath", str)
"""A path with ``/``, normalised, relative to the project's root; absolute if outside of it. The root is ``""``."""

Address = NewType("Address", str)
"""How a stage is named on the command line and in logs: ``train``, ``sub/dvc.yaml:train``, ``raw.dvc``."""

PIPELINE_FILE = RepoPath("dvc.yaml")
"""Stages of the one in the root are named without it; every other one has this name too, in a folder."""


def address_of(file: RepoPath, name: str) -> Address:
    """The address of the stage ``name`` of the ``dvc.yaml`` at ``file``."""
    return Address(name if file == PIPELINE_FILE else f"{file}:{name}")


Oid = NewType("Oid", str)
"""Content address: lower-case hex, with ``.dir`` at the end for a directory."""

Fingerprint = NewType("Fingerprint", str)
"""xxh3-128 as 32 hex digits: answers "has it changed?" on this machine, never leaves it."""


class Algo(str, Enum):
    """The digest behind an Oid."""

    MD5 = "md5"
    XXH128 = "xxh128"
    MD5_DOS2UNIX = "md5-dos2unix"
    """DVC 2's: md5 of text with line ends made ``\\n``; entries without a ``hash:`` key."""


class Place(NamedTuple):
    """Where in a file: line and column count from 1; 0 means the whole file."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return (
            f"{self.file}:{self.line}:{self.column}" if self.column else f"{self.file}:{self.line}"
        )


class OutKind(str, Enum):
    """Which list of ``dvc.yaml`` an out stands in."""

    OUT = "outs"
    METRIC = "metrics"
    PLOT = "plots"


class Dep(NamedTuple):
    """A file or directory that a stage reads. ``text`` is the path as ``dvc.lock`` has it, relative to wdir."""

    path: RepoPath
    text: str


class ParamsDep(NamedTuple):
    """Values of a params file that a stage reads: dotted ``keys``; no keys means the whole file."""

    path: RepoPath
    text: str
    keys: tuple[str, ...] = ()


class Out(NamedTuple):
    """A file or directory that a stage writes. ``text`` as in Dep."""

    path: RepoPath
    text: str
    kind: OutKind = OutKind.OUT
    cache: bool = True
    persist: bool = False
    remote: str | None = None
    push: bool = True
    desc: str | None = None
    extra: Mapping[str, Any] | None = None
    """Plot properties, ``type``, ``labels`` and ``meta``: for reports, never for decisions."""


class Import(NamedTuple):
    """Where the data of a ``.dvc`` file come from: its one dep, as written there."""

    path: str
    """A path or URL; with ``repo`` a path in that."""
    repo: Mapping[str, Any] | None = None
    """Another Git repository: ``url``, ``rev``, ``rev_lock``, ``config``, ``remote``."""
    record: Mapping[str, Any] | None = None
    """What told the content apart when it was imported: ``md5``, ``etag`` or ``checksum``, ``size``, …"""
    fs_config: Mapping[str, Any] | None = None
    """Options of a remote for the URL."""


class Stage(NamedTuple):
    """One resolved entry of ``dvc.yaml``, or a ``.dvc`` file (then ``cmd`` is None: a source of data)."""

    address: Address
    name: str
    """Name within its ``dvc.yaml`` (``train@0``); for a ``.dvc`` file its path."""
    file: RepoPath
    wdir: RepoPath
    cmd: str | tuple[str, ...] | None
    deps: tuple[Dep, ...] = ()
    params: tuple[ParamsDep, ...] = ()
    outs: tuple[Out, ...] = ()
    frozen: bool = False
    always_changed: bool = False
    desc: str | None = None
    meta: Any = None
    group: str | None = None
    """The ``foreach`` or ``matrix`` entry this one was expanded from."""
    place: Place | None = None
    origin: Import | None = None
    """Of imported data."""

    @property
    def is_data(self) -> bool:
        """Made by ``data add`` or an import: it has no command."""
        return self.cmd is None

    @property
    def is_callback(self) -> bool:
        """A command that reads and writes nothing that is declared: it always runs."""
        return self.cmd is not None and not (self.deps or self.params or self.outs)


class Entry(NamedTuple):
    """A dep or an out in a trace. ``path`` is the ``text`` of the Dep or Out; ``oid`` None: not recorded."""

    path: str
    oid: Oid | None
    algo: Algo = Algo.MD5
    size: int | None = None
    nfiles: int | None = None
    isexec: bool = False


class Trace(NamedTuple):
    """What is known of a stage's last good run: its entry in ``dvc.lock``."""

    cmd: str | list[str] | None
    deps: tuple[Entry, ...] = ()
    params: Mapping[str, Mapping[str, Any]] | None = None
    """Params file's ``text`` → dotted key → value."""
    outs: tuple[Entry, ...] = ()


class Content(NamedTuple):
    """What a path holds now, in the project's algo. ``nfiles`` is None for a file."""

    oid: Oid
    algo: Algo
    size: int
    nfiles: int | None = None
    isexec: bool = False

    def entry(self, path: str) -> Entry:
        """This content as the record of ``path`` in a trace."""
        return Entry(path, self.oid, self.algo, self.size, self.nfiles, self.isexec)


class Why(str, Enum):
    """The kinds of Reason."""

    NEVER_RAN = "never ran"
    COMMAND_CHANGED = "command changed"
    DEP_CHANGED = "dep changed"
    DEP_NEW = "dep new"
    DEP_MISSING = "dep missing"
    PARAM_CHANGED = "param changed"
    PARAM_NEW = "param new"
    PARAM_MISSING = "param missing"
    PARAMS_FILE_MISSING = "params file missing"
    OUT_MISSING = "out missing"
    OUT_CHANGED = "out changed"
    OUT_NEW = "out new"
    OUT_NOT_CACHED = "out not in cache"
    ALWAYS = "always runs"
    FORCED = "forced"


class Reason(NamedTuple):
    """Why a stage must run, as data: what kind, about what, and from what to what."""

    kind: Why
    subject: str = ""
    """A path, ``file:key`` of a param, or the address or option that forces."""
    old: Any = None
    new: Any = None


class Outcome(str, Enum):
    """What became of one stage of a run."""

    RAN = "ran"
    RESTORED = "restored"
    """Its outputs came from the cache: an earlier run had the same command and inputs."""
    COMMITTED = "committed"
    """No command was run; what lies in the workspace (data, a frozen stage's outs) was recorded."""
    UP_TO_DATE = "up to date"
    FAILED = "failed"
    BLOCKED = "blocked"
    """Not tried, because a stage it depends on failed."""
    NOT_REACHED = "not reached"
    """Not tried, because the run ended before its turn."""
    INTERRUPTED = "interrupted"


CHANGING = frozenset((Outcome.RAN, Outcome.RESTORED, Outcome.COMMITTED))
"""The outcomes after which a stage has a new trace."""


class StageResult(NamedTuple):
    """The end of one stage in a run: its outcome, why it had to run, how long it took (seconds)."""

    address: Address
    outcome: Outcome
    reasons: tuple[Reason, ...] = ()
    seconds: float = 0.0
    error: Exception | None = None
    ignored: bool = False
    """The failure was ignored (``--ignore-errors``)."""


class Request(NamedTuple):
    """What one ``exp run`` or ``exp repro`` is asked to do; each field is an option of the same name."""

    targets: tuple[str, ...] = ()
    cwd: str = ""
    """Directory (absolute) that targets are relative to; empty means the project's root."""
    force: bool = False
    interactive: bool = False
    single_item: bool = False
    pipeline: bool = False
    all_pipelines: bool = False
    recursive: bool = False
    downstream: bool = False
    force_downstream: bool = False
    glob: bool = False
    dry: bool = False
    keep_going: bool = False
    ignore_errors: bool = False
    no_commit: bool = False
    no_run_cache: bool = False
    pull: bool = False
    allow_missing: bool = False
    jobs: int = 1


class Wish(NamedTuple):
    """What an experiment is asked to be, beside what its run is asked to do."""

    name: str | None = None
    """None: two random words."""
    message: str | None = None
    set_params: tuple[str, ...] = ()
    """Overrides in Hydra's grammar, ``[FILE:]KEY=VALUE``."""
    hydra: bool = True
    """Whether ``hydra.enabled`` of the configuration counts."""


class RunResult(NamedTuple):
    """A whole run: every planned stage's result, in the order of the plan."""

    stages: tuple[StageResult, ...]
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """0 all done or up to date, 1 a stage failed, 130 interrupted."""
        if self.interrupted:
            return 130
        return int(any(s.outcome is Outcome.FAILED and not s.ignored for s in self.stages))

    @property
    def changed(self) -> bool:
        """Whether anything was run, restored or recorded."""
        return any(s.outcome in CHANGING for s in self.stages)

"""``Project.data``: the data of a project, in the workspace, the cache and its remotes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from redoit.errors import QueueError
from redoit.files import locked
from redoit.late import late
from redoit.model import Address, RepoPath
from redoit.project import Layout
from redoit.queue.task import State

if TYPE_CHECKING:
    from redoit.api.queue import Queue
    from redoit.data.add import Added, add, commit
    from redoit.data.bring import BringRequest, bring
    from redoit.data.checkout import CheckedOut, checkout
    from redoit.data.gc import Collected, GcRequest, collect
    from redoit.data.imports import Imported, ImportRequest, import_from, import_url
    from redoit.data.move import move
    from redoit.data.remove import remove, to_remove
    from redoit.data.status import DataStatus, StatusRequest, data_status
    from redoit.data.targets import (
        Chosen,
        DataRequest,
        check_inside,
        choose,
        choose_here,
        stages_of,
    )
    from redoit.data.transfer import Transferred, TransferRequest, fetch, push
    from redoit.data.update import Updated, UpdateRequest, fill, partial, update
    from redoit.engine.session import Session, open_session
    from redoit.experiments.outside import workers_lock
    from redoit.git_stage import stage_files
    from redoit.queue.database import has_queue
    from redoit.store.moved import Meter, SilentMeter
    from redoit.trace.cloud import remotes_of
    from redoit.trace.traces import lock_path
else:
    Queue = late("redoit.api.queue", "Queue")
    add = late("redoit.data.add", "add")
    commit = late("redoit.data.add", "commit")
    bring = late("redoit.data.bring", "bring")
    checkout = late("redoit.data.checkout", "checkout")
    GcRequest = late("redoit.data.gc", "GcRequest")
    collect = late("redoit.data.gc", "collect")
    ImportRequest = late("redoit.data.imports", "ImportRequest")
    import_from = late("redoit.data.imports", "import_from")
    import_url = late("redoit.data.imports", "import_url")
    move = late("redoit.data.move", "move")
    remove = late("redoit.data.remove", "remove")
    to_remove = late("redoit.data.remove", "to_remove")
    StatusRequest = late("redoit.data.status", "StatusRequest")
    data_status = late("redoit.data.status", "data_status")
    DataRequest = late("redoit.data.targets", "DataRequest")
    check_inside = late("redoit.data.targets", "check_inside")
    choose = late("redoit.data.targets", "choose")
    choose_here = late("redoit.data.targets", "choose_here")
    stages_of = late("redoit.data.targets", "stages_of")
    Transferred = late("redoit.data.transfer", "Transferred")
    TransferRequest = late("redoit.data.transfer", "TransferRequest")
    fetch = late("redoit.data.transfer", "fetch")
    push = late("redoit.data.transfer", "push")
    UpdateRequest = late("redoit.data.update", "UpdateRequest")
    fill = late("redoit.data.update", "fill")
    partial = late("redoit.data.update", "partial")
    update = late("redoit.data.update", "update")
    open_session = late("redoit.engine.session", "open_session")
    workers_lock = late("redoit.experiments.outside", "workers_lock")
    stage_files = late("redoit.git_stage", "stage_files")
    has_queue = late("redoit.queue.database", "has_queue")
    SilentMeter = late("redoit.store.moved", "SilentMeter")
    remotes_of = late("redoit.trace.cloud", "remotes_of")
    lock_path = late("redoit.trace.traces", "lock_path")


class Pulled(NamedTuple):
    """What came from remotes, and what of it went into the workspace."""

    transferred: Transferred
    workspace: CheckedOut


class Data:
    """The verbs for data; each raises TargetNotFound for a target that is neither data nor a stage.

    ``exclusive`` holds the workspace while something in it changes.
    """

    def __init__(
        self, layout: Layout, exclusive: Callable[[], AbstractContextManager[object]]
    ) -> None:
        self._layout = layout
        self._exclusive = exclusive

    # --- remotes ----------------------------------------------------------------------------------

    def push(
        self, request: TransferRequest | None = None, meter: Meter | None = None
    ) -> Transferred:
        """Send what remotes lack of the data.

        Raises RemoteError, and TransferFailed naming what did not travel; what did stays.
        """
        with open_session(self._layout) as session:
            done = push(
                session,
                request or TransferRequest(),
                remotes_of(self._layout),
                meter or SilentMeter(),
            )
        done.moved.check("sent")
        return done

    def fetch(
        self, request: TransferRequest | None = None, meter: Meter | None = None
    ) -> Transferred:
        """Get what the cache lacks of the data; the workspace stays as it is. Raises as ``push``."""
        with open_session(self._layout) as session:
            done, _ = self._fetch(session, request or TransferRequest(), meter or SilentMeter())
        done.moved.check("got")
        return done

    def _fetch(
        self, session: Session, request: TransferRequest, meter: Meter
    ) -> tuple[Transferred, list[Chosen]]:
        """What came, and what is to be checked out; imports that were not downloaded before are among it."""
        stages, rest = partial(session, request.data)
        cwd = request.data.cwd
        moved, chosen = fill(session, stages, meter, jobs=request.jobs, cwd=cwd)
        if rest is None or (stages and not choose(session, rest)):
            return Transferred(moved), chosen
        done = fetch(session, request._replace(data=rest), remotes_of(self._layout), meter)
        done.moved.add(moved)
        if request.commits:
            return done, choose_here(session, rest) + chosen
        here = choose(session, rest)
        check_inside(session, here)
        return done, here + chosen

    def pull(
        self,
        request: TransferRequest | None = None,
        meter: Meter | None = None,
        *,
        force: bool = False,
        allow_missing: bool = False,
    ) -> Pulled:
        """As ``fetch``, then ``checkout`` of what came. What came is checked out also if other data did not."""
        request = request or TransferRequest()
        with self._exclusive(), open_session(self._layout) as session:
            done, chosen = self._fetch(session, request, meter or SilentMeter())
            workspace = checkout(session, chosen, force=force, allow_missing=True)
            done.moved.lack(workspace.missing)
        done.moved.check("got", missing_is_fine=allow_missing)
        return Pulled(done, workspace)

    # --- imports ----------------------------------------------------------------------------------

    def import_url(
        self,
        url: str,
        request: ImportRequest | None = None,
        meter: Meter | None = None,
        *,
        fs_config: Mapping[str, Any] | None = None,
    ) -> Imported:
        """Import a file or folder that a path or URL names: it can be updated when that changes.

        ``fs_config`` are options as a remote has them. Raises UsageError, StoreError, RemoteError, GraphError; then
        nothing is to be seen of it.
        """
        with self._exclusive(), open_session(self._layout) as session:
            return import_url(
                session,
                url,
                request or ImportRequest(),
                remotes_of(self._layout),
                meter or SilentMeter(),
                fs_config,
            )

    def import_from(
        self,
        repo: Mapping[str, Any],
        path: str,
        request: ImportRequest | None = None,
        meter: Meter | None = None,
    ) -> Imported:
        """Import ``path`` of another Git repository, which may track it by Git or as DVC's data.

        ``repo`` has the ``url`` (or path), and may have ``rev``, ``config``, ``remote``, as the ``.dvc`` file will.
        Raises GitError, StoreError, RemoteError, TransferFailed, GraphError; then nothing is to be seen of it.
        """
        with self._exclusive(), open_session(self._layout) as session:
            return import_from(
                session,
                repo,
                path,
                request or ImportRequest(),
                remotes_of(self._layout),
                meter or SilentMeter(),
            )

    def update(
        self, request: UpdateRequest | None = None, meter: Meter | None = None
    ) -> list[Updated]:
        """Look anew where imports come from, and get what has changed there.

        Raises StageError for what is no import, GitError, StoreError, WouldOverwrite for data that were changed here.
        """
        with self._exclusive(), open_session(self._layout) as session:
            return update(
                session,
                request or UpdateRequest(),
                remotes_of(self._layout),
                meter or SilentMeter(),
            )

    # --- tracking ---------------------------------------------------------------------------------

    def add(
        self, request: DataRequest, *, no_commit: bool = False, relink: bool = True
    ) -> list[Added]:
        """Put files and directories under ``.dvc`` files of their own, as ``dvc add`` does.

        Without ``relink`` the data stay the files that they are, not links into the cache. Raises StoreError for what
        cannot be data, GraphError, TargetNotFound; then nothing was done.
        """
        with self._exclusive(), open_session(self._layout) as session:
            done = add(session, request, no_commit=no_commit, relink=relink)
            self._stage([each.file for each in done], [each.path for each in done])
        return done

    def bring(self, request: BringRequest, meter: Meter | None = None) -> Added:
        """Make a file or directory from anywhere on this machine data of the project: a copy of it, or sent to a remote.

        Raises StoreError for what cannot be data or is there already, TargetNotFound, RemoteError, TransferFailed; then
        nothing was recorded.
        """
        with self._exclusive(), open_session(self._layout) as session:
            remotes = remotes_of(self._layout)
            done = bring(session, request, remotes, meter or SilentMeter())
            self._stage([done.file], [done.path])
        return done

    def commit(
        self, request: DataRequest | None = None, *, force: bool = False, relink: bool = True
    ) -> list[Address]:
        """Record outs that were changed by hand. Returns the stages and ``.dvc`` files that changed.

        Raises StageError for a stage of which more than the outs has changed, unless ``force``.
        """
        with self._exclusive(), open_session(self._layout) as session:
            changed = commit(session, request or DataRequest(), force=force, relink=relink)
            stages = [session.graph.stages[address] for address in changed]
            files = [each.file if each.is_data else lock_path(each.file) for each in stages]
            self._stage(files, [out.path for each in stages for out in each.outs])
        return changed

    def remove(self, request: DataRequest, *, outs: bool = False) -> list[Address]:
        """Remove ``.dvc`` files, and stages from ``dvc.yaml`` and ``dvc.lock``; with ``outs`` their outs too. Returns them.

        Raises TargetNotFound, and StageError for a part of what one entry of ``dvc.yaml`` makes; then nothing was done.
        """
        with self._exclusive(), open_session(self._layout) as session:
            stages = to_remove(session, request)
            remove(session, stages, outs=outs)
            files = [
                f for s in stages for f in ([s.file] if s.is_data else [s.file, lock_path(s.file)])
            ]
            self._stage(files, [out.path for stage in stages for out in stage.outs])
        return [stage.address for stage in stages]

    def move(self, source: str, target: str, cwd: str = "") -> tuple[RepoPath, RepoPath]:
        """Give data another path. Returns the old ``.dvc`` file and the new. Raises StoreError, StageError."""
        with self._exclusive(), open_session(self._layout) as session:
            old, new = move(session, source, target, cwd)
            self._stage([old, new], [old, new])
        return old, new

    def _stage(self, files: Sequence[str], beside: Sequence[str]) -> None:
        """Put what was written into Git's index, if ``core.autostage`` says so."""
        stage_files(self._layout, files, beside)

    # --- looking ----------------------------------------------------------------------------------

    def status(self, request: StatusRequest | None = None) -> DataStatus:
        """How data stand: against HEAD, in the workspace, in the cache and, if asked, at a remote.

        Changes nothing. Raises RemoteError.
        """
        with open_session(self._layout) as session:
            return data_status(session, request or StatusRequest(), remotes_of(self._layout))

    # --- cleaning up ------------------------------------------------------------------------------

    def gc(self, request: GcRequest | None = None) -> Collected:
        """Remove from the cache, and with ``request.cloud`` from a remote, what nothing uses that is to be kept.

        The workspace, all experiments and all that is queued are always kept. Raises QueueError while experiments run
        outside of the workspace, GitError, SpecError, RemoteError, MissingObject; then nothing was removed.
        """
        request = request or GcRequest()
        with ExitStack() as held:
            held.enter_context(self._exclusive())
            if not request.dry:
                self._hold_workers(held)
            session = held.enter_context(open_session(self._layout))
            return collect(session, request, remotes_of(self._layout))

    def _hold_workers(self, held: ExitStack) -> None:
        """Let no worker of the queue begin until ``held`` ends. Raises QueueError if one has something to do."""
        path = workers_lock(self._layout)
        if held.enter_context(locked(path, wait=False)):
            return
        if has_queue(self._layout):
            tasks = Queue(self._layout).tasks().tasks
            busy = [task.name for task in tasks if task.state in (State.RUNNING, State.QUEUED)]
            if busy:
                raise QueueError(
                    "experiments are running: what they are just writing would be taken for garbage",
                    facts={"running or queued": ", ".join(busy)},
                    hint="wait for them (`exp run --run-all`), or end them with `exp queue stop --kill`",
                )
        held.enter_context(locked(path))  # they are about to end

    # --- the workspace ----------------------------------------------------------------------------

    def checkout(
        self,
        request: DataRequest | None = None,
        *,
        force: bool = False,
        relink: bool = False,
        allow_missing: bool = False,
    ) -> CheckedOut:
        """Make the workspace hold the data that ``dvc.lock`` and ``.dvc`` files record.

        Raises WouldOverwrite for changes that the cache does not have, unless ``force``, before anything is
        changed; MissingObject for what the cache lacks, unless ``allow_missing``, after all else was done.
        """
        with self._exclusive(), open_session(self._layout) as session:
            chosen = choose(session, request or DataRequest())
            check_inside(session, chosen)
            return checkout(
                session, chosen, force=force, relink=relink, allow_missing=allow_missing
            )

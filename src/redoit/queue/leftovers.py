"""What tasks leave behind, removed when nobody needs it any more."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from redoit.experiments.freeze import START_REFS, start_refs
from redoit.experiments.outside import folder_of, remove
from redoit.files import locked
from redoit.git import Git
from redoit.git_refs import RefChange, change_refs
from redoit.late import late
from redoit.project import Layout
from redoit.queue.database import Database
from redoit.queue.task import State, Task

if TYPE_CHECKING:
    from redoit.store.links import remove as delete
else:
    delete = late("redoit.store.links", "remove")


def drop_ref(git: Git, ref: str) -> None:
    """Let Git forget the commit that a task started from; one that is gone is fine."""
    git.run("update-ref", "-d", ref)


def drop_copies(layout: Layout, queue: Database, copies: str | None) -> None:
    """Remove what was copied for tasks, unless one that has not ended well still needs it."""
    if copies is None:
        return
    needed = {task.order.copies for task in queue.tasks(*(set(State) - {State.SUCCESS}))}
    if copies not in needed:
        delete(os.path.join(layout.tmp, copies))


def log_path(layout: Layout, task_id: int) -> str:
    """Where the output of a task goes."""
    return os.path.join(layout.tmp, "logs", f"{task_id}.log")


def forget(layout: Layout, git: Git, queue: Database, tasks: Iterable[Task]) -> None:
    """Remove tasks that do not run from the queue, with their logs, starts, copies and workspaces."""
    gone = list(tasks)
    with queue.change() as connection:
        connection.executemany("DELETE FROM tasks WHERE id = ?", [(task.id,) for task in gone])
    known = {ref.name: ref.rev for ref in git.refs(START_REFS)}
    refs = {task.order.ref for task in gone} & known.keys()
    change_refs(git, [RefChange(ref, known[ref], None) for ref in sorted(refs)])
    for task in gone:
        drop_copies(layout, queue, task.order.copies)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(log_path(layout, task.id))
        folder = folder_of(layout, str(task.id))
        if os.path.lexists(folder):
            remove(git, folder)


def tidy(layout: Layout, git: Git, queue: Database, task: Task) -> None:
    """Remove what a task that has ended well does not need any more."""
    with locked(os.path.join(layout.tmp, "tidying")):
        remove(git, folder_of(layout, str(task.id)))
        drop_copies(layout, queue, task.order.copies)
        drop_ref(git, task.order.ref)


def clean_queue(layout: Layout, git: Git, queue: Database) -> list[str]:
    """Remove workspaces, copies and refs that no task needs: what killed workers left.

    Returns the names of what was removed.
    """
    with locked(os.path.join(layout.tmp, "tidying")):
        return _clean(layout, git, queue)


def _clean(layout: Layout, git: Git, queue: Database) -> list[str]:
    tasks = {str(task.id): task for task in queue.tasks(*(set(State) - {State.SUCCESS}))}
    removed = []
    top = os.path.dirname(folder_of(layout, "0"))
    for name in _names(top):
        if name.isdigit() and name not in tasks:
            remove(git, os.path.join(top, name))
            removed.append(f"exps/{name}")
    needed = {task.order.copies for task in tasks.values()}
    for name in _names(os.path.join(layout.tmp, "copies")):
        if f"copies/{name}" not in needed:
            delete(os.path.join(layout.tmp, "copies", name))
            removed.append(f"copies/{name}")
    refs = {task.order.ref for task in tasks.values()}
    stale = [ref for ref in git.refs(start_refs(layout)) if ref.name not in refs]
    change_refs(git, [RefChange(ref.name, ref.rev, None) for ref in stale])
    return [*removed, *(ref.name for ref in stale)]


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except FileNotFoundError:
        return []

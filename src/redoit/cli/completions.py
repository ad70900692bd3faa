"""What the shell offers behind a command: stages, experiments, revisions, params. Never an error."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import click
from click.shell_completion import CompletionItem

from redoit.errors import RedoitError
from redoit.experiments.refs import all_experiments
from redoit.git import Git
from redoit.model import PIPELINE_FILE, OutKind, RepoPath
from redoit.project import find_layout
from redoit.queue.database import Database, has_queue
from redoit.report.plots_templates import BUILT_IN
from redoit.spec import load_index
from redoit.spec.formats import read_values
from redoit.spec.source import Source
from redoit.spec.variables import DEFAULT_FILE


def stages(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Stages and groups as targets are written in the working directory, and files."""
    found: list[str] = []
    with contextlib.suppress(RedoitError, OSError):
        here = os.path.realpath(os.getcwd())
        layout = find_layout(here)
        index = load_index(layout)
        for address in (*index.groups, *index.stages):
            file, colon, name = address.rpartition(":")
            if not name.endswith(".dvc"):
                path = os.path.relpath(layout.abspath(file if colon else PIPELINE_FILE), here)
                found.append(name if path == PIPELINE_FILE else f"{path}:{name}")
    return [*_matching(found, incomplete), CompletionItem(incomplete, type="file")]


def experiments(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of experiments, the newest first."""
    return _matching(_experiments(), incomplete)


def tasks(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of the queue's tasks."""
    found: list[str] = []
    with contextlib.suppress(RedoitError, OSError):
        layout = find_layout(os.getcwd())
        if has_queue(layout):
            with contextlib.closing(Database(layout)) as queue:
                found = list(dict.fromkeys(task.name for task in queue.tasks()))
    return _matching(found, incomplete)


def revisions(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Experiments, branches, tags, and the workspace."""
    return _matching([*_experiments(), *_branches_and_tags(), "HEAD", "workspace"], incomplete)


def remotes(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of remotes."""
    names: list[str] = []
    with contextlib.suppress(RedoitError, OSError):
        names = list(find_layout(os.getcwd()).config.remotes)
    return _matching(names, incomplete)


def plots(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Plots of stages and of ``dvc.yaml`` files, and files."""
    found: list[str] = []
    with contextlib.suppress(RedoitError, OSError):
        here = os.path.realpath(os.getcwd())
        layout = find_layout(here)
        index = load_index(layout)
        paths = [o.path for s in index.stages.values() for o in s.outs if o.kind is OutKind.PLOT]
        for file, top in index.files.items():
            for plot in top.plots:
                if isinstance((plot.fields or {}).get("y"), dict):
                    found.append(plot.name)
                else:
                    paths.append(RepoPath(os.path.join(os.path.dirname(file), plot.name)))
        found += [os.path.relpath(layout.abspath(path), here) for path in paths]
    return [*_matching(found, incomplete), CompletionItem(incomplete, type="file")]


def templates(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The built-in templates of plots."""
    return _matching(list(BUILT_IN), incomplete)


def overrides(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The params of the file that ``incomplete`` names, or of ``params.yaml``, with ``=`` behind them."""
    file, colon, override = incomplete.rpartition(":")
    key = override.lstrip("+~")
    lead = incomplete[: len(incomplete) - len(key)]
    end = "" if override.startswith("~") else "="
    found: list[str] = []
    with contextlib.suppress(RedoitError, OSError):
        path = file if colon else DEFAULT_FILE
        with open(path, "rb") as handle:
            values = read_values(Source.decode(path, handle.read()))
        found = [f"{lead}{name}{end}" for name in _keys(values)]
    return _matching(found, incomplete)


def _experiments() -> list[str]:
    with contextlib.suppress(RedoitError, OSError):
        git = Git(find_layout(os.getcwd()).root)
        return list(dict.fromkeys(each.name for each in all_experiments(git)))
    return []


def _branches_and_tags() -> list[str]:
    with contextlib.suppress(RedoitError, OSError):
        git = Git(find_layout(os.getcwd()).root)
        listed = git.run("for-each-ref", "--format=%(refname:strip=2)", "refs/heads", "refs/tags")
        return os.fsdecode(listed).splitlines()
    return []


def _keys(values: object, prefix: str = "") -> Iterator[str]:
    """The dotted keys of everything that is no mapping."""
    if isinstance(values, dict):
        for key, value in values.items():
            yield from _keys(value, f"{prefix}.{key}" if prefix else str(key))
    elif prefix:
        yield prefix


def _matching(names: list[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]

"""What the shell offers behind a command; found out by ``completions``, which is loaded when a shell asks."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import click
from click.shell_completion import CompletionItem

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _later(name: str) -> Complete:
    def complete(ctx: click.Context, param: click.Parameter, text: str) -> list[CompletionItem]:
        found: Complete = getattr(importlib.import_module("redoit.cli.completions"), name)
        return found(ctx, param, text)

    return complete


stages = _later("stages")
experiments = _later("experiments")
tasks = _later("tasks")
revisions = _later("revisions")
remotes = _later("remotes")
plots = _later("plots")
templates = _later("templates")
overrides = _later("overrides")

"""Options that choose experiments by their baselines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def selection_options(verb: str, default: str = "") -> Callable[[Decorated], Decorated]:
    """``-A``, ``--rev`` and ``-n`` of a command that does ``verb`` with experiments."""

    def decorate(command: Decorated) -> Decorated:
        for option in (
            click.option(
                "-n",
                "--num",
                type=int,
                default=1,
                metavar="N",
                help="Also the N - 1 commits before each COMMIT on its branch; all of them if N is "
                "negative.",
            ),
            click.option(
                "--rev",
                "revs",
                multiple=True,
                metavar="COMMIT",
                help=f"{verb} the experiments that started from COMMIT{default}; may be given "
                "several times.",
            ),
            click.option(
                "-A",
                "--all-commits",
                is_flag=True,
                help=f"{verb} all experiments of the repository.",
            ),
        ):
            command = option(command)
        return command

    return decorate

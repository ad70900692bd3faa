"""Long output through the user's pager."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

from redoit.report.words import is_terminal


def show(
    short: Callable[[], Sequence[str]],
    wide: Callable[[], Sequence[str]],
    *,
    paged: bool,
    environ: Mapping[str, str],
) -> None:
    """Print the lines ``short`` on a terminal if they fit; else ``wide`` through the pager, which can scroll sideways.

    Without a terminal ``wide`` is printed as it is; without a pager (``paged`` false, none found) ``short`` is.
    """
    if not is_terminal(sys.stdout):
        print("\n".join(wide()))
        return
    lines = short()
    fits = len(lines) < shutil.get_terminal_size().lines
    command = pager(environ) if paged and not fits else None
    if command is None or not _page(command, wide()):
        print("\n".join(lines))


def pager(environ: Mapping[str, str]) -> str | None:
    """The command that pages: ``DVC_PAGER``, else ``PAGER``, else ``less`` if it is installed."""
    command = environ.get("DVC_PAGER") or environ.get("PAGER") or "less"
    if command != "less":
        return command
    return "less -RS" if shutil.which("less", path=environ.get("PATH")) else None


def _page(command: str, lines: Sequence[str]) -> bool:
    """Whether ``command`` could be run; it gets ``lines``, and ends when the user has seen enough."""
    sys.stdout.flush()
    try:
        process = subprocess.Popen(command, shell=True, stdin=subprocess.PIPE)
    except OSError:
        return False
    try:
        process.communicate("\n".join((*lines, "")).encode("utf-8", "replace"))
    except KeyboardInterrupt:  # it is for the pager, which goes on
        process.wait()
    except BrokenPipeError:
        process.wait()
    return process.returncode not in (126, 127)


def terminal_width() -> int:
    """Columns of the terminal."""
    return shutil.get_terminal_size().columns

"""The end of a run on the screen, the same for ``exp run`` and ``exp repro``."""

from __future__ import annotations

from redoit.model import RunResult
from redoit.report.progress import PlainListener
from redoit.report.summary import summary


def show_end(result: RunResult, listener: PlainListener, *, quiet: bool, dry: bool) -> None:
    """Print what the run came to; each failure was shown when it happened."""
    if result.interrupted:
        listener.screen.line("interrupted: what had finished is recorded", error=True)
    if not quiet:
        listener.screen.line(summary(result, dry=dry))

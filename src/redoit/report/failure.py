"""An exception as a user sees it: a mistake with what to do, or a bug with how to report it."""

from __future__ import annotations

from redoit.errors import RedoitError, UsageError
from redoit.printable import printable


def logged(error: BaseException) -> str:
    """The whole message for a log: with the traceback of a bug, as nobody can run it again with ``-v``."""
    return told(error, verbose=not isinstance(error, RedoitError))


def told(error: BaseException, *, verbose: bool) -> str:
    """The whole message, without a trailing newline.

    ``verbose`` puts the traceback first; a wrong command line has none worth seeing.
    """
    if isinstance(error, RedoitError):
        lines = [error.render()]
    else:
        lines = [
            "error: this is a bug in Redoit, not a mistake of yours",
            f"  {type(error).__name__}: {printable(str(error))}",
            "  please report it with the lines above, the command and `exp --version`"
            if verbose
            else "  run the same command with -v, and report what it prints with `exp --version`",
        ]
    if verbose and not isinstance(error, UsageError):
        import traceback

        trace = "".join(traceback.format_exception(error)).rstrip()
        lines.insert(0, "\n".join(map(printable, trace.split("\n"))))
    return "\n".join(lines)

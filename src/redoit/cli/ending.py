"""The end of a run on the screen, the same for ``exp run`` and ``exp repro``."""

from __future__ import annotations

from redoit.errors import RedoitError
from redoit.model import RunResult
from redoit.profile import Profile
from redoit.report.profile import profile_json, profile_table
from redoit.report.progress import PlainListener
from redoit.report.summary import summary


def show_end(result: RunResult, listener: PlainListener, *, quiet: bool, dry: bool) -> None:
    """Print what the run came to; each failure was shown when it happened."""
    if result.interrupted:
        listener.screen.line("interrupted: what had finished is recorded", error=True)
    if not quiet:
        listener.screen.line(summary(result, dry=dry))


def wanted_profile(table: bool, file: str | None) -> Profile | None:
    """A new Profile if one of the two was asked for."""
    return Profile() if table or file is not None else None


def write_profile(
    profile: Profile | None,
    result: RunResult,
    listener: PlainListener,
    *,
    table: bool,
    file: str | None,
) -> None:
    """Print where the time went, and write it to ``file``. Raises RedoitError if that cannot be written."""
    if profile is None:
        return
    spent = profile.spent()
    if table:
        listener.screen.line(profile_table(spent))
    if file is not None:
        try:
            with open(file, "w", encoding="utf-8") as opened:
                opened.write(profile_json(spent, result))
        except OSError as error:
            raise RedoitError(
                f"cannot write where the time went: {error.strerror}",
                facts={"file": file},
                hint="the run itself is done; name another file with --profile-json",
            ) from None

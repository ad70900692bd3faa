"""What a run shows on a terminal when several stages run at a time: lines above a live status."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import IO, TYPE_CHECKING

from redoit.model import Address, Reason, Stage, StageResult
from redoit.printable import printable
from redoit.report.progress import PlainListener
from redoit.report.screen import Screen
from redoit.report.transfer import TransferCount, TransferLine
from redoit.report.words import Paint, count, duration, is_terminal, wants_colour

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

    from redoit.store.moved import Meter

_DRAWINGS_PER_SECOND = 5
_LISTED = 8
"""So many running stages are listed; more than that, and the others are counted."""


class LiveScreen(Screen):
    """A Screen with a part at the bottom that is drawn again and again: what ``status`` returns.

    Between ``start`` and ``stop``; otherwise it is like any Screen, and rich is not loaded.
    """

    def __init__(self, out: IO[str], err: IO[str], status: Callable[[], list[str]]) -> None:
        super().__init__(out, err)
        self._status = status
        self._live: Live | None = None

    def start(self) -> None:
        """Begin to draw. Can be called again while it draws."""
        from rich.console import Console
        from rich.live import Live

        with self.lock:
            if self._live is not None:
                return
            self._live = Live(
                console=Console(file=self.out, highlight=False, markup=False, emoji=False),
                get_renderable=self._drawing,
                refresh_per_second=_DRAWINGS_PER_SECOND,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()

    def stop(self) -> None:
        """Take the live part away and give the cursor back. Can be called twice."""
        with self.lock:
            live, self._live = self._live, None
            if live is not None:
                live.stop()

    def raw(self, data: bytes, *, error: bool = False) -> None:
        with self.lock:
            if self._live is None or (error and not is_terminal(self.err)):
                super().raw(data, error=error)
            else:
                self._print_above(self._live, data)

    def _print_above(self, live: Live, data: bytes) -> None:
        from rich.text import Text

        # Colours pass, but no codes that would move the cursor out of its line.
        text = Text.from_ansi(data.decode("utf-8", "replace").removesuffix("\n"))
        live.console.print(text, soft_wrap=True)

    def ask(self, question: str) -> str:
        with self.lock:
            drawing = self._live is not None
            self.stop()
            answer = super().ask(question)
            if drawing:
                self.start()
            return answer

    def _drawing(self) -> RenderableType:
        from rich.text import Text

        return Text("\n".join(self._status()), no_wrap=True, overflow="ellipsis")


class LiveListener(PlainListener):
    """One line for each stage when it ends; below, what runs for how long and how many are done.

    Only for several jobs: with one job the command itself owns the terminal.
    """

    def __init__(
        self,
        out: IO[str],
        err: IO[str],
        paint: Paint,
        *,
        verbose: bool = False,
        dry: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._live = LiveScreen(out, err, self.status)
        super().__init__(self._live, paint, verbose=verbose, dry=dry)
        self._announces = verbose or dry
        self._clock = clock
        self._began = clock()
        self._running: dict[Address, float] = {}
        self._done = 0
        self.transfers = _Transfers(self._live, clock)
        """The Meter of what the run gets from remotes."""

    def planned(self, stages: Sequence[Stage], jobs: int) -> None:
        super().planned(stages, jobs)
        self._began = self._clock()

    def started(self, stage: Stage, reasons: Sequence[Reason]) -> None:
        super().started(stage, reasons)
        with self._lock:
            self._running[stage.address] = self._clock()
        self._live.start()

    def finished(self, stage: Stage, result: StageResult) -> None:
        with self._lock:
            self._running.pop(stage.address, None)
            self._done += 1
        super().finished(stage, result)

    def ended(self) -> None:
        self._live.stop()
        super().ended()

    def status(self) -> list[str]:
        """The live part now: a line for each stage that runs, and the sum."""
        now = self._clock()
        with self._lock:
            running = [(address, int(now - since)) for address, since in self._running.items()]
            done = self._done
        lines = [
            f"  {printable(address)}  {duration(seconds)}" for address, seconds in running[:_LISTED]
        ]
        if len(running) > _LISTED:
            lines.append(f"  and {len(running) - _LISTED} more")
        total = count(len(self._position), "stage")
        sums = (
            f"{done:,} of {total} done, {len(running)} running, {duration(int(now - self._began))}"
        )
        moving = [self.transfers.text()] if self.transfers.active else []
        return [*lines, *moving, sums]


class _Transfers(TransferCount):
    """A TransferCount that is shown in the live part of the screen, which it makes begin."""

    def __init__(self, screen: LiveScreen, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self._screen = screen

    def begin(self, verb: str, files: int, size: int | None) -> None:
        super().begin(verb, files, size)
        self._screen.start()


def make_meter(listener: PlainListener, err: IO[str], *, jobs: int, quiet: bool) -> Meter:
    """What shows the transfers of a run that ``listener`` shows: a part of its live screen, or a line of its own."""
    if isinstance(listener, LiveListener):
        return listener.transfers
    return TransferLine(err, quiet=quiet or jobs > 1)


def make_listener(
    out: IO[str],
    err: IO[str],
    *,
    jobs: int,
    quiet: bool,
    verbose: bool,
    dry: bool,
    environ: Mapping[str, str] = os.environ,
) -> PlainListener:
    """The listener for these streams: live on a terminal with several jobs, else plain."""
    paint = Paint(wants_colour(out, environ))
    if jobs > 1 and not quiet and wants_live(out, environ):
        return LiveListener(out, err, paint, verbose=verbose, dry=dry)
    return PlainListener(Screen(out, err), paint, quiet=quiet, verbose=verbose, dry=dry)


def wants_live(out: IO[str], environ: Mapping[str, str] = os.environ) -> bool:
    """Whether ``out`` is a terminal on which a part can be drawn again and again, and nobody said no (``CI``)."""
    return is_terminal(out) and not environ.get("CI") and environ.get("TERM") != "dumb"

"""Many small things at once, in processes.

For a small file nearly all time goes by in short calls of the operating system. Threads that make
them quarrel about the interpreter's lock and are slower than one alone; processes are not.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from redoit.store.parallel import processors

SLICE = 64
"""Things done between two looks at what is left, at least."""
FEWEST = 1000
"""Things for which it pays to start a process, where each is read or written."""
FEWEST_LOOKS = 4000
"""Things for which it pays, where each is only asked for its status."""
_MOST = 8
"""Processes: more of them only wait for the file system."""
_TICKET = 2
"""Bytes."""
_TICKETS = 1024
"""At most: so few fit into any pipe."""

Act = Callable[[slice], list[Any]]


def in_slices(
    count: int, act: Act, *, fewest: int | None = None
) -> Iterator[tuple[slice, list[Any]]]:
    """``act`` on slices of a sequence of ``count`` things, each yielded with what that returned, in any order.

    Where it pays, which is for ``fewest`` things each (None: FEWEST), processes forked from this one take part. What
    ``act`` changes in their memory is lost: all that matters must be in its list, made of what ``marshal`` can write,
    and it must do no harm to carry out a slice twice. What they could not do is done here, so that errors are raised
    here.
    """
    step = max(SLICE, -(-count // _TICKETS))
    slices = [slice(start, start + step) for start in range(0, count, step)]
    helpers = min(processors(), _MOST, count // (fewest or FEWEST)) - 1
    if helpers < 1 or not _can_fork():
        for each in slices:
            yield each, act(each)
        return
    missing = dict(enumerate(slices))
    with _Tickets(len(slices)) as tickets:
        crew = _Crew(helpers, slices, act, tickets)
        try:
            while (number := tickets.take()) is not None:
                yield slices[number], act(slices[number])
                del missing[number]
            for number, results in crew.results():
                yield missing.pop(number), results
        finally:
            crew.dismiss()
    for each in missing.values():
        yield each, act(each)


def _can_fork() -> bool:
    """Whether this process can be forked safely: where it runs one thread, and that can be known."""
    if sys.platform != "linux":
        return False
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


class _Tickets:
    """The numbers below ``count``, of which every process takes one at a time. To be used with ``with``.

    They wait in a pipe that nobody writes to any more: what one process reads is gone for all.
    """

    def __init__(self, count: int) -> None:
        assert count <= _TICKETS
        self._handle, sink = os.pipe()
        os.write(sink, b"".join(number.to_bytes(_TICKET, "big") for number in range(count)))
        os.close(sink)

    def take(self) -> int | None:
        """The next number; None if there is no further one."""
        data = os.read(self._handle, _TICKET)
        return int.from_bytes(data, "big") if data else None

    def stop(self) -> None:
        """Let nobody take a further number."""
        while self.take() is not None:
            pass

    def __enter__(self) -> _Tickets:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)


class _Crew:
    """Owns the forked processes, until they are dismissed."""

    def __init__(self, size: int, slices: Sequence[slice], act: Act, tickets: _Tickets) -> None:
        self._members: dict[int, int] = {}
        """Process → the pipe that its results come from."""
        parent = os.getpid()
        for _ in range(size):
            source, sink = os.pipe()
            try:
                member = os.fork()
            except OSError:  # too many processes: the others manage
                os.close(source)
                os.close(sink)
                return
            if not member:
                _work(parent, slices, act, tickets, sink)
            os.close(sink)
            self._members[member] = source

    def results(self) -> Iterator[tuple[int, list[Any]]]:
        """Number of a slice and what came of it, when all are through."""
        for source in self._members.values():
            # One that was killed has sent nothing, or a part.
            with (
                open(source, "rb", closefd=False) as file,
                contextlib.suppress(EOFError, ValueError, TypeError),
            ):
                while True:
                    yield marshal.load(file)

    def dismiss(self) -> None:
        """End those that still run."""
        for member, source in self._members.items():
            os.close(source)
            with contextlib.suppress(ProcessLookupError):
                os.kill(member, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(member, 0)


def _work(parent: int, slices: Sequence[slice], act: Act, tickets: _Tickets, sink: int) -> None:
    """What a forked process does. It never returns, and leaves all that it has inherited as it is."""
    done: list[bytes] = []
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)  # what the handlers would end is not ours
        try:
            while os.getppid() == parent and (ticket := tickets.take()) is not None:
                done.append(marshal.dumps((ticket, act(slices[ticket]))))
        except Exception:  # noqa: BLE001  the parent meets it again
            tickets.stop()
        with open(sink, "wb", closefd=False) as file:
            file.writelines(done)
    finally:
        os._exit(0)

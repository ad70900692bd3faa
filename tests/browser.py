"""A page in a headless Chromium, driven over its debugging pipe.

The protocol is Chromium's own (https://chromedevtools.github.io/devtools-protocol): JSON
messages that end with a zero byte, read by the browser from its descriptor 3 and written to 4.
It tells when a page is ready; a fixed time does not, on a machine that is busy.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
SWITCHES = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage",
    "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--proxy-server=127.0.0.1:9", "--remote-debugging-pipe",
)  # fmt: skip
CORNER = {"x": 0, "y": 0, "width": 8, "height": 8, "scale": 1}
# Both are moved out of the way first: one of them may be 3 or 4 itself.
PLACED = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
for end, place in zip(ends, (3, 4)):
    os.dup2(end, place)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Page(NamedTuple):
    """What a page became: its markup, and all that was written to its console."""

    markup: str
    console: tuple[str, ...]


class Pipe:
    """The two ends of the debugging pipe that are ours."""

    def __init__(self, reading: int, writing: int) -> None:
        self._from, self._to = os.fdopen(reading, "rb"), os.fdopen(writing, "wb", buffering=0)
        self._asked, self._rest = 0, b""
        self.console: list[str] = []

    def __enter__(self) -> Pipe:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._from.close()
        self._to.close()

    def ask(self, method: str, session: str = "", **values: Any) -> dict[str, Any]:
        """The answer to one call; what the page says meanwhile goes to its console."""
        self._asked += 1
        message = {"id": self._asked, "method": method, "params": values}
        message |= {"sessionId": session} if session else {}
        self._to.write(json.dumps(message).encode() + b"\0")
        for told in self._messages():
            if told.get("id") == self._asked:
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result
            if told.get("method") in ("Log.entryAdded", "Runtime.consoleAPICalled"):
                self.console.append(json.dumps(told["params"]))
        raise AssertionError(f"the browser ended before it answered {method}")

    def _messages(self) -> Iterator[dict[str, Any]]:
        while part := self._from.read1(1 << 20):
            *whole, self._rest = (self._rest + part).split(b"\0")
            # Only an answer ends the reading, and nothing is on its way after one but events.
            yield from map(json.loads, whole)


@contextmanager
def _browser(home: Path, env: Mapping[str, str]) -> Iterator[Pipe]:
    assert BROWSER is not None
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    switches = [BROWSER, *SWITCHES, f"--user-data-dir={home / 'browser'}"]
    command = [sys.executable, "-c", PLACED, str(theirs_in), str(theirs_out), *switches]
    with open(home / "browser.log", "wb") as log:
        process = subprocess.Popen(
            command, env={**env, "HOME": str(home)}, pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        with Pipe(ours_in, ours_out) as pipe:
            yield pipe
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def drawn(page: Path, ready: str, home: Path, env: Mapping[str, str]) -> Page:
    """``page`` as the browser shows it once the JavaScript condition ``ready`` holds.

    After two minutes it is what the page is then, for the test to say what is missing.
    """
    with _browser(home, env) as pipe:
        target = pipe.ask("Target.createTarget", url="about:blank")["targetId"]
        session = pipe.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Log", "Runtime"):
            pipe.ask(f"{domain}.enable", session)
        # A plot is drawn as it comes into view: all of the page is in view.
        pipe.ask(
            "Emulation.setDeviceMetricsOverride", session,
            width=1500, height=20000, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        pipe.ask("Page.navigate", session, url=page.as_uri())
        limit = time.monotonic() + 120
        while not _value(pipe, session, ready) and time.monotonic() < limit:
            # Without a screen no frame is due, and none is made unless somebody wants to see it.
            pipe.ask("Page.captureScreenshot", session, clip=CORNER)
        markup = _value(pipe, session, "document.documentElement.outerHTML")
        return Page(markup, tuple(pipe.console))


def _value(pipe: Pipe, session: str, expression: str) -> Any:
    return pipe.ask("Runtime.evaluate", session, expression=expression)["result"]["value"]

"""The ``console`` blocks of a page: commands behind ``$``, and below each what it prints.

    python -m tests.docs.console docs/tutorial.md

runs all of them, one after the other in one new folder, and writes what they print into the page.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.sandbox import isolated_environment, run


@dataclass(frozen=True)
class Step:
    """A command (of several lines, if it has a here-document) and what the page says it prints."""

    command: str
    printed: str
    start: int
    """Offset in the page of what it prints."""
    end: int


def steps(page: str) -> Iterator[Step]:
    """The commands of all console blocks, in order."""
    for block in re.finditer(r"^```console\n(.*?)^```$", page, re.M | re.S):
        at = block.start(1)
        # A command reaches to the end of its here-document, or of its line.
        for part in re.finditer(
            r"\$ ((?:[^\n]*<<'(?P<end>\w+)'\n.*?^(?P=end)\n)|[^\n]*\n)(.*?)(?=^\$ |\Z)",
            block[1],
            re.M | re.S,
        ):
            yield Step(part[1], part[3], at + part.start(3), at + part.end(3))


def play(page: str, folder: Path, home: Path) -> Iterator[tuple[Step, str]]:
    """Run every command in ``folder``; each with what it really prints."""
    env = isolated_environment(home)
    for step in steps(page):
        done = run(["sh", "-c", step.command], cwd=folder, env=env, code=None)
        yield step, done.stderr + done.stdout


def comparable(text: str) -> str:
    """``text`` without what differs from run to run: durations and commits."""
    text = re.sub(r"\b\d+(\.\d+)? s\b", "N s", text)
    return re.sub(r"\([0-9a-f]{7}\)", "(COMMIT)", text)


def main() -> None:
    for name in sys.argv[1:]:
        path = Path(name)
        page = path.read_text()
        with tempfile.TemporaryDirectory() as top:
            folder, home = Path(top, "project"), Path(top, "home")
            folder.mkdir()
            home.mkdir()
            played = list(play(page, folder, home))
        for step, printed in reversed(played):
            if comparable(printed) != comparable(step.printed):
                page = page[: step.start] + printed + page[step.end :]
        path.write_text(page)


if __name__ == "__main__":
    main()

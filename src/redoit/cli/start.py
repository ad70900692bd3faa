"""Where the command ``exp`` begins: Ctrl-C ends it as it should also while the rest is being imported."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from redoit.late import late

if TYPE_CHECKING:
    from redoit.cli.main import main as carry_out
else:
    carry_out = late("redoit.cli.main", "main")


def main() -> None:
    """Entry point of the console script."""
    try:
        carry_out()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr, flush=True)
        # At once: what is half imported has nothing to put away.
        os._exit(130)

"""``python -m tests.kill --times 200 --seed 1``: kill that many runs, and check the run after each."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.kill.kill import Failure, Site


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.kill", description=__doc__)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1, help="of the first; the others follow")
    options = parser.parse_args()
    top = Path(tempfile.mkdtemp(prefix="redoit-kill-"))
    site = Site(top)
    began = time.monotonic()
    ends: Counter[str] = Counter()
    for number in range(options.times):
        try:
            print(site.trial(str(options.seed + number)), flush=True)
            ends["right"] += 1
        except Failure as failure:
            print(failure, flush=True)
            ends["wrong"] += 1
    print(
        f"{ends.total()} kills in {time.monotonic() - began:.0f} s: {ends['right']} right, {ends['wrong']} wrong"
    )
    if not ends["wrong"]:
        shutil.rmtree(top)
    return int(ends["wrong"] > 0)


if __name__ == "__main__":
    sys.exit(main())

"""Calls of functions counted, in all threads."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any


def counted(
    action: Callable[[], object], names: Callable[[FrameType, str, Any], Iterable[str]]
) -> Counter[str]:
    """How often each name came while ``action`` was carried out: ``names`` gives those that a call counts as.

    It is asked for each event of ``sys.setprofile``.
    """
    found: Counter[str] = Counter()
    lock = threading.Lock()

    def saw(frame: FrameType, event: str, what: Any) -> None:
        for name in names(frame, event, what):
            with lock:
                found[name] += 1

    threading.setprofile(saw)
    sys.setprofile(saw)
    try:
        action()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
    return found

"""The digest of what an experiment ran, as DVC computes it for its commit message."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from redoit.model import Trace
from redoit.trace.record import lock_data


def hash_experiment(ran: Iterable[tuple[str, Trace]]) -> str:
    """SHA-256 of the traces of the stages that ran, given with the stages' names: 64 hex digits."""
    data = {name: lock_data(trace) for name, trace in ran}
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()

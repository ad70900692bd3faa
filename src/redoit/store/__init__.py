"""The store room: content of the workspace and of the cache."""

from __future__ import annotations

from redoit.store.look import Look
from redoit.store.statcache import StatCache
from redoit.store.store import Store

__all__ = ["Look", "StatCache", "Store"]

"""The store room: content of the workspace and of the cache."""

from __future__ import annotations

from redoit.store.look import Look
from redoit.store.migrate import Item, Migration
from redoit.store.statcache import StatCache
from redoit.store.store import Store
from redoit.store.verify import BadObject

__all__ = ["BadObject", "Item", "Look", "Migration", "StatCache", "Store"]

"""What killed commands left behind."""

from __future__ import annotations

import os

from redoit.files import DRAFT
from redoit.project import Layout

PREPARED = "apply-"
"""How the folders begin in which ``apply`` prepares files."""
_LEFT = ("index-", DRAFT, PREPARED)


def clean(layout: Layout) -> list[str]:
    """Remove indexes and prepared files of commands that were killed; the workspace must be locked.

    Returns the names of what was removed. Experiments and backups stay.
    """
    removed = []
    try:
        names = os.listdir(layout.tmp)
    except FileNotFoundError:
        return []
    for name in sorted(names):
        if name.startswith(_LEFT):
            path = os.path.join(layout.tmp, name)
            if os.path.isdir(path):
                import shutil  # slow to import, and seldom needed

                shutil.rmtree(path, ignore_errors=True)
            else:
                os.unlink(path)
            removed.append(name)
    return removed

"""What the verbs of a Project return, where no lower room has a word for it."""

from __future__ import annotations

from typing import NamedTuple

from redoit.experiments.refs import Experiment
from redoit.model import Address, Reason, RepoPath


class StageStatus(NamedTuple):
    """What would happen to a stage now: no reasons means that it is up to date as it stands."""

    address: Address
    reasons: tuple[Reason, ...]
    affected_by: tuple[Address, ...] = ()
    """Stages it depends on directly that are not up to date, or may not stay so: it may run after them."""
    frozen: bool = False


class Migrated(NamedTuple):
    """What a migration of the cache did."""

    files: tuple[RepoPath, ...]
    """The files that were rewritten; none: the project was so already."""
    lost: tuple[RepoPath, ...]
    """Paths whose recorded content is neither in the cache nor in the workspace: their records stay."""


class Saved(NamedTuple):
    """A workspace that was recorded. ``left_out``: its files that neither Git nor the experiment knows."""

    experiment: Experiment
    left_out: tuple[RepoPath, ...]

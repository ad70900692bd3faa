"""The Python interface: a project and its verbs. The command line is a thin face over it."""

from redoit.api.project import Project
from redoit.api.results import ExperimentResult, Migrated, Saved, StageStatus

__all__ = ["ExperimentResult", "Migrated", "Project", "Saved", "StageStatus"]

"""The Python interface: a project and its verbs. The command line is a thin face over it."""

from redoit.api.project import Project
from redoit.api.results import Migrated, Saved, StageStatus
from redoit.experiments.run import ExperimentResult

__all__ = ["ExperimentResult", "Migrated", "Project", "Saved", "StageStatus"]

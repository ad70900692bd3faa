"""Experiments: Git commits on a baseline that no branch shows."""

from redoit.experiments.refs import Experiment, ref_of
from redoit.experiments.save import find_same, free_name, save_experiment

__all__ = ["Experiment", "find_same", "free_name", "ref_of", "save_experiment"]

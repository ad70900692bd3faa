"""Experiments: Git commits on a baseline that no branch shows."""

from redoit.experiments.save import Experiment, find_same, free_name, ref_of, save_experiment

__all__ = ["Experiment", "find_same", "free_name", "ref_of", "save_experiment"]

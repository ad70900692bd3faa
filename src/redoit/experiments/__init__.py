"""Experiments: Git commits on a baseline that no branch shows."""

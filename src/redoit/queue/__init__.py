"""Experiments that wait for their turn, and the workers that run them outside of the user's workspace."""

"""Reward functions, and the worker processes that run them. A failure is never a score."""

"""Procedures that make a reward model in several stages."""

"""Rounds of sampling, selecting and training."""

"""Measuring what was learnt, with intervals and tests."""

"""Measuring what a model has learned, with intervals and tests."""

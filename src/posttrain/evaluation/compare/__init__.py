"""Comparisons of methods on one task: the same data, budget, seeds and measurements, with intervals and a figure."""

"""Strategies of search, one file each: `--search beam` is the function beam in strategies/beam.py."""

"""Bundled problems that can be checked: one file each, with `LEVELS` and `make(index, seed, level) -> Problem`.

A new file in this folder is a new name for `data:`.
"""

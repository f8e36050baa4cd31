"""Choices, one file each: `--choose mbr` is the function mbr in choices/mbr.py."""

"""Formats of other libraries and data sets, each translated into our columns. `translate.py` has their order."""

"""Transforms that change a finished method without editing its file."""

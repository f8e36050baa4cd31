"""Searches over prompts, models that write and edit them, and comparisons of ways to ask."""

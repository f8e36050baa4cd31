"""Models that are averaged in their weights."""

"""Losses: one value per token, row or pair. They never reduce."""

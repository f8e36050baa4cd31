"""Scores within bounds."""

from __future__ import annotations


def clip(score: float, *, low: float = -1.0, high: float = 1.0) -> float:
    """Return the score, at least `low` and at most `high`.

        min(max(r, low), high)

    Settings:
        low: smallest score; any number below `high`.
        high: largest score; any number above `low`.
    """
    return min(max(score, low), high)

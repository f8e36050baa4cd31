"""Scores between 0 and 1 in every batch."""

from __future__ import annotations

from collections.abc import Sequence


def min_max(scores: Sequence[float]) -> list[float]:
    """Return where each score of a batch lies between the lowest and the highest one; 0.5 where all are equal.

    (r_i - min) / (max - min)
    """
    low, high = min(scores), max(scores)
    return [(score - low) / (high - low) if high > low else 0.5 for score in scores]

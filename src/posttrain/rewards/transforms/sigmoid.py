"""Scores between 0 and 1."""

from __future__ import annotations

import math


def sigmoid(score: float, *, centre: float = 0.0, slope: float = 1.0) -> float:
    """Return the probability that a Bradley-Terry model gives to beating an answer of score `centre`.

        σ(k (r - c))

    Settings:
        centre: c, score that becomes 1/2; any number.
        slope: k, steepness; above 0, where 1 reads the score as log-odds.
    """
    x = slope * (score - centre)
    return 1 / (1 + math.exp(-x)) if x > 0 else math.exp(x) / (1 + math.exp(x))

"""Transforming and Combining Rewards for Aligning Large Language Models (Wang et al., 2024).

A gain that falls off once an answer is good: sums of such scores are the log-probability that all properties hold.
"""

from __future__ import annotations

import math


def log_sigmoid(score: float, *, centre: float = 0.0) -> float:
    """Return the log-probability of beating an answer of score `centre`; 0 at most.

        log σ(r - c)

    The paper takes for c a quantile of the scores of baseline answers to the prompt: put
    {path: contrastive, quantile: 0.85} before it.

    Settings:
        centre: c, score that becomes log 1/2; any number, 0 after `contrastive`.
    """
    x = score - centre
    return min(x, 0.0) - math.log1p(math.exp(-abs(x)))

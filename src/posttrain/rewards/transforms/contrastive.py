"""Improving Reinforcement Learning from Human Feedback Using Contrastive Rewards (Shen et al., 2024).

What an answer is worth more than the answers that the model gave before the training.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def contrastive(score: float, baseline: Sequence[float], *, quantile: float | None = None) -> float:
    """Return the score less the mean, or a quantile, of the scores of the baseline answers to the same prompt.

        r(x, y) - mean_k r(x, b_k)

    Settings:
        quantile: quantile of the baseline's scores in place of their mean; 0 to 1, null takes the mean.
    """
    if quantile is None:
        return score - math.fsum(baseline) / len(baseline)
    ranked = sorted(baseline)
    place = quantile * (len(ranked) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ranked) - 1)
    return score - (ranked[low] + (place - low) * (ranked[high] - ranked[low]))

"""Reinforcement Learning for Bandit Neural Machine Translation with Simulated Human Feedback (Nguyen et al., 2017).

What people would say in the place of a metric: coarse, noisy and harsh or mild.

    p(r) = r^s,   v(r) = N(r, (ν min(0.64 r, 0.67 (1 - r)))²),   g(r) = round(b r) / b,   each within [0, 1]
"""

from __future__ import annotations

import math
from statistics import NormalDist

from posttrain.seeds import seed_for

_NORMAL = NormalDist()


def simulated_rating(
    score: float,
    text: str,
    *,
    skew: float = 1.0,
    variance: float = 0.0,
    levels: int | None = None,
    seed: int = 0,
) -> float:
    """Return the rating that a simulated person gives to an answer of this quality, from 0 to 1.

    The same person gives the same answer the same rating. A score outside [0, 1] is clipped to it.

        g(v(p(r)))

    Settings:
        skew: s, exponent; above 1 is harsh, below 1 mild, 1 neither; 0.25 to 4 in the paper.
        variance: ν, factor of the standard deviation that people were measured to have; 0 or more, 0 to 5 in the paper.
        levels: b, ratings above the lowest, such as 4 for five stars and 1 for thumbs; at least 1, null rates in reals.
        seed: seed of the person; any whole number.
    """
    rating = math.pow(min(max(score, 0.0), 1.0), skew)
    if variance:
        drawn = _NORMAL.inv_cdf((seed_for(seed, "rating", text) % 2**53 + 0.5) / 2**53)
        rating = min(max(rating + drawn * variance * min(0.64 * rating, 0.67 * (1 - rating)), 0.0), 1.0)
    return rating if levels is None else math.floor(levels * rating + 0.5) / levels

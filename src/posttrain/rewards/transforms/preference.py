"""Reward Shaping to Mitigate Reward Hacking in RLHF (Fu et al., 2025): Preference As Reward, PAR.

The probability of being preferred to an answer of the reference: bounded, steep at first, flat once the answer wins.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from posttrain.rewards.transforms.sigmoid import sigmoid


def preference(score: float, baseline: Sequence[float]) -> float:
    """Return the mean probability of beating the baseline answers to the same prompt.

    mean_m σ(r(x, y) - r(x, b_m))
    """
    return math.fsum(sigmoid(score, centre=each) for each in baseline) / len(baseline)

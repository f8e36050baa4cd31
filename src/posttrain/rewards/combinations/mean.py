"""The mean of rewards that are in the same units, such as the members of an ensemble."""

from __future__ import annotations

import math
from collections.abc import Mapping


def mean(scores: Mapping[str, float]) -> float:
    """Return the mean of the weighted scores of those that did not abstain.

    mean_k w_k r_k
    """
    return math.fsum(scores.values()) / len(scores)

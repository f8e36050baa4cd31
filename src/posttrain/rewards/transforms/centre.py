"""Scores relative to the other answers to the prompt."""

from __future__ import annotations

import math
from collections.abc import Sequence


def centre(group: Sequence[float]) -> list[float]:
    """Return the scores of the answers to one prompt less their mean.

    r_i - mean_j r_j
    """
    mean = math.fsum(group) / len(group)
    return [score - mean for score in group]

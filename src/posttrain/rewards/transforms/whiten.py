"""Scores of mean 0 and variance 1 in every batch."""

from __future__ import annotations

import math
from collections.abc import Sequence


def whiten(scores: Sequence[float], *, eps: float = 1e-8) -> list[float]:
    """Return the scores of a batch less their mean, over their standard deviation (divisor n).

        (r_i - μ) / (s + ε)

    Settings:
        eps: ε, keeps equal scores at 0; above 0, 1e-8 is usual.
    """
    mean = math.fsum(scores) / len(scores)
    spread = math.sqrt(math.fsum((score - mean) ** 2 for score in scores) / len(scores))
    return [(score - mean) / (spread + eps) for score in scores]

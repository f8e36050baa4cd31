"""Secrets of RLHF in Large Language Models Part I: PPO (Zheng et al., 2023): reward normalisation.

Scores in units of all that the training has seen, so that a batch of good answers stays good.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

State = Sequence[float] | None  # number of scores so far, their mean, the sum of their squared distances to it


def running_whiten(
    state: State, scores: Sequence[float], *, centred: bool = True, eps: float = 1e-8
) -> tuple[list[float], list[float]]:
    """Return the statistics with these scores, and the scores less the mean over the standard deviation of all so far.

        (r_i - μ_t) / (s_t + ε)

    Settings:
        centred: true subtracts the mean; false only divides, which keeps the sign of a score.
        eps: ε, keeps equal scores at 0; above 0, 1e-8 is usual.
    """
    count, mean, squares = state or (0.0, 0.0, 0.0)
    added = len(scores)
    own = math.fsum(scores) / added
    whole = count + added
    squares += math.fsum((score - own) ** 2 for score in scores) + (own - mean) ** 2 * count * added / whole
    mean += (own - mean) * added / whole
    spread = math.sqrt(squares / whole)
    return [whole, mean, squares], [(score - centred * mean) / (spread + eps) for score in scores]

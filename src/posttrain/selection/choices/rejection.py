"""Statistical Rejection Sampling Improves Preference Optimization (Liu et al., 2023).

Rejection sampling from the policy that is optimal at a strength β of the pull towards the model:

    π*(y) ∝ π(y) exp(r(y)/β);    accept y_i with probability exp((r(y_i) - max r)/β), else look at the next one

The maximum is that of the n answers, so one of them is always accepted, and the distribution is exact as n grows. β
near 0 is the best of n, and a large β is the model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def rejection(rewards: Sequence[float], uniforms: Sequence[float], *, n: int = 16, beta: float = 0.5) -> int:  # noqa: ARG001
    """Pick the first answer that is accepted.

    Settings:
        n: answers to each prompt; at least 1, more are nearer to the exact distribution, 8 to 64 is usual.
        beta: β, pull towards the model; above 0, in units of the reward, 0.1 to 2 is usual.
    """
    highest = max(rewards)
    accepted = (u < math.exp((r - highest) / beta) for r, u in zip(rewards, uniforms, strict=True))
    return next(i for i, a in enumerate(accepted) if a)

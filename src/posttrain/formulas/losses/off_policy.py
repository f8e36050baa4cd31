"""Weights for tokens that were sampled from another policy than the one about to be trained: from older weights, or
from the same weights with other arithmetic.

    w_t = π_old(y_t) / π_rollout(y_t)
"""

from __future__ import annotations

import torch

from posttrain.core.maths.divergence import bounded_exp
from posttrain.core.parts import PerToken


def truncated_importance(old_logp: PerToken, rollout_logp: PerToken, *, cap: float = 2.0) -> PerToken:
    """Truncated importance weights min(w_t, cap) (TIS; Yao et al., 2025).

    Settings:
        cap: largest weight; at least 1, usually 2 or 3.
    """
    return bounded_exp((old_logp - rollout_logp).detach()).clamp(max=cap)


def banded_importance(old_logp: PerToken, rollout_logp: PerToken, *, low: float = 0.5, high: float = 2.0) -> PerToken:
    """Importance weights w_t where low <= w_t <= high, else 0 (IcePop; Ling Team, 2025).

    Settings:
        low: smallest weight that counts; 0 to 1, usually 0.5.
        high: largest weight that counts; at least 1, usually 2 to 5.
    """
    weight = bounded_exp((old_logp - rollout_logp).detach())
    return torch.where((weight >= low) & (weight <= high), weight, 0)


def weighed(loss: PerToken, weight: PerToken) -> PerToken:
    """Loss of a token times its weight: w_t L_t.

    Tokens of weight 0 still count in the mean. Otherwise the remaining tokens would weigh more.
    """
    return weight * loss

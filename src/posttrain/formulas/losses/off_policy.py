"""Weights for tokens that another policy sampled than the one that is about to be trained: older weights, or the same
ones computed otherwise.

    w_t = π_old(y_t) / π_rollout(y_t)
"""

from __future__ import annotations

import torch

from posttrain.core.maths.divergence import bounded_exp
from posttrain.core.parts import PerToken


def truncated_importance(old_logp: PerToken, rollout_logp: PerToken, *, cap: float = 2.0) -> PerToken:
    """min(w_t, cap): truncated importance sampling (TIS; Yao et al., 2025)."""
    return bounded_exp((old_logp - rollout_logp).detach()).clamp(max=cap)


def banded_importance(old_logp: PerToken, rollout_logp: PerToken, *, low: float = 0.5, high: float = 2.0) -> PerToken:
    """w_t where low <= w_t <= high, else 0 (IcePop; Ling Team, 2025)."""
    weight = bounded_exp((old_logp - rollout_logp).detach())
    return torch.where((weight >= low) & (weight <= high), weight, 0)


def weighed(loss: PerToken, weight: PerToken) -> PerToken:
    """w_t L_t. Tokens of weight 0 still count in the mean, or what is left would weigh more."""
    return weight * loss

"""Policy-gradient losses, and the probability ratios that they clip."""

from __future__ import annotations

import torch

from posttrain.core.maths.divergence import bounded_exp
from posttrain.core.parts import PerToken
from posttrain.core.tensors import Rows


def reinforce(logp: PerToken, advantage: PerToken) -> PerToken:
    """-A_t log π(y_t)"""
    return -advantage * logp


def token_ratio(logp: PerToken, old_logp: PerToken) -> PerToken:
    """ρ_t = π(y_t) / π_old(y_t)"""
    return bounded_exp(logp - old_logp)


def sequence_ratio(logp: PerToken, old_logp: PerToken, rows: Rows) -> PerToken:
    """s = (π(y)/π_old(y))^(1/|y|) at every token of the row, with the gradient of each token's own log-prob."""
    mean = rows.spread(rows.mean((logp - old_logp).detach()))
    return bounded_exp(mean + logp - logp.detach())


def clipped_surrogate(advantage: PerToken, ratio: PerToken, *, low: float = 0.2, high: float = 0.2) -> PerToken:
    """-min(ρ A, clip(ρ, 1 - low, 1 + high) A)"""
    return -torch.minimum(ratio * advantage, ratio.clamp(1 - low, 1 + high) * advantage)


def surrogate(advantage: PerToken, ratio: PerToken) -> PerToken:
    """-ρ A"""
    return -ratio * advantage


def clipped_share(advantage: PerToken, ratio: PerToken, *, low: float = 0.2, high: float = 0.2) -> PerToken:
    """1 where the clip (1 - low, 1 + high) has cut off the gradient: its mean is the clip ratio."""
    cut = ((advantage > 0) & (ratio > 1 + high)) | ((advantage < 0) & (ratio < 1 - low))
    return cut.to(ratio.dtype)

"""Likelihoods of preferences and ties, with a learned share of ties: one loss per pair [N] of Δ = chosen - rejected.

`chosen_constant` is a number c that the reward model learns, the same for all pairs.
"""

from __future__ import annotations

import math

import torch
from torch.nn.functional import softplus

from posttrain.core.parts import PerPair, PerRow


def learned_threshold(
    chosen: PerPair,
    rejected: PerPair,
    chosen_tie: PerPair,
    chosen_constant: PerPair,
    *,
    start: float = 1.1,
    speed: float = 10.0,
) -> PerPair:
    """Negative log-likelihood under Rao and Kupper's model with a learned θ.

        -log σ(Δ - log θ) for a preference,    -log [(θ²-1) σ(Δ - log θ) σ(-Δ - log θ)] for a tie
        θ = 1 + (θ_0 - 1) e^{v c}

    Settings:
        start: θ_0, above 1; equal answers tie with probability (θ-1)/(θ+1), 0.05 at 1.1.
        speed: v, how much faster θ learns than a weight; 1 to 100.
    """
    delta, log_excess = chosen - rejected, math.log(start - 1) + speed * chosen_constant
    step = softplus(log_excess)  # log θ
    two = torch.full_like(log_excess, math.log(2))
    win = softplus(step - delta)
    return win + chosen_tie * (softplus(step + delta) - log_excess - torch.logaddexp(log_excess, two))


def davidson(
    chosen: PerPair,
    rejected: PerPair,
    chosen_tie: PerPair,
    chosen_constant: PerPair,
    *,
    start: float = 0.5,
    speed: float = 10.0,
) -> PerPair:
    """Negative log-likelihood under Davidson's model with a learned ν.

        P(w beats l) ∝ e^{Δ/2},    P(l beats w) ∝ e^{-Δ/2},    P(tie) ∝ ν,    ν = ν_0 e^{v c}

    Settings:
        start: ν_0, above 0; equal answers tie with probability ν/(2+ν), 0.2 at 0.5.
        speed: v, how much faster ν learns than a weight; 1 to 100.
    """
    half, log_tie = (chosen - rejected) / 2, math.log(start) + speed * chosen_constant
    total = torch.stack([half, -half, log_tie]).logsumexp(0)
    return total - torch.where(chosen_tie > 0, log_tie, half)


def log_multiple(constant: PerRow, *, speed: float = 10.0) -> PerRow:
    """Logarithm of how many times as large as at first θ - 1 or ν has become: v c.

    Settings:
        speed: v, how much faster it learns than a weight; 1 to 100.
    """
    return speed * constant

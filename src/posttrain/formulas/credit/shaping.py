"""From the reward of a row to the reward of each token."""

from __future__ import annotations

import torch

from posttrain.core.parts import PerRow, PerToken, Scalar
from posttrain.core.tensors import Rows


def reward_minus_kl(reward: PerRow, old_logp: PerToken, ref_logp: PerToken, kl_weight: Scalar, rows: Rows) -> PerToken:
    """r_t = [t last] R - β (log π_old - log π_ref), β a tensor (an adaptive coefficient)."""
    return rows.at_last(reward) - kl_weight * (old_logp - ref_logp)


def reward_minus_fixed_kl(
    reward: PerRow,
    old_logp: PerToken,
    ref_logp: PerToken,
    rows: Rows,
    *,
    kl_weight: float = 0.05,
    sign: float = 1.0,
) -> PerToken:
    """r_t = [t last] R - sign β (log π_old - log π_ref); a cost carries the penalty with sign -1."""
    return rows.at_last(reward) - sign * kl_weight * (old_logp - ref_logp)


def row_reward_minus_kl(
    reward: PerRow, old_logp: PerToken, ref_logp: PerToken, rows: Rows, *, kl_weight: float = 0.05
) -> PerRow:
    """R - β log π_old(y)/π_ref(y), the whole answer as one action."""
    return reward - kl_weight * rows.sum(old_logp - ref_logp)


def row_reward_minus_logp(reward: PerRow, old_logp: PerToken, rows: Rows, *, entropy_weight: float = 1.0) -> PerRow:
    """R - c log π_old(y), c the entropy weight"""
    return reward - entropy_weight * rows.sum(old_logp)


def row_reward_minus_conditional_logp(
    reward: PerRow,
    old_logp: PerToken,
    ref_logp: PerToken,
    rows: Rows,
    *,
    natural: float = 3.0,
    log_epsilon: float = 0.0,
    kl_weight: float = 0.05,
) -> PerRow:
    """R - (log π_old(y)/ε + 1) where -log π_ref(y)/|y| <= ν, else R - β (log π_old(y)/π_ref(y) + 1); ν = natural

    The 1 is the derivative of the logarithm: no baseline takes it out where its weight is not the same everywhere.
    """
    matched = rows.sum(old_logp) - log_epsilon + 1
    held = kl_weight * (rows.sum(old_logp - ref_logp) + 1)
    return reward - torch.where(rows.mean(ref_logp) >= -natural, matched, held)


def soft_overlong(reward: PerRow, rows: Rows, max_tokens: Scalar, *, buffer: float = 0.2) -> PerRow:
    """DAPO (Yu et al., 2025, eq. 13): from 0 at (1 - buffer) L_max tokens linearly to -1 at L_max."""
    free = max_tokens * (1 - buffer)
    return reward - ((rows.length() - free) / (max_tokens - free)).clamp(0, 1)


def terminal(reward: PerRow, rows: Rows) -> PerToken:
    """r_t = [t last] R"""
    return rows.at_last(reward)

"""Rewards of tokens and rows from the reward of a row, the KL and the length."""

from __future__ import annotations

import torch

from posttrain.core.maths.divergence import k2, k3
from posttrain.core.parts import PerRow, PerToken, Scalar
from posttrain.core.rows import Rows


def reward_minus_kl(reward: PerRow, old_logp: PerToken, ref_logp: PerToken, kl_weight: Scalar, rows: Rows) -> PerToken:
    """Token rewards: the reward at the last token, less the KL at a coefficient that is a tensor.

    r_t = [t last] R - β (log π_old - log π_ref)
    """
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
    """Token rewards: the reward at the last token, less the KL to the reference.

        r_t = [t last] R - sign β (log π_old - log π_ref)

    Settings:
        kl_weight: β, price of a nat of KL to the reference; 0 or more, 0.01 to 0.1 is usual.
        sign: 1 for a reward, -1 for a cost, which grows with the KL.
    """
    return rows.at_last(reward) - sign * kl_weight * (old_logp - ref_logp)


def minus_kl(old_logp: PerToken, ref_logp: PerToken, *, kl_weight: float = 1.0) -> PerToken:
    """Token rewards that are the KL to the reference alone.

        r_t = -β (log π_old - log π_ref)

    Settings:
        kl_weight: β, price of a nat of KL to the reference; 0 or more, 0.01 to 0.1 is usual.
    """
    return -kl_weight * (old_logp - ref_logp)


def logp_by_k2(old_logp: PerToken, ref_logp: PerToken) -> PerToken:
    """Log-prob that lies by k2 above that of the reference, in place of k1: log π_ref + k2(log π_old/π_ref)."""
    return ref_logp + k2(old_logp - ref_logp)


def logp_by_k3(old_logp: PerToken, ref_logp: PerToken) -> PerToken:
    """Log-prob that lies by k3 above that of the reference, in place of k1: log π_ref + k3(log π_old/π_ref)."""
    return ref_logp + k3(old_logp - ref_logp)


def dense_reward_alone(dense_reward: PerToken) -> PerToken:
    """Token rewards: the reward at the tokens that earned it."""
    return dense_reward


def dense_reward_minus_kl(
    dense_reward: PerToken, old_logp: PerToken, ref_logp: PerToken, *, kl_weight: float = 0.05
) -> PerToken:
    """Token rewards: the reward at the tokens that earned it, less the KL to the reference.

        r_t - β (log π_old - log π_ref)

    Settings:
        kl_weight: β, price of a nat of KL to the reference; 0 or more, 0.01 to 0.1 is usual.
    """
    return dense_reward - kl_weight * (old_logp - ref_logp)


def row_reward_minus_kl(
    reward: PerRow, old_logp: PerToken, ref_logp: PerToken, rows: Rows, *, kl_weight: float = 0.05
) -> PerRow:
    """Reward of the row less the KL to the reference, the whole answer as one action.

        R - β log π_old(y)/π_ref(y)

    Settings:
        kl_weight: β, price of a nat of KL to the reference; 0 or more, 0.01 to 0.1 is usual.
    """
    return reward - kl_weight * rows.sum(old_logp - ref_logp)


def row_reward_minus_logp(reward: PerRow, old_logp: PerToken, rows: Rows, *, entropy_weight: float = 1.0) -> PerRow:
    """Reward of the row with a bonus for its entropy.

        R - c log π_old(y)

    Settings:
        entropy_weight: c, reward of a nat of entropy; 0 or more, where 1 matches the preferences that r expresses.
    """
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
    """Reward of the row with an entropy bonus for natural answers and a KL penalty for the others.

        R - (log π_old(y)/ε + 1)             where -log π_ref(y)/|y| <= ν
        R - β (log π_old(y)/π_ref(y) + 1)    elsewhere

    The 1 is the derivative of the logarithm. No baseline removes it where its weight differs between answers.

    Settings:
        natural: ν, nats per token under the reference up to which an answer is natural; above 0, 3 by default.
        log_epsilon: ln ε, bonus of all natural answers against the others; any number, in units of the reward.
        kl_weight: β, price of a nat of KL to the reference; 0 or more, 0.01 to 0.1 is usual.
    """
    matched = rows.sum(old_logp) - log_epsilon + 1
    held = kl_weight * (rows.sum(old_logp - ref_logp) + 1)
    return reward - torch.where(rows.mean(ref_logp) >= -natural, matched, held)


def soft_overlong(reward: PerRow, rows: Rows, max_tokens: Scalar, *, buffer: float = 0.2) -> PerRow:
    """Reward less a penalty that grows linearly from 0 at (1 - b) L_max tokens to 1 at L_max (Yu et al., 2025, eq. 13).

    Settings:
        buffer: b, share of max_tokens over which the penalty grows; above 0 and at most 1, 0.2 in the paper.
    """
    free = max_tokens * (1 - buffer)
    return reward - ((rows.length() - free) / (max_tokens - free)).clamp(0, 1)


def terminal(reward: PerRow, rows: Rows) -> PerToken:
    """Token rewards: the reward at the last token, 0 before it."""
    return rows.at_last(reward)


def plus_potential(
    token_reward: PerToken, potential: PerToken, rows: Rows, *, gamma: float = 1.0, scale: float = 1.0
) -> PerToken:
    """Token rewards and the gain of a potential, which is 0 before the first token and behind the last one.

        r_t + c (γ Φ(s_{t+1}) - Φ(s_t)),    `potential` holds Φ(s_{t+1}) at t

    Settings:
        gamma: γ, discount of later rewards, that of the advantages; 0 to 1, where 1 does not discount.
        scale: c, weight of the potential; any number, where 0 is the plain reward.
    """
    before = rows.previous(potential)
    return token_reward + scale * (gamma * rows.next(before) - before)

"""Advantages from token rewards: with a critic, without one, and their normalisation."""

from __future__ import annotations

import torch

from posttrain.core.parts import PerRow, PerToken
from posttrain.core.rows import Rows


def gae(token_reward: PerToken, old_value: PerToken, rows: Rows, *, gamma: float = 1.0, lam: float = 0.95) -> PerToken:
    """Advantages by generalised advantage estimation (Schulman et al., 2016).

        A_t = Σ_k (γλ)^k δ_{t+k},    δ_t = r_t + γ V_{t+1} - V_t

    V after the last token is 0.

    Settings:
        gamma: γ, discount of later rewards; 0 to 1, where 1 does not discount.
        lam: λ, weight of sampled rewards against the critic; 0 (one step) to 1 (the whole answer), usually 0.95.
    """
    return rows.discount(token_reward + gamma * rows.next(old_value) - old_value, gamma * lam)


def add_value(credit: PerToken, old_value: PerToken) -> PerToken:
    """Returns R_t = A_t + V_t, the target of the critic."""
    return credit + old_value


def reward_to_go(token_reward: PerToken, rows: Rows, *, gamma: float = 1.0) -> PerToken:
    """Discounted sum of this and all later rewards: Σ_{k>=t} γ^{k-t} r_k.

    Settings:
        gamma: γ, discount of later rewards; 0 to 1, where 1 does not discount.
    """
    return rows.discount(token_reward, gamma)


def minus_value(returns: PerToken, old_value: PerToken) -> PerToken:
    """Returns less the critic's value: R_t - V_t."""
    return returns - old_value


def whiten(credit: PerToken, rows: Rows, *, eps: float = 1e-8) -> PerToken:
    """Standardised advantages over the trained tokens, 0 outside the mask. The variance is the biased one.

        (A - mean) / (std + ε)

    Settings:
        eps: ε, keeps the division finite; above 0 and far below the deviation, 1e-8 is usual.
    """
    x = credit[rows.mask]
    if not len(x):
        return torch.zeros_like(credit)
    return torch.where(rows.mask, (credit - x.mean()) / (x.std(correction=0) + eps), 0)


def at_every_token(reward: PerRow, rows: Rows) -> PerToken:
    """Reward of the row as the advantage of each of its tokens."""
    return rows.spread(reward)


def constrained(reward_credit: PerToken, cost_credit: PerToken, penalty: torch.Tensor) -> PerToken:
    """Advantages of the reward and the cost, traded by the multiplier: (A_r - λ A_c) / (1 + λ)."""
    return (reward_credit - penalty * cost_credit) / (1 + penalty)

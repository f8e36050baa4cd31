"""Advantages from token rewards: with a critic, without one, and their normalisation."""

from __future__ import annotations

import torch

from posttrain.core.parts import PerRow, PerToken
from posttrain.core.tensors import Rows


def gae(token_reward: PerToken, old_value: PerToken, rows: Rows, *, gamma: float = 1.0, lam: float = 0.95) -> PerToken:
    """A_t = Σ_k (γλ)^k δ_{t+k}, δ_t = r_t + γ V_{t+1} - V_t; V after the last token is 0 (Schulman et al., 2016)."""
    return rows.discount(token_reward + gamma * rows.next(old_value) - old_value, gamma * lam)


def add_value(credit: PerToken, old_value: PerToken) -> PerToken:
    """R_t = A_t + V_t, the target of the critic."""
    return credit + old_value


def reward_to_go(token_reward: PerToken, rows: Rows, *, gamma: float = 1.0) -> PerToken:
    """Σ_{k>=t} γ^{k-t} r_k"""
    return rows.discount(token_reward, gamma)


def whiten(credit: PerToken, rows: Rows, *, eps: float = 1e-8) -> PerToken:
    """(A - mean) / (std + ε) over the trained tokens (biased variance); 0 outside the mask."""
    x = credit[rows.mask]
    if not len(x):
        return torch.zeros_like(credit)
    return torch.where(rows.mask, (credit - x.mean()) / (x.std(correction=0) + eps), 0)


def at_every_token(reward: PerRow, rows: Rows) -> PerToken:
    """The reward of the row as the advantage of each of its tokens."""
    return rows.spread(reward)


def constrained(reward_credit: PerToken, cost_credit: PerToken, penalty: torch.Tensor) -> PerToken:
    """(A_r - λ A_c) / (1 + λ)"""
    return (reward_credit - penalty * cost_credit) / (1 + penalty)

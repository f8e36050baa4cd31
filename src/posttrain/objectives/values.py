"""Losses and measures of critics."""

from __future__ import annotations

import torch

from posttrain.parts import PerRow, PerToken, Scalar
from posttrain.tensors import Rows


def clipped_value(value: PerToken, old_value: PerToken, returns: PerToken, *, clip: float = 0.2) -> PerToken:
    """½ max((V - R)², (clip(V, V_old ± clip) - R)²)"""
    near = old_value + (value - old_value).clamp(-clip, clip)
    return 0.5 * torch.maximum((value - returns) ** 2, (near - returns) ** 2)


def explained_variance(old_value: PerToken, returns: PerToken, rows: Rows) -> Scalar:
    """1 - Var(R - V) / Var(R) over the trained tokens; 0 where the returns do not vary."""
    target, error = returns[rows.mask], (returns - old_value)[rows.mask]
    if not len(target):
        return target.new_zeros(())
    spread = target.var(correction=0)
    return torch.where(spread > 0, 1 - error.var(correction=0) / spread.clamp(min=1e-12), 0.0)


def squared_error(value: PerRow, target: PerRow) -> PerRow:
    """(V - R)²"""
    return (value - target) ** 2


def soft_bellman(value: PerRow, reward: PerRow, score: PerRow, *, tau: float = 1.0) -> PerRow:
    """(r - sg V - τ s)² / (2τ) + (r - V - τ sg s)² / 2"""
    of_policy, of_value = reward - value.detach() - tau * score, reward - value - tau * score.detach()
    return of_policy**2 / (2 * tau) + of_value**2 / 2

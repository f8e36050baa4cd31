"""Rewards that the policy gives itself: how sure it was of its answer."""

from __future__ import annotations

from posttrain.core.parts import PerRow, PerToken
from posttrain.core.rows import Rows


def mean_certainty(old_certainty: PerToken, rows: Rows) -> PerRow:
    """Self-certainty: the mean distance of the policy's distributions from the uniform one, 1/|y| Σ_t KL(U || π_t)."""
    return rows.mean(old_certainty)


def minus_mean_entropy(old_entropy: PerToken, rows: Rows) -> PerRow:
    """Minus the mean entropy of the policy's distributions: -1/|y| Σ_t H(π_t)."""
    return -rows.mean(old_entropy)


def mean_old_logp(old_logp: PerToken, rows: Rows) -> PerRow:
    """Mean log-prob of the tokens that were sampled: 1/|y| Σ_t log π_old(y_t)."""
    return rows.mean(old_logp)


def internal(internal_reward: PerRow) -> PerRow:
    """The internal reward, as a metric."""
    return internal_reward

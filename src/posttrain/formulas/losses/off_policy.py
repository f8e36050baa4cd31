"""Weights for tokens that were sampled from another policy than the one about to be trained: from older weights, or
from the same weights with other arithmetic.

    w_t = π_old(y_t) / π_rollout(y_t)
"""

from __future__ import annotations

import torch

from posttrain.core.maths.divergence import bounded_exp
from posttrain.core.parts import PerToken
from posttrain.core.rows import Rows


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


def sequence_truncated_importance(
    old_logp: PerToken, rollout_logp: PerToken, rows: Rows, *, cap: float = 2.0
) -> PerToken:
    """Truncated importance weights of whole answers, at every token: min(Π_t w_t, cap).

    Settings:
        cap: largest weight; at least 1, usually 2 or 3.
    """
    return bounded_exp(rows.spread(rows.sum((old_logp - rollout_logp).detach()))).clamp(max=cap)


def sequence_banded_importance(
    old_logp: PerToken, rollout_logp: PerToken, rows: Rows, *, low: float = 0.0, high: float = 3.0
) -> PerToken:
    """Importance weights Π_t w_t of whole answers where they lie in the band, else 0, at every token (MIS).

    Settings:
        low: smallest weight that counts; 0 to 1, usually 0.
        high: largest weight that counts; at least 1, usually 2 to 5.
    """
    weight = bounded_exp(rows.spread(rows.sum((old_logp - rollout_logp).detach())))
    return torch.where((weight >= low) & (weight <= high), weight, 0)


def geometric_band(
    old_logp: PerToken, rollout_logp: PerToken, rows: Rows, *, low: float = 0.99, high: float = 1.01
) -> PerToken:
    """1 for answers whose mean weight of a token, (Π_t w_t)^(1/|y|), lies in the band, else 0.

    Settings:
        low: smallest mean weight that counts; 0 to 1, 0.99 to 0.999 for the arithmetic of two engines.
        high: largest mean weight that counts; at least 1, 1.001 to 1.01 for the arithmetic of two engines.
    """
    weight = bounded_exp(rows.spread(rows.mean((old_logp - rollout_logp).detach())))
    return ((weight >= low) & (weight <= high)).to(old_logp.dtype)


def off_policy_sequence_mask(
    advantage: PerToken, logp: PerToken, rollout_logp: PerToken, rows: Rows, *, delta: float = 0.5
) -> PerToken:
    """0 for tokens of negative advantage in answers that the policy has left, else 1 (OPSM; DeepSeek-V3.2, 2025).

        0 where A < 0 and 1/|y| Σ_t log π_rollout/π > δ

    Settings:
        delta: δ, nats a token by which the policy may have moved away from an answer; above 0, 0.5 in TRL's example.
    """
    left = rows.spread(rows.mean(rollout_logp - logp.detach())) > delta
    return 1 - ((advantage < 0) & left).to(logp.dtype)


def weighed(loss: PerToken, weight: PerToken) -> PerToken:
    """Loss of a token times its weight: w_t L_t.

    Tokens of weight 0 still count in the mean. Otherwise the remaining tokens would weigh more.
    """
    return weight * loss

"""Losses of rows that carry a thumbs up or down."""

from __future__ import annotations

import torch

from posttrain.core.parts import PerRow, PerToken, Scalar
from posttrain.core.tensors import Rows


def prospect(
    score: PerRow,
    label: PerRow,
    reference_point: Scalar,
    *,
    beta: float = 0.1,
    desirable: float = 1.0,
    undesirable: float = 1.0,
) -> PerRow:
    """λ_D (1 - σ(β(s - z₀))) for a desirable row, λ_U (1 - σ(β(z₀ - s))) for an undesirable one."""
    gain = beta * (score - reference_point)
    return torch.where(label, desirable * (-gain).sigmoid(), undesirable * gain.sigmoid())


def positive_mean_log_ratio(logp: PerToken, ref_logp: PerToken, rows: Rows) -> Scalar:
    """z₀ = max(0, mean over rows of log π(y)/π_ref(y)), the estimate of the policy's KL."""
    return rows.sum(logp - ref_logp)[rows.trained].mean().clamp(min=0)


def signed_accuracy(score: PerRow, label: PerRow, reference_point: Scalar) -> PerRow:
    """1 where a desirable row scores above the reference point, or an undesirable one below."""
    return ((score > reference_point) == label).to(score.dtype)

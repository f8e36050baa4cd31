"""Losses of rows that carry a thumbs up or down."""

from __future__ import annotations

import torch

from posttrain.core.parts import PerRow, PerToken, Scalar
from posttrain.core.rows import Rows


def prospect(
    score: PerRow,
    label: PerRow,
    reference_point: Scalar,
    *,
    beta: float = 0.1,
    desirable: float = 1.0,
    undesirable: float = 1.0,
) -> PerRow:
    """Kahneman and Tversky's value of a gain or a loss against a reference point, as a loss.

        λ_D (1 - σ(β(s - z₀))) for a desirable row,    λ_U (1 - σ(β(z₀ - s))) for an undesirable one

    Settings:
        beta: pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
        desirable: λ_D, weight of desirable rows; above 0, with λ_D n_D / (λ_U n_U) between 1 and 4/3.
        undesirable: λ_U, weight of undesirable rows; above 0, with λ_D n_D / (λ_U n_U) between 1 and 4/3.
    """
    gain = beta * (score - reference_point)
    return torch.where(label, desirable * (-gain).sigmoid(), undesirable * gain.sigmoid())


def positive_mean_log_ratio(logp: PerToken, ref_logp: PerToken, rows: Rows) -> Scalar:
    """Estimate of the policy's KL: z₀ = max(0, mean over rows of log π(y)/π_ref(y))."""
    return rows.sum(logp - ref_logp)[rows.trained].mean().clamp(min=0)


def signed_accuracy(score: PerRow, label: PerRow, reference_point: Scalar) -> PerRow:
    """1 where a desirable row scores above the reference point or an undesirable one does not, else 0."""
    return ((score > reference_point) == label).to(score.dtype)

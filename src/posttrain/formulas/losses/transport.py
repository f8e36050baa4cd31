"""Losses of two samples of equal size that nothing pairs. Matched by rank, a convex function of the gaps costs least:
on the line, optimal transport is a sort."""

from __future__ import annotations

from posttrain.core.parts import PerPair, Scalar
from posttrain.formulas.losses.pairs import logistic


def sorted_logistic(chosen: PerPair, rejected: PerPair, *, beta: float = 0.1, smoothing: float = 0.0) -> Scalar:
    """1/n Σ_i [-(1-ε) log σ(z_i) - ε log σ(-z_i)], z_i = β (chosen_(i) - rejected_(i)), x_(i) the i-th smallest"""
    losses = logistic(chosen.sort().values, rejected.sort().values, beta=beta, smoothing=smoothing)
    return losses.sum() / max(len(losses), 1)

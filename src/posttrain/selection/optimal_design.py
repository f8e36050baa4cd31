"""Optimal design: which comparisons teach a linear reward most, for a given number of labels."""

from __future__ import annotations

import torch
from torch import Tensor


def uncertainty(vectors: Tensor, weights: Tensor) -> Tensor:
    """Return |b|²_{V⁻¹}, V = Σ_b π_b b bᵀ: the uncertainty about each comparison b [N, d] under the design π [N]."""
    information = vectors.T @ (weights[:, None] * vectors)
    left: Tensor = vectors @ torch.linalg.inv(information)
    return (left * vectors).sum(1)


def optimal_design(vectors: Tensor, *, tolerance: float = 0.05, steps: int = 5000) -> Tensor:
    """Return π [N] over comparisons b [N, d] that minimises max_b |b|²_{V(π)⁻¹}, to a factor of 1 + tolerance.

    The minimum is d, and the same π maximises log det V(π) (Kiefer and Wolfowitz, 1960). Frank-Wolfe from the uniform
    distribution: mass moves to the most uncertain comparison, by the step that raises log det V most. The vectors must
    span their d dimensions.
    """
    count, d = vectors.shape
    weights = vectors.new_full((count,), 1 / count)
    for _ in range(steps):
        unknown = uncertainty(vectors, weights)
        worst = int(unknown.argmax())
        most = float(unknown[worst])
        if most <= (1 + tolerance) * d:
            break
        rate = (most / d - 1) / (most - 1)
        weights = (1 - rate) * weights
        weights[worst] += rate
    return weights


def apportioned(weights: Tensor, total: int) -> list[int]:
    """Return whole numbers in proportion to the weights that sum to `total`, by largest remainders; ties go left."""
    shares = (weights / weights.sum() * total).tolist()
    counts = [int(x) for x in shares]
    by_remainder = sorted(range(len(shares)), key=lambda i: counts[i] - shares[i])
    for i in by_remainder[: total - sum(counts)]:
        counts[i] += 1
    return counts

"""Weights of rules, fitted to pairs of answers that are known to be better and worse (Mu et al., 2024)."""

from __future__ import annotations

import math
from collections.abc import Sequence


def hinge_weights(
    pairs: Sequence[tuple[Sequence[float], Sequence[float]]],
    scores: Sequence[tuple[float, float]] | None = None,
    *,
    margin: float = 1.0,
    rate: float = 0.01,
    steps: int = 1000,
) -> list[float]:
    """Fit the weights to pairs of answers, better and worse, each as the probabilities of its propositions.

        mean over pairs of max(0, m + R(worse) - R(better)),   R = R_rm + Σ_i w_i φ_i

    By Adam from zero, as the authors do. `scores`: those of the reward model for each pair.

    Settings:
        margin: m, by how much the better answer shall stand out; above 0, 1 in the paper.
        rate: step of Adam; above 0, 0.01 in the paper.
        steps: number of steps; at least 1, 1000 in the paper.
    """
    gaps = [[a - b for a, b in zip(better, worse, strict=True)] for better, worse in pairs]
    gains = [better - worse for better, worse in scores or [(0.0, 0.0)] * len(pairs)]
    weights = [0.0] * len(gaps[0])
    means, squares = list(weights), list(weights)
    for step in range(1, steps + 1):
        short = [g for g, ahead in zip(gaps, gains, strict=True) if ahead + _dot(weights, g) < margin]
        for i in range(len(weights)):
            slope = -sum(g[i] for g in short) / len(gaps)
            means[i] += 0.1 * (slope - means[i])
            squares[i] += 0.001 * (slope**2 - squares[i])
            unbiased = means[i] / (1 - 0.9**step), squares[i] / (1 - 0.999**step)
            weights[i] -= rate * unbiased[0] / (math.sqrt(unbiased[1]) + 1e-8)
    return weights


def ordered_share(
    pairs: Sequence[tuple[Sequence[float], Sequence[float]]],
    scores: Sequence[tuple[float, float]],
    weights: Sequence[float],
) -> float:
    """Return the share of pairs whose better answer has the larger R; a half for equal ones."""
    gaps = [
        better - worse + _dot(weights, good) - _dot(weights, bad)
        for (good, bad), (better, worse) in zip(pairs, scores, strict=True)
    ]
    return sum(0.5 + 0.5 * ((g > 0) - (g < 0)) for g in gaps) / len(gaps)


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return math.fsum(x * y for x, y in zip(a, b, strict=True))

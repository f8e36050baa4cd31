"""Length-Controlled AlpacaEval: A Simple Way to Debias Automatic Evaluators (Dubois et al., 2024).

How often a judge prefers a model to another one, and how often it would if both wrote answers of equal length:

    P(preferred) = σ(θ + φ tanh(Δ / sd(Δ)))        Δ: length of the answer less that of the other model's
    length-controlled win rate = σ(θ)

The difficulty of each instruction is not modelled. θ and φ maximise the likelihood with a weak ridge on φ, which keeps
them finite where length tells wins and losses apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, pstdev

import numpy as np

RIDGE = 1e-2


def win_rate(preferred: Sequence[float]) -> float | None:
    """Return the mean of wins (1), ties (1/2) and losses (0); None without comparisons."""
    return fmean(preferred) if preferred else None


def length_controlled_win_rate(preferred: Sequence[float], differences: Sequence[float]) -> float | None:
    """Return the win rate at equal length. `differences`: in length, one for each comparison. None without any."""
    if not preferred:
        return None
    spread = pstdev(differences)
    x = [math.tanh(d / spread) if spread else 0.0 for d in differences]
    theta, _ = logistic(x, preferred)
    return 1 / (1 + math.exp(-theta))


def logistic(x: Sequence[float], y: Sequence[float], *, ridge: float = RIDGE) -> tuple[float, float]:
    """Fit P(y) = σ(θ + φ x) by Newton's method, with a ridge on both that is 1/n of its strength on φ: (θ, φ)."""
    features = np.stack([np.ones(len(x)), np.asarray(x, float)], 1)
    target, penalty = np.asarray(y, float), np.diag([ridge / len(x), ridge])
    weights = np.zeros(2)
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(features @ weights, -30, 30)))
        slope = features.T @ (target - p) - penalty @ weights
        curve = (features * (p * (1 - p))[:, None]).T @ features + penalty
        step = np.linalg.solve(curve, slope)
        weights = weights + np.clip(step, -3, 3)
        if np.abs(step).max() < 1e-12:
            break
    return float(weights[0]), float(weights[1])

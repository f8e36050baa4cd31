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

from posttrain.evaluation.metrics.regression import logistic


def win_rate(preferred: Sequence[float]) -> float | None:
    """Return the mean of wins (1), ties (1/2) and losses (0); None without comparisons."""
    return fmean(preferred) if preferred else None


def length_controlled_win_rate(preferred: Sequence[float], differences: Sequence[float]) -> float | None:
    """Return the win rate at equal length. `differences`: in length, one for each comparison. None without any."""
    if not preferred:
        return None
    spread = pstdev(differences)
    x = [math.tanh(d / spread) if spread else 0.0 for d in differences]
    fitted = logistic([[value] for value in x], preferred)
    assert fitted is not None
    return 1 / (1 + math.exp(-fitted[0]))

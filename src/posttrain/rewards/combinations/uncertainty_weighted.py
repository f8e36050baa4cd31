"""Reward Model Ensembles Help Mitigate Overoptimization (Coste et al., 2024): uncertainty-weighted optimisation."""

from __future__ import annotations

import math
from collections.abc import Mapping


def uncertainty_weighted(scores: Mapping[str, float], *, strength: float = 0.1) -> float:
    """Return the mean of the weighted scores less their variance (divisor K). Bring them to the same units first.

        mean_k r_k - λ var_k r_k

    Settings:
        strength: λ, price of disagreement; 0 or more, 0.1 to 0.5 in the paper.
    """
    mean = math.fsum(scores.values()) / len(scores)
    return mean - strength * math.fsum((score - mean) ** 2 for score in scores.values()) / len(scores)

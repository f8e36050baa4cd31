"""Reward Model Ensembles Help Mitigate Overoptimization (Coste et al., 2024): worst-case optimisation."""

from __future__ import annotations

from collections.abc import Mapping


def worst(scores: Mapping[str, float]) -> float:
    """Return the lowest of the weighted scores. Bring rewards to the same units first, with the transform `scale`.

    min_k w_k r_k
    """
    return min(scores.values())

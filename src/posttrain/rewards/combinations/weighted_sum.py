"""The weighted sum: the default."""

from __future__ import annotations

from collections.abc import Mapping


def weighted_sum(scores: Mapping[str, float]) -> Mapping[str, float]:
    """Count every reward that did not abstain.

    Σ_k w_k r_k
    """
    return scores

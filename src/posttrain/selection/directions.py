"""Steps without a gradient, from the rewards of policies that were moved along random directions."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from statistics import fmean

from posttrain.records import Episode


def rank_weights(earned: Sequence[float], ranked: int) -> list[float]:
    """Return the weight of each of m directions when the best k are ranked: wins less losses, over |E|.

    At rank t (from 0) it is m - 1 - 2t, and -k behind the k ranked ones; |E| = k (k - 1)/2 + k (m - k) comparisons. The
    first of equals is better. Tang et al. (2023), eq. 6.
    """
    m, k = len(earned), min(ranked, len(earned))
    edges = k * (k - 1) / 2 + k * (m - k)
    order = sorted(range(m), key=lambda i: -earned[i])
    weights = [0.0] * m
    for t, i in enumerate(order):
        weights[i] = (m - 1 - 2 * t if t < k else -k) / max(edges, 1)
    return weights


def value_difference(answers: Sequence[Episode], clip: float) -> float:
    """Return the value of author 0 less that of author 1: the mean log-odds of preferences in [δ, 1-δ], δ = clip.

    Zhang and Ying (2024): σ^{-1} turns the share of people who prefer an answer into a difference of rewards. Each
    answer is judged against the other, so a judge that favours a position does no harm.
    """
    odds = []
    for r in answers:
        if r.reward is not None:
            p = min(max(r.reward, clip), 1 - clip)
            odds.append(log(p / (1 - p)) * (1 if r.author == 0 else -1))
    return fmean(odds) if odds else 0.0

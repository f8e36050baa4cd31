"""On Calibration of Modern Neural Networks (Guo et al., 2017), for the probabilities of a Bradley-Terry model.

The model says that the answer with the higher score is preferred with probability c = σ(|D|), D the difference of the
two scores. It is calibrated if that many of such pairs are judged as people judge them:

    ECE = Σ_b n_b/n |right(b) - c(b)|        b: bins of equal size, in the order of c

A pair counts in both orders, so that no order has a base rate; in these terms each pair is one entry with c >= 1/2.
Temperature scaling divides D by the T with the smallest log loss: it changes no decision. T > 1: too confident.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posttrain.evaluation.statistics import interval

BINS, LEAST = 15, 10  # bins of a reliability diagram, and pairs that each of them has at least


@dataclass(frozen=True)
class Bin:
    """Pairs of similar confidence: their mean confidence, the share that is judged rightly, and its 95% interval."""

    confidence: float
    right: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Calibration:
    """How far the probabilities of a reward model can be trusted.

    `temperature`: what the scores should be divided by; infinite where they say nothing about people's choices.
    """

    ece: float
    brier: float
    log_loss: float
    temperature: float
    bins: tuple[Bin, ...]


def calibration(margins: Sequence[float], bins: int = BINS) -> Calibration:
    """Measure the calibration of σ(D) from the differences D = r(preferred) - r(other), one for each pair."""
    d = np.asarray(margins, float)
    found = reliability(margins, bins)
    return Calibration(
        ece=sum(b.n * abs(b.right - b.confidence) for b in found) / len(d),
        brier=float(np.mean((1 - _sigmoid(d)) ** 2)),
        log_loss=log_loss(d),
        temperature=temperature(margins),
        bins=tuple(found),
    )


def reliability(margins: Sequence[float], bins: int = BINS) -> list[Bin]:
    """Return the points of a reliability diagram: bins of equal size, from the least confident to the most.

    There are fewer than `bins` where these would have less than 10 pairs each.
    """
    d = np.asarray(margins, float)
    order = np.argsort(np.abs(d), kind="stable")
    right = np.where(d == 0, 0.5, d > 0)
    return [
        Bin(
            float(_sigmoid(np.abs(d[part])).mean()),
            float(right[part].mean()),
            *interval(right[part].tolist()),
            len(part),
        )
        for part in np.array_split(order, max(1, min(bins, len(d) // LEAST)))
    ]


def log_loss(margins: NDArray[np.float64], temperature: float = 1.0) -> float:
    """Return the mean of -log σ(D/T)."""
    return float(np.mean(np.logaddexp(0.0, -margins / temperature)))


def temperature(margins: Sequence[float]) -> float:
    """Return the T with the smallest log loss, which is convex in 1/T.

    0 if no pair is judged wrongly, infinite if the mean difference is not above 0.
    """
    d = np.asarray(margins, float)
    if d.mean() <= 0:
        return math.inf
    if d.min() >= 0:
        return 0.0

    def slope(inverse: float) -> float:
        return float(np.mean(-d * _sigmoid(-inverse * d)))

    low, high = 0.0, 1.0
    while slope(high) < 0:
        low, high = high, high * 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return 1 / high


def _sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.exp(-np.logaddexp(0.0, -x)))

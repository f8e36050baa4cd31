"""Aggregates of the scores of an ensemble's members: [..., M] -> [...].

The score of a reward model is defined up to a constant, so members are comparable only on a common scale: centre and
scale each of them on the same answers first.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from torch import Tensor


class Aggregate(Protocol):
    """Makes one score of those of the members."""

    def __call__(self, scores: Tensor, weight: float) -> Tensor:
        """[..., M] -> [...]. `weight`: what disagreement costs."""


def mean(scores: Tensor, weight: float = 0.0) -> Tensor:  # noqa: ARG001 (an aggregate has a weight)
    """Mean of the members: r̄."""
    return scores.mean(-1)


def lowest(scores: Tensor, weight: float = 0.0) -> Tensor:  # noqa: ARG001
    """Lowest score, the worst case (WCO): min_m r_m."""
    return scores.amin(-1)


def less_variance(scores: Tensor, weight: float) -> Tensor:
    """Mean less a share of the variance (UWO): r̄ - w/M Σ_m (r_m - r̄)²."""
    return scores.mean(-1) - weight * scores.var(-1, correction=0)


def less_deviation(scores: Tensor, weight: float) -> Tensor:
    """Mean less a share of the standard deviation, a lower confidence bound (LCB): r̄ - w √(1/M Σ_m (r_m - r̄)²)."""
    return scores.mean(-1) - weight * deviation(scores)


def deviation(scores: Tensor) -> Tensor:
    """Standard deviation over the members, 0 with gradient 0 where they agree."""
    variance = scores.var(-1, correction=0)
    agree = variance == 0
    root: Tensor = variance.masked_fill(agree, 1).sqrt()
    return root.masked_fill(agree, 0)


AGGREGATES: Mapping[str, Aggregate] = MappingProxyType(
    {"mean": mean, "lowest": lowest, "variance": less_variance, "deviation": less_deviation}
)

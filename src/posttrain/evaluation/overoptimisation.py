"""Scaling Laws for Reward Model Overoptimization in Direct Alignment Algorithms (Rafailov et al., 2024).

The gain in gold reward over the reference as a function of the distance d = sqrt KL(π || π_ref) from it, in the forms
of Gao et al. (2023):

    R(d) = d (α - β log d)     training: reinforcement learning and direct methods      best at  log d = α/β - 1
    R(d) = d (α - β d)         best of n                                                best at  d = α/(2β)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from posttrain.evaluation.statistics import student

Kind = Literal["training", "best_of_n"]
Curve = Sequence[tuple[float, float]]  # (KL, gold reward above the reference's), while one policy learns
Interval = tuple[float, float]


@dataclass(frozen=True)
class FittedLaw:
    """A fitted scaling law: coefficients with their 95% intervals. β > 0: beyond `best_kl` the gold reward falls."""

    alpha: float
    beta: float
    alpha_interval: Interval
    beta_interval: Interval
    kind: Kind = "training"

    def at(self, kl: float) -> float:
        """Return the gold reward at a KL."""
        if kl <= 0:
            return 0.0
        d = math.sqrt(kl)
        return d * (self.alpha - self.beta * (math.log(d) if self.kind == "training" else d))

    @property
    def best_kl(self) -> float:
        """KL at which the gold reward is largest; infinite if it never falls, 0 if it only falls."""
        if self.beta <= 0:
            return math.inf
        if self.kind == "training":
            return math.exp(2 * (self.alpha / self.beta - 1))
        return max(0.0, self.alpha / (2 * self.beta)) ** 2


def fit(curves: Sequence[Curve], kind: Kind = "training") -> FittedLaw:
    """Fit a scaling law by least squares over all points, with jackknife intervals that leave out one curve (one seed).

    The points of one curve are not independent, so a single curve gives no interval. ValueError without two points.
    """
    alpha, beta = _coefficients([point for curve in curves for point in curve], kind)
    n = len(curves)
    if n < 2:
        return FittedLaw(alpha, beta, (-math.inf, math.inf), (-math.inf, math.inf), kind)
    others = [_coefficients([p for j, c in enumerate(curves) if j != i for p in c], kind) for i in range(n)]
    errors = np.sqrt((n - 1) / n * ((np.array(others) - np.mean(others, 0)) ** 2).sum(0))  # the jackknife's
    a, b = student(n - 1) * errors
    return FittedLaw(alpha, beta, (alpha - a, alpha + a), (beta - b, beta + b), kind)


def _coefficients(points: Curve, kind: Kind) -> tuple[float, float]:
    kl, gold = np.array([p for p in points if p[0] > 0], dtype=float).reshape(-1, 2).T
    if len(kl) < 2:
        raise ValueError("two points with a KL above 0 are needed to fit a law of two coefficients")
    d = np.sqrt(kl)
    features = np.stack([d, -d * (np.log(d) if kind == "training" else d)], 1)
    alpha, beta = np.linalg.lstsq(features, gold, rcond=None)[0]
    return float(alpha), float(beta)


def kl_of_best_of_n(n: int) -> float:
    """Return KL(best of n || one answer) = log n - (n - 1)/n, exact where no two rewards are equal."""
    return math.log(n) - (n - 1) / n


def length_slope(rewards: Sequence[float], lengths: Sequence[float]) -> float:
    """Return the implicit reward per token of length, by least squares: what a policy earns by length alone."""
    x, y = np.asarray(lengths, float), np.asarray(rewards, float)
    spread = ((x - x.mean()) ** 2).sum()
    return float(((x - x.mean()) * (y - y.mean())).sum() / spread) if spread > 0 else 0.0

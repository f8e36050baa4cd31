"""Regressions that fits of behaviour need: least squares, logistic regression, and learning rates from choices.

Rescorla-Wagner:    Q(a) <- Q(a) + α± (r - Q(a)),    P(a) = softmax(β Q)(a)        α+ where r > Q(a), else α-
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Rows = Sequence[Sequence[float]]
RATES, SLOPES = np.linspace(0.0, 1.0, 11), np.array([0.5, 1.0, 2.0, 4.0, 8.0, 16.0])
GRID = tuple(g.ravel() for g in np.meshgrid(RATES, RATES, SLOPES, indexing="ij"))  # α+, α-, β


def least_squares(rows: Rows, y: Sequence[float]) -> list[float] | None:
    """Return the intercept and the coefficient of each column; None where the rows do not determine them."""
    features = _with_intercept(rows)
    if len(y) < features.shape[1] or np.linalg.matrix_rank(features) < features.shape[1]:
        return None
    return [float(x) for x in np.linalg.lstsq(features, np.asarray(y, float), rcond=None)[0]]


def logistic(rows: Rows, y: Sequence[float], *, ridge: float = 1e-2) -> list[float] | None:
    """Fit P(y) = σ(w0 + w x) by Newton's method: [w0, w...]; None without rows.

    A ridge on w, and 1/n of it on w0, keeps them finite where the rows tell both outcomes apart.
    """
    if not len(y):
        return None
    features, target = _with_intercept(rows), np.asarray(y, float)
    penalty = np.diag([ridge / len(y)] + [ridge] * (features.shape[1] - 1))
    weights = np.zeros(features.shape[1])
    for _ in range(200):
        p = 1 / (1 + np.exp(-np.clip(features @ weights, -30, 30)))
        slope = features.T @ (target - p) - penalty @ weights
        curve = (features * (p * (1 - p))[:, None]).T @ features + penalty
        step = np.linalg.solve(curve, slope)
        weights = weights + step * min(1.0, 3.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-10:
            break
    return [float(x) for x in weights]


@dataclass(frozen=True)
class Learning:
    """The learning rates for better and for worse than expected, and the slope β, that choices are likeliest under."""

    positive: float
    negative: float
    slope: float

    @property
    def rate(self) -> float:
        """The mean of the two rates."""
        return (self.positive + self.negative) / 2

    @property
    def optimism(self) -> float:
        """How much more is learned from good news than from bad."""
        return self.positive - self.negative


def learning_rates(games: Sequence[Sequence[tuple[int, float]]]) -> Learning | None:
    """Fit Rescorla-Wagner to games of (choice 0 or 1, reward), on a grid; None without choices. Q begins at 1/2."""
    if not any(games):
        return None
    best = int(np.sum([_log_likelihood(tuple(game)) for game in games], axis=0).argmax())
    return Learning(*(float(g[best]) for g in GRID))


@lru_cache(maxsize=256)  # a jackknife leaves out one game after the other
def _log_likelihood(game: tuple[tuple[int, float], ...]) -> NDArray[np.float64]:
    """log P(choices) at every point of the grid."""
    good, bad, beta = GRID
    found, q = np.zeros(len(beta)), np.full((2, len(beta)), 0.5)
    for choice, reward in game:
        found -= np.logaddexp(0.0, -beta * (q[choice] - q[1 - choice]))
        surprise = reward - q[choice]
        q[choice] = q[choice] + np.where(surprise > 0, good, bad) * surprise
    return found


def _with_intercept(rows: Rows) -> NDArray[np.float64]:
    features = np.asarray(rows, float)
    return np.concatenate([np.ones((len(features), 1)), features.reshape(len(features), -1)], 1)

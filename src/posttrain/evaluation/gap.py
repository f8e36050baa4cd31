"""Understanding the performance gap between online and offline alignment algorithms (Tang et al., 2024).

Two ways of training are compared at equal KL, because a policy further from the reference also earns more reward:

    gap = mean over k of  y_one(k) - y_two(k),     k in the range of KL that both reach
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from posttrain.evaluation.statistics import mean_interval

Curve = Sequence[tuple[float, float]]  # (KL, performance), in any order


def at_same_kl(one: Curve, two: Curve, grid: int = 101) -> float:
    """Return the mean difference of two curves over the KL that both reach, by linear interpolation.

    Where a curve has several points at one KL, the best counts. Raises ValueError if the two have no range of KL in
    common.
    """
    (a, ya), (b, yb) = _increasing(one), _increasing(two)
    shared = overlap(one, two)
    if shared is None:
        raise ValueError(f"the curves have no KL in common: [{a[0]:g}, {a[-1]:g}] and [{b[0]:g}, {b[-1]:g}]")
    k = np.linspace(*shared, grid)
    return float(np.mean(np.interp(k, a, ya) - np.interp(k, b, yb)))


def overlap(one: Curve, two: Curve) -> tuple[float, float] | None:
    """Return the range of KL that both curves reach, or None if there is none."""
    low, high = max(min(one)[0], min(two)[0]), min(max(one)[0], max(two)[0])
    return (low, high) if low < high else None


def paired(curves: Sequence[Curve], baselines: Sequence[Curve]) -> tuple[float, float, float]:
    """Return the mean gap over seeds and its 95% interval: (mean, low, high). Curves of one index share a seed."""
    return mean_interval([at_same_kl(curve, baseline) for curve, baseline in zip(curves, baselines, strict=True)])


def _increasing(curve: Curve) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    best: dict[float, float] = {}
    for kl, y in curve:
        best[kl] = max(y, best.get(kl, y))
    points = sorted(best.items())
    return np.array([k for k, _ in points]), np.array([y for _, y in points])

"""Intervals and tests for shares, exact where an exact form exists. No normal approximations of small counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean


def wilson(successes: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Interval of a binomial share (Wilson, 1927), 95% by default. n = 0: everything is possible."""
    if n == 0:
        return 0.0, 1.0
    p, denominator = successes / n, 1 + z**2 / n
    centre = (p + z**2 / (2 * n)) / denominator
    half = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / denominator
    return max(0.0, centre - half), min(1.0, centre + half)


def sign_test(better: int, worse: int) -> float:
    """Two-sided exact p-value that improvements and losses are equally likely (McNemar's exact test)."""
    n, k = better + worse, max(better, worse)
    if n == 0:
        return 1.0
    tail = sum(math.comb(n, i) for i in range(k, n + 1))
    return min(1.0, float(2 * tail / 2**n))


def interval(scores: Sequence[float], z: float = 1.959964) -> tuple[float, float]:
    """95% interval of a mean score: Wilson's for right and wrong (0 and 1), else from the standard error."""
    n = len(scores)
    if n == 0 or all(s in (0.0, 1.0) for s in scores):
        return wilson(sum(s == 1.0 for s in scores), n, z)
    mean = fmean(scores)
    half = z * (sum((s - mean) ** 2 for s in scores) / max(n - 1, 1) / n) ** 0.5
    return mean - half, mean + half

"""The gap between two sets of questions, such as those like the training and others (Kirk et al., 2023).

    gap = mean on the first - mean on the second

Shares have Newcombe's interval and Fisher's exact test; other scores Welch's interval and a permutation test.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, variance

from posttrain.evaluation.statistics import difference_of_shares, student
from posttrain.seeds import seed_for

ENUMERATED, DRAWN = 20_000, 4_000  # permutations that are all tried, and that are drawn where there are more


@dataclass(frozen=True)
class Gap:
    """The mean of one set less that of another, with its 95% interval, the number of both and an exact p-value."""

    mean: float
    low: float
    high: float
    n: int
    p_value: float

    def __str__(self) -> str:
        return f"{self.mean:+.4f} [{self.low:+.4f}, {self.high:+.4f}], p = {self.p_value:.3g} (unpaired)"


def gap(ones: Sequence[float], others: Sequence[float]) -> Gap:
    """Compare two sets of scores. Raises ValueError if one is empty."""
    if not ones or not others:
        raise ValueError("a gap needs scores on both sides")
    n = len(ones) + len(others)
    if set(ones) | set(others) <= {0.0, 1.0}:
        a, b = round(sum(ones)), round(sum(others))
        return Gap(*difference_of_shares(a, len(ones), b, len(others)), n, fisher(a, len(ones), b, len(others)))
    middle = fmean(ones) - fmean(others)
    half = _welch(ones, others)
    return Gap(middle, middle - half, middle + half, n, permutation(ones, others))


def fisher(a: int, n: int, b: int, m: int) -> float:
    """Return the two-sided exact p-value of a of n against b of m: the tables as likely as this one or less."""
    whole = math.comb(n + m, a + b)
    ways = [math.comb(n, k) * math.comb(m, a + b - k) for k in range(max(0, a + b - m), min(n, a + b) + 1)]
    seen = math.comb(n, a) * math.comb(m, b)
    return min(1.0, sum(w for w in ways if w <= seen) / whole)


def permutation(ones: Sequence[float], others: Sequence[float]) -> float:
    """Return the two-sided p-value of the difference of means when labels are exchanged: exact where few enough."""
    pool, n = [*ones, *others], len(ones)
    total, seen = math.fsum(pool), abs(fmean(ones) - fmean(others))

    def as_far(part: float) -> bool:
        return abs(part / n - (total - part) / (len(pool) - n)) >= seen - 1e-12

    if math.comb(len(pool), n) <= ENUMERATED:
        parts = [math.fsum(pool[i] for i in chosen) for chosen in combinations(range(len(pool)), n)]
        return sum(map(as_far, parts)) / len(parts)
    draw = random.Random(seed_for("permutation", len(pool), n))  # noqa: S311 -- no secret
    drawn = sum(as_far(math.fsum(draw.sample(pool, n))) for _ in range(DRAWN))
    return (drawn + 1) / (DRAWN + 1)


def _welch(ones: Sequence[float], others: Sequence[float]) -> float:
    """Half the width of the interval, with Welch's degrees of freedom rounded down; infinite for a single score."""
    if min(len(ones), len(others)) < 2:
        return math.inf
    a, b = variance(ones) / len(ones), variance(others) / len(others)
    if a + b == 0:
        return 0.0
    freedom = (a + b) ** 2 / (a**2 / (len(ones) - 1) + b**2 / (len(others) - 1))
    return student(max(1, int(freedom))) * math.sqrt(a + b)

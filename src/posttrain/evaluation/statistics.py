"""Intervals and tests for shares, exact where an exact form exists. Small counts get no normal approximation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean


def wilson(successes: float, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Return the interval of a binomial share (Wilson, 1927), 95% by default; (0, 1) for n = 0."""
    if n == 0:
        return 0.0, 1.0
    p, denominator = successes / n, 1 + z**2 / n
    centre = (p + z**2 / (2 * n)) / denominator
    half = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / denominator
    return max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half))  # rounding may not push p out


def difference_of_shares(a: float, n: int, b: float, m: int) -> tuple[float, float, float]:
    """Return a/n - b/m and its 95% interval from those of the two shares (Newcombe, 1998): (difference, low, high)."""
    p, (p_low, p_high) = a / n, wilson(a, n)
    q, (q_low, q_high) = b / m, wilson(b, m)
    return p - q, p - q - math.hypot(p - p_low, q_high - q), p - q + math.hypot(p_high - p, q - q_low)


def sign_test(better: int, worse: int) -> float:
    """Return the two-sided exact p-value of equally likely improvements and losses (McNemar's exact test)."""
    n, k = better + worse, max(better, worse)
    if n == 0:
        return 1.0
    tail = sum(math.comb(n, i) for i in range(k, n + 1))
    return min(1.0, float(2 * tail / 2**n))


def interval(scores: Sequence[float], z: float = 1.959964) -> tuple[float, float]:
    """Return the 95% interval of a mean score: Wilson's for scores of 0 and 1, else from the standard error."""
    n = len(scores)
    if n == 0 or all(s in (0.0, 1.0) for s in scores):
        return wilson(sum(s == 1.0 for s in scores), n, z)
    mean = fmean(scores)
    half = z * (sum((s - mean) ** 2 for s in scores) / max(n - 1, 1) / n) ** 0.5
    return mean - half, mean + half


def pass_at(k: int, answers: int, correct: int) -> float:
    """Return the probability that one of k answers is correct, from `correct` of `answers` (Chen et al., 2021).

    The estimate 1 - C(n-c, k)/C(n, k) is unbiased; k is at most n.
    """
    return 1 - math.comb(answers - correct, k) / math.comb(answers, k)


def pass_all(k: int, answers: int, correct: int) -> float:
    """Return the probability that all of k answers are correct, from `correct` of `answers`: C(c, k)/C(n, k)."""
    return math.comb(correct, k) / math.comb(answers, k)


def ratio_interval(values: Sequence[float], sizes: Sequence[int], z: float = 1.959964) -> tuple[float, float, float]:
    """Return a mean over the tokens of several records, and its 95% interval over records: (mean, low, high).

    `values`: the mean of each record, `sizes`: its tokens. A single record has no interval: minus and plus infinity.
    """
    n, whole = len(values), sum(sizes)
    mean = sum(x * size for x, size in zip(values, sizes, strict=True)) / whole
    if n < 2:
        return mean, -math.inf, math.inf
    squares = sum((size * (x - mean)) ** 2 for x, size in zip(values, sizes, strict=True))
    half = z * math.sqrt(squares * n / (n - 1)) / whole
    return mean, mean - half, mean + half


def student(df: int, confidence: float = 0.95) -> float:
    """Return Student's t of a two-sided interval with `df` degrees of freedom, by bisection."""
    if df < 1:
        return math.inf
    low, high = 0.0, 1e6
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, df) < confidence else (low, middle)
    return (low + high) / 2


def _within(t: float, df: int) -> float:
    """Return P(|T| < t), by the finite sums for whole degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    angle = math.atan(t / math.sqrt(df))
    term = total = math.cos(angle) if df % 2 else 1.0
    for k in range(3 if df % 2 else 2, df - 1, 2):
        term *= math.cos(angle) ** 2 * (k - 1) / k
        total += term
    if df % 2:
        return 2 / math.pi * (angle + (math.sin(angle) * total if df > 1 else 0.0))
    return math.sin(angle) * total


def mean_interval(xs: Sequence[float], confidence: float = 0.95) -> tuple[float, float, float]:
    """Return the mean and Student's interval of a few independent numbers, such as one per seed: (mean, low, high).

    A single number has no interval: low and high are minus and plus infinity.
    """
    mean, n = fmean(xs), len(xs)
    if n < 2:
        return mean, -math.inf, math.inf
    half = student(n - 1, confidence) * math.sqrt(sum((x - mean) ** 2 for x in xs) / (n - 1) / n)
    return mean, mean - half, mean + half

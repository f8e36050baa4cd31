"""Rényi differential privacy of noisy sums over random subsets of the records (Mironov, 2017; Mironov et al., 2019).

A step draws every record with probability q, adds up vectors of norm at most C, one for each record, and Gaussian noise
of standard deviation σC. Neighbours differ in one record that is there or not.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

ORDERS = (*range(2, 64), 80, 96, 128, 192, 256, 512)  # whole orders alone, for which the formula is exact
WIDEST = 1e4  # noise that is looked for


@functools.cache
def rdp(rate: float, noise: float) -> tuple[float, ...]:
    """Rényi divergence of one step at each of the ORDERS. Steps add up.

    1/(α-1) log Σ_k C(α, k) (1-q)^(α-k) q^k exp((k² - k)/(2σ²))
    """
    if noise == 0:
        return (math.inf,) * len(ORDERS)
    if rate == 1:
        return tuple(order / (2 * noise**2) for order in ORDERS)
    return tuple(_log_moment(order, rate, noise) / (order - 1) for order in ORDERS)


def _log_moment(order: int, rate: float, noise: float) -> float:
    terms: list[float] = [
        math.lgamma(order + 1) - math.lgamma(k + 1) - math.lgamma(order - k + 1)
        + (order - k) * math.log1p(-rate) + k * math.log(rate) + (k * k - k) / (2 * noise**2)
        for k in range(order + 1)
    ]  # fmt: skip
    largest = max(terms)
    return largest + math.log(math.fsum(math.exp(t - largest) for t in terms))


def epsilon(spent: Sequence[float], delta: float) -> float:
    """Smallest ε for which what was spent at the ORDERS is (ε, δ)-private (Canonne et al., 2020, proposition 12).

    min_α  D_α + log(1 - 1/α) - (log δ + log α)/(α - 1)
    """
    found = [
        divergence + math.log1p(-1 / order) - (math.log(delta) + math.log(order)) / (order - 1)
        for order, divergence in zip(ORDERS, spent, strict=True)
    ]
    smallest: float = min(found)
    return max(0.0, smallest)


def noise_for(target: float, rate: float, steps: int, delta: float) -> float:
    """Find the smallest noise σ, to a thousandth, with which `steps` steps stay within ε = `target`.

    Raises ValueError if there is none.
    """
    low, high = 0.0, WIDEST
    if epsilon([steps * x for x in rdp(rate, high)], delta) > target:
        raise ValueError(f"no noise below {WIDEST:g} reaches epsilon={target:g}")
    while high - low > 1e-3 * max(low, 1e-3):
        middle = (low + high) / 2
        enough = epsilon([steps * x for x in rdp(rate, middle)], delta) <= target
        low, high = (low, middle) if enough else (middle, high)
    return high

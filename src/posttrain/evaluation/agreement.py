"""Agreement of annotators beyond chance, from the labels that each item got. 1 is perfect, 0 is chance, below is worse.

`units`: the labels of each item, whoever gave them. `counts` [I, V]: how many annotators gave item i the value v.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from posttrain.errors import DataError

Counts = NDArray[np.float64]
Metric = Literal["nominal", "ordinal", "interval"]
Units = Sequence[Sequence[Hashable]]


def table(units: Units) -> tuple[list[Any], Counts]:
    """Return the values that occur, in order, and the counts of the items that have at least two labels."""
    values = _ordered({x for unit in units for x in unit})
    place = {x: n for n, x in enumerate(values)}
    counts = np.zeros((len(units), len(values)))
    for i, unit in enumerate(units):
        for x in unit:
            counts[i, place[x]] += 1
    return values, counts[counts.sum(1) > 1]


def _ordered(values: Iterable[Any]) -> list[Any]:
    """Numbers by size, then everything else by its text."""
    return sorted(values, key=lambda x: (0, x, "") if isinstance(x, int | float) else (1, 0, str(x)))


def alpha(values: Sequence[Any], counts: Counts, metric: Metric = "nominal") -> float:
    """Krippendorff's alpha: 1 - D_observed / D_expected, for any number of annotators and missing labels.

        o_ck = Σ_i (pairs of c and k in item i) / (m_i - 1),   D_o = Σ o_ck δ_ck / n,   D_e = Σ n_c n_k δ_ck / n(n-1)

    m_i: labels of item i. nan where only one value occurs. `metric`: δ_ck is [c ≠ k], the square of c - k (interval),
    or the square of the number of labels between c and k (ordinal).
    """
    sizes = counts.sum(1)
    shared = counts / (sizes - 1)[:, None]
    observed = shared.T @ counts - np.diag(shared.sum(0))
    totals = observed.sum(1)
    distance = _distance(values, totals, metric)
    n = totals.sum()
    expected = (totals @ distance @ totals) / (n - 1) if n > 1 else 0.0
    return float(1 - (observed * distance).sum() / expected) if expected else float("nan")


def _distance(values: Sequence[Any], totals: NDArray[np.float64], metric: Metric) -> NDArray[np.float64]:
    count = len(values)
    if metric == "nominal":
        return 1 - np.eye(count)
    at = np.asarray(values, dtype=float) if metric == "interval" else np.cumsum(totals) - totals / 2
    return np.square(at[:, None] - at[None])


def fleiss(counts: Counts) -> float:
    """Fleiss' kappa, (P̄ - P_e)/(1 - P_e), of items with the same number of labels. DataError where they differ."""
    n = counts.sum(1)
    if len(set(n.tolist())) > 1:
        raise DataError("Fleiss' kappa needs as many labels for every item; take Krippendorff's alpha")
    observed = _agreeing(counts).mean()
    expected = np.square(counts.sum(0) / counts.sum()).sum()
    return float((observed - expected) / (1 - expected)) if expected < 1 else float("nan")


def ac1(counts: Counts) -> float:
    """Gwet's AC1, (P̄ - P_e)/(1 - P_e) with P_e = Σ π_v (1 - π_v)/(V - 1): steady where one value is rare."""
    share = (counts / counts.sum(1)[:, None]).mean(0)
    if len(share) < 2:
        return float("nan")
    expected = (share * (1 - share)).sum() / (len(share) - 1)
    return float((_agreeing(counts).mean() - expected) / (1 - expected))


def agreement(counts: Counts) -> float:
    """Return the share of pairs of annotators that agree, averaged over items; chance is not removed."""
    return float(_agreeing(counts).mean())


def _agreeing(counts: Counts) -> NDArray[np.float64]:
    n = counts.sum(1)
    share: NDArray[np.float64] = (np.square(counts).sum(1) - n) / (n * (n - 1))
    return share


def cohen(one: Sequence[Any], other: Sequence[Any], weights: Literal["none", "linear", "quadratic"] = "none") -> float:
    """Cohen's kappa of two annotators, 1 - Σ w o / Σ w e; with weights |c - k| or (c - k)² for ordered values.

    The weights are of the places of the values in their order. nan where both always say the same one value.
    """
    values = _ordered({*one, *other})
    place = {x: n for n, x in enumerate(values)}
    observed = np.zeros((len(values), len(values)))
    for a, b in zip(one, other, strict=True):
        observed[place[a], place[b]] += 1 / len(one)
    expected = np.outer(observed.sum(1), observed.sum(0))
    gap = np.abs(np.subtract.outer(np.arange(len(values)), np.arange(len(values)))).astype(float)
    weight = {"none": (gap > 0).astype(float), "linear": gap, "quadratic": gap**2}[weights]
    chance = (weight * expected).sum()
    return float(1 - (weight * observed).sum() / chance) if chance else float("nan")


def bootstrap(
    counts: Counts, statistic: Callable[[Counts], float], *, resamples: int = 1000, seed: int = 0, level: float = 0.95
) -> tuple[float, float]:
    """Return the interval of a statistic over items that are drawn again with replacement (percentiles)."""
    chance = np.random.default_rng(seed)
    drawn = [statistic(counts[chance.integers(0, len(counts), len(counts))]) for _ in range(resamples)]
    known = [x for x in drawn if x == x]  # a sample of one value alone has no agreement
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2]) if known else (float("nan"), float("nan"))
    return float(low), float(high)

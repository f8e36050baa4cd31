"""Correlations of two lists of numbers: Pearson's, Spearman's and Kendall's (tau-b), and the area under the ROC."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = Sequence[float] | NDArray[np.float64]


def pearson(x: Numbers, y: Numbers) -> float:
    """Return the linear correlation; 0 where one list is constant."""
    a, b = np.asarray(x, float) - np.mean(x), np.asarray(y, float) - np.mean(y)
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum() / size) if size > 0 else 0.0


def spearman(x: Numbers, y: Numbers) -> float:
    """Return the correlation of ranks; equal numbers share their mean rank."""
    return pearson(ranks(x), ranks(y))


def kendall(x: Numbers, y: Numbers) -> float:
    """Return tau-b: concordant less discordant pairs, over the geometric mean of those that are not tied in x, in y."""
    i, j = np.triu_indices(len(x), 1)
    a, b = (np.sign(np.asarray(z, float)[i] - np.asarray(z, float)[j]) for z in (x, y))
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum() / size) if size > 0 else 0.0


def roc_area(scores: Numbers, positive: Sequence[bool]) -> float:
    """Return P(score of a positive > score of a negative), ties one half. Raises ValueError if one kind is missing."""
    is_positive = np.asarray(positive, bool)
    p, n = int(is_positive.sum()), int((~is_positive).sum())
    if not p or not n:
        raise ValueError("positives and negatives are needed for an area under the ROC")
    return float((ranks(scores)[is_positive].sum() - p * (p + 1) / 2) / (p * n))


def ranks(x: Numbers) -> NDArray[np.float64]:
    """Return the rank of each number from 1; equal numbers share their mean rank."""
    _, place, count = np.unique(np.asarray(x, float), return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2)[place])

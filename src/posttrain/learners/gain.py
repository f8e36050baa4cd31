"""What help is worth: learners with and without it at the same seeds, and the interval of the difference."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from posttrain.evaluation.statistics import mean_interval


def gain(helped: Sequence[float], alone: Sequence[float]) -> dict[str, float]:
    """Compare scores of the same seeds: their means, and the mean difference with Student's 95% interval.

    A single seed has no interval.
    """
    difference, low, high = mean_interval([x - y for x, y in zip(helped, alone, strict=True)])
    ends = {"gain/low": low, "gain/high": high} if len(helped) > 1 else {}
    return {"helped": fmean(helped), "alone": fmean(alone), "gain": difference, **ends}

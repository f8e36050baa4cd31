"""On Calibration of Modern Neural Networks (Guo et al., 2017), for answers with a confidence.

    ECE = Σ_b n_b/n |accuracy(b) - confidence(b)|           bins of equal width
    Brier = mean (confidence - right)²
    selective accuracy at coverage c: of the most confident share c of the answers
    area under risk and coverage: the mean error of the k most confident answers, over all k

Reward models are judged by their pairs in `evaluation/reward_models/calibration.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

BINS = 10


def expected_calibration_error(confidence: Sequence[float], right: Sequence[float], bins: int = BINS) -> float | None:
    """Return the ECE of confidences between 0 and 1; None without answers. A bin holds its upper end."""
    held: dict[int, list[tuple[float, float]]] = {}
    for c, r in zip(confidence, right, strict=True):
        held.setdefault(max(0, math.ceil(round(c * bins, 9)) - 1), []).append((c, r))
    n = len(confidence)
    gaps = [abs(math.fsum(r - c for c, r in own)) for own in held.values()]
    return math.fsum(gaps) / n if n else None


def brier(confidence: Sequence[float], right: Sequence[float]) -> float | None:
    """Return the mean squared distance of confidence and truth; None without answers."""
    return fmean((c - r) ** 2 for c, r in zip(confidence, right, strict=True)) if confidence else None


def selective_accuracy(confidence: Sequence[float], right: Sequence[float], coverage: float) -> float | None:
    """Return the accuracy of the most confident share of the answers; None without answers.

    Equal confidences are taken in equal parts: their order does not matter.
    """
    n = round(coverage * len(confidence))
    return _first(confidence, right, n) if n else None


def risk_coverage_area(confidence: Sequence[float], right: Sequence[float]) -> float | None:
    """Return the mean error of the k most confident answers over k = 1 to n; None without answers."""
    n = len(confidence)
    return fmean(1 - _first(confidence, right, k) for k in range(1, n + 1)) if n else None


def quadratic_score(confidence: float, right: bool) -> float:
    """Return the quadratic scoring rule 1 - (right - confidence)² of one answer."""
    return 1 - (float(right) - confidence) ** 2


def _first(confidence: Sequence[float], right: Sequence[float], n: int) -> float:
    """The mean of the n most confident, in which what ties at the last place counts by its mean."""
    last = sorted(confidence, reverse=True)[n - 1]
    above = [r for c, r in zip(confidence, right, strict=True) if c > last]
    tied = [r for c, r in zip(confidence, right, strict=True) if c == last]
    return (math.fsum(above) + (n - len(above)) * fmean(tied)) / n

"""Scores without what the length of the answers explains, in every batch."""

from __future__ import annotations

import math
from collections.abc import Sequence


def length_regression(scores: Sequence[float], tokens: Sequence[int], *, share: float = 1.0) -> list[float]:
    """Return the scores of a batch less the straight line that fits them best by the lengths of their answers.

        r_i - a b (|y_i| - mean |y|),    b = Cov(r, |y|) / Var(|y|)

    With a = 1 they do not correlate with the length any more; their mean stays. Equal lengths change nothing.

    Settings:
        share: a, share of the slope that is taken away; 0 (none) to 1 (all).
    """
    middle = math.fsum(tokens) / len(tokens)
    apart = [length - middle for length in tokens]
    spread = math.fsum(x * x for x in apart)
    if not spread:
        return list(scores)
    slope = math.fsum(x * score for x, score in zip(apart, scores, strict=True)) / spread
    return [score - share * slope * x for x, score in zip(apart, scores, strict=True)]

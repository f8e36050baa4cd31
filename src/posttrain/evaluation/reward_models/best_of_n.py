"""Best of n without sampling: every choice of n out of N answers to a prompt counts once.

    E[gold of the best of n] = Σ_i C(N-i, n-1)/C(N, n) gold_i        gold_1 that of the highest score, then downwards

n = 1 is the mean, n = N the answer with the highest score. The estimate is unbiased (Nakano et al., 2021). Where
several answers have one score, each of them is equally likely to be taken.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from posttrain.evaluation.reward_models.judged import JudgedCandidates
from posttrain.evaluation.reward_models.rank_correlation import roc_area


def weights(answers: int, n: int) -> list[float]:
    """Return the probability that the answer of rank 1, 2, ... is the best of n out of `answers`."""
    if not 1 <= n <= answers:
        raise ValueError(f"the best of {n} out of {answers} answers does not exist")
    return [math.comb(answers - i, n - 1) / math.comb(answers, n) for i in range(1, answers + 1)]


def best_of(n: int, scores: Sequence[float], gold: Sequence[float]) -> float:
    """Return the expected gold of the best of n, by the scores."""
    return float(np.dot(weights(len(scores), n), _by_score(scores, gold)))


def curve(scores: Sequence[float], gold: Sequence[float], ns: Sequence[int] | None = None) -> dict[int, float]:
    """Return the expected gold of the best of n for each n; by default 1, 2, 4, ... up to the number of answers."""
    return {n: best_of(n, scores, gold) for n in ns or powers(len(scores))}


def powers(most: int) -> list[int]:
    """List 1, 2, 4, ... up to `most`."""
    return [2**i for i in range(most.bit_length())]


def mean_curves(items: Sequence[JudgedCandidates]) -> dict[int, tuple[float, float]]:
    """Return, for each n, the mean over prompts of what the best of n gets, and of what a perfect judge would get.

    n goes up to the smallest number of answers. The second is pass@n.
    """
    ns = powers(min(len(c.scores) for c in items))
    own = [curve(c.scores, c.correct, ns) for c in items]
    oracle = [curve(c.correct, c.correct, ns) for c in items]
    return {n: (float(np.mean([x[n] for x in own])), float(np.mean([x[n] for x in oracle]))) for n in ns}


def credit(item: JudgedCandidates) -> float:
    """Return the probability that an answer with the highest score, drawn among equals, is right."""
    best = max(item.scores)
    return float(np.mean([c for s, c in zip(item.scores, item.correct, strict=True) if s == best]))


def mean_roc_area(items: Sequence[JudgedCandidates]) -> float | None:
    """Return the mean over prompts of the area under the ROC; None if no prompt has right and wrong answers."""
    areas = [roc_area(c.scores, c.correct) for c in items if len(set(c.correct)) == 2]
    return float(np.mean(areas)) if areas else None


def _by_score(scores: Sequence[float], gold: Sequence[float]) -> NDArray[np.float64]:
    """The gold of the answers from the highest score down; equal scores share their mean gold."""
    order = np.argsort(-np.asarray(scores, float), kind="stable")
    s, g = np.asarray(scores, float)[order], np.asarray(gold, float)[order]
    for value in np.unique(s):
        g[s == value] = g[s == value].mean()
    return g

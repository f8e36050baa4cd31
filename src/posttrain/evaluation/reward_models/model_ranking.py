"""How to Evaluate Reward Models for RLHF (Frick et al., 2024): Preference Proxy Evaluations (PPE).

A reward model is good for RLHF if it ranks the models that wrote the answers as people do. Each has a win rate over its
pairs by people and one by the scores, and the two are compared by their correlations. With 95% intervals of the rates:

    separability          the share of pairs of models that the scores tell apart
    confidence agreement  over the pairs of models that people tell apart: 1 if the scores tell them apart likewise,
                          -1 if the other way round, 0 if not at all
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

from posttrain.evaluation.reward_models.judged import JudgedPair
from posttrain.evaluation.reward_models.rank_correlation import kendall, pearson, spearman
from posttrain.evaluation.statistics import wilson

WRITERS = ("chosen_model", "rejected_model")  # columns of RewardBench and of arenas

Rate = tuple[float, float, float]  # share of pairs won, low, high


@dataclass(frozen=True)
class ModelRanking:
    """Win rates of models by people and by a reward model, and how alike the two rankings are."""

    people: Mapping[str, Rate]
    scores: Mapping[str, Rate]
    spearman: float
    kendall: float
    pearson: float
    separability: float
    confidence_agreement: float | None  # None if people tell no two models apart


def model_ranking(pairs: Sequence[JudgedPair]) -> ModelRanking | None:
    """Compare the two rankings; None unless the rows name at least three models that wrote the answers."""
    people: dict[str, list[float]] = {}
    scores: dict[str, list[float]] = {}
    for pair in pairs:
        one, two = (pair.columns.get(name) for name in WRITERS)
        if one is None or two is None or one == two:
            continue
        for model, won, right in ((str(one), 1.0, pair.right), (str(two), 0.0, 1 - pair.right)):
            people.setdefault(model, []).append(won)
            scores.setdefault(model, []).append(right)
    if len(people) < 3:
        return None
    truth, found = _rates(people), _rates(scores)
    x, y = [r[0] for r in truth.values()], [r[0] for r in found.values()]
    told = [(a, b) for a, b in combinations(truth, 2) if _order(truth, a, b)]
    return ModelRanking(
        people=truth,
        scores=found,
        spearman=spearman(x, y),
        kendall=kendall(x, y),
        pearson=pearson(x, y),
        separability=fmean(abs(_order(found, a, b)) for a, b in combinations(found, 2)),
        confidence_agreement=fmean(_order(truth, a, b) * _order(found, a, b) for a, b in told) if told else None,
    )


def _rates(won: Mapping[str, Sequence[float]]) -> dict[str, Rate]:
    return {model: (fmean(xs), *wilson(sum(xs), len(xs))) for model, xs in won.items()}


def _order(rates: Mapping[str, Rate], a: str, b: str) -> int:
    """1 if the interval of a lies above that of b, -1 if below, 0 if they overlap."""
    (_, low, high), (_, other_low, other_high) = rates[a], rates[b]
    return int(low > other_high) - int(high < other_low)

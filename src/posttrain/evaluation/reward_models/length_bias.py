"""Verbosity Bias in Preference Labeling by Large Language Models (Saito et al., 2023).

How much more often a judge agrees with people where they prefer the longer answer than where they prefer the shorter:

    bias = P(agrees | people prefer the longer) - P(agrees | people prefer the shorter)

0 for a judge that does not look at length, 1 for one that always takes the longer answer, -1 for the shorter.

A Long Way to Go: Investigating Length Correlations in RLHF (Singhal et al., 2023). How far length alone explains what
people prefer, and what a reward model scores; and the part of a gain in reward that is not bought by length:

    within-length gain = Σ_b n_b/N (mean reward in b after - mean reward in b before)      b: bins of length
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from posttrain.evaluation.reward_models.judged import JudgedPair
from posttrain.evaluation.reward_models.rank_correlation import pearson
from posttrain.evaluation.statistics import difference_of_shares, wilson

Interval = tuple[float, float, float]  # number, low, high
Lengths = Sequence[tuple[float, float]]  # (length, reward) of answers


@dataclass(frozen=True)
class LengthBias:
    """What length has to do with the scores of a reward model. Pairs of equal length are left out.

    `longer`, `shorter`: accuracy where people prefer the longer, the shorter answer. `balanced`: the mean of the two,
    which length alone cannot raise above one half. `people`: share of pairs in which people prefer the longer, which is
    the accuracy of a reward that is the length. `model`: likewise of the reward model. `correlation`: Pearson's, of the
    differences in score and in length within pairs.
    """

    bias: Interval
    longer: Interval
    shorter: Interval
    balanced: float
    people: Interval
    model: Interval
    correlation: float
    n: int


def length_bias(pairs: Sequence[JudgedPair]) -> LengthBias | None:
    """Measure the bias; None unless people prefer the longer answer in some pair and the shorter in another."""
    told = [p for p in pairs if p.longer_by]
    longer = [p.right for p in told if p.longer_by > 0]
    shorter = [p.right for p in told if p.longer_by < 0]
    if not longer or not shorter:
        return None
    takes_longer = [p.right if p.longer_by > 0 else 1 - p.right for p in told]
    return LengthBias(
        bias=difference_of_shares(sum(longer), len(longer), sum(shorter), len(shorter)),
        longer=_share(longer),
        shorter=_share(shorter),
        balanced=(fmean(longer) + fmean(shorter)) / 2,
        people=_share([float(p.longer_by > 0) for p in told]),
        model=_share(takes_longer),
        correlation=pearson([p.margin for p in told], [p.longer_by for p in told]),
        n=len(told),
    )


@dataclass(frozen=True)
class Band:
    """Pairs whose lengths differ by `least` to `most` words: how often people and the model prefer the longer."""

    least: int
    most: int
    n: int
    people: float
    model: float


def by_difference(pairs: Sequence[JudgedPair], bands: int = 5) -> list[Band]:
    """Divide pairs into bands of equal size by how much their lengths differ."""
    told = sorted((p for p in pairs if p.longer_by), key=lambda p: abs(p.longer_by))
    found = []
    for part in np.array_split(np.arange(len(told)), min(bands, len(told)) or 1):
        own = [told[i] for i in part]
        if own:
            people = fmean(float(p.longer_by > 0) for p in own)
            model = fmean(p.right if p.longer_by > 0 else 1 - p.right for p in own)
            found.append(Band(abs(own[0].longer_by), abs(own[-1].longer_by), len(own), people, model))
    return found


def within_length_gain(before: Lengths, after: Lengths, width: float = 20) -> tuple[float, float]:
    """Return the gain in reward within bins of length, and its share in the whole gain: (gain, share).

    Bins are `width` wide; those that lack an answer before or after are left out, and N counts the others' answers of
    both. The share is 1 if lengths do not move, 0 if length explains everything; NaN without a gain.
    """
    old, new = _bins(before, width), _bins(after, width)
    sizes = {b: len(old[b]) + len(new[b]) for b in old.keys() & new.keys()}
    if not sizes:
        return 0.0, 0.0
    gain = sum(n * (fmean(new[b]) - fmean(old[b])) for b, n in sizes.items()) / sum(sizes.values())
    whole = fmean(r for _, r in after) - fmean(r for _, r in before)
    return gain, gain / whole if whole else math.nan


def _bins(answers: Lengths, width: float) -> dict[int, list[float]]:
    bins: dict[int, list[float]] = {}
    for length, reward in answers:
        bins.setdefault(int(length // width), []).append(reward)
    return bins


def _share(rights: Sequence[float]) -> Interval:
    return fmean(rights), *wilson(sum(rights), len(rights))

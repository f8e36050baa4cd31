"""Minimum Error Rate Training in Statistical Machine Translation (Och, 2003): exact line search over N-best lists.

A candidate's score is the sum of its features times their weights. Along a direction of the weights each score is a
line, the best candidate follows their upper envelope, and the metric of a whole set changes at the corners only. So the
best step is found exactly, without gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from posttrain.records import Episode
from posttrain.selection.answers import reward_of

Weights = tuple[float, ...]


@dataclass(frozen=True)
class Candidate:
    """An answer of an N-best list: its features, and what the metric gives it."""

    features: Weights
    quality: float


List = Sequence[Candidate]


def listed(
    answers: Sequence[Sequence[Episode]], logp: Sequence[float], features: Sequence[str]
) -> list[list[Candidate]]:
    """Return scored answers by prompt as candidates: log-prob, length in tokens, and rewards by name.

    `logp`: of all answers in their order. A reward that abstained is 0.
    """
    numbers = iter(logp)
    return [
        [
            Candidate((next(numbers), len(e.tokens), *(e.rewards.get(name) or 0.0 for name in features)), reward_of(e))
            for e in group
        ]
        for group in answers
    ]


def product(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the sum of the products."""
    return sum(x * y for x, y in zip(a, b, strict=True))


def first(candidates: List, weights: Weights) -> int:
    """Return the place of the candidate with the highest score, the first of several."""
    scores = [product(c.features, weights) for c in candidates]
    return scores.index(max(scores))


def quality(lists: Sequence[List], weights: Weights) -> float:
    """Return the mean quality of the best candidate of each list."""
    return sum(c[first(c, weights)].quality for c in lists) / len(lists)


def envelope(candidates: List, weights: Weights, direction: Weights) -> list[tuple[float, int]]:
    """Return where which candidate begins to be the best as the weights move along a direction, from -inf on."""
    lines = [(product(c.features, direction), product(c.features, weights), i) for i, c in enumerate(candidates)]
    lines.sort(key=lambda line: (line[0], line[1], -line[2]))
    corners: list[tuple[float, int]] = []
    for slope, height, i in lines:
        start = -inf
        while corners:
            start = _crossing(candidates[corners[-1][1]], weights, direction, slope, height)
            if start > corners[-1][0]:
                break
            corners.pop()
            start = -inf
        corners.append((start, i))
    return corners


def _crossing(before: Candidate, weights: Weights, direction: Weights, slope: float, height: float) -> float:
    """Return from which step on a line of this slope is above that of a candidate of at most this slope."""
    rise = slope - product(before.features, direction)
    return -inf if rise == 0 else (product(before.features, weights) - height) / rise


def best_step(lists: Sequence[List], weights: Weights, direction: Weights) -> float:
    """Return the step along a direction with the best mean quality: in the middle of its interval, the nearest to 0.

    Step 0 is kept where nothing is better.
    """
    envelopes = [envelope(candidates, weights, direction) for candidates in lists]
    corners = sorted({start for corners in envelopes for start, _ in corners if start > -inf})
    if not corners:
        return 0.0
    middles = [(a + b) / 2 for a, b in pairwise(corners)]
    steps = sorted([0.0, corners[0] - 1, *middles, corners[-1] + 1], key=abs)
    return max(steps, key=lambda step: quality(lists, moved(weights, direction, step)))


def moved(weights: Weights, direction: Weights, step: float) -> Weights:
    """Return the weights, a step along a direction."""
    return tuple(w + step * d for w, d in zip(weights, direction, strict=True))


def tuned(lists: Sequence[List], start: Weights, rounds: int = 10) -> Weights:
    """Move the weights along one feature after the other, until nothing is better or the rounds are over."""
    weights = start
    for _ in range(rounds):
        before = weights
        for k in range(len(weights)):
            axis = tuple(1.0 if i == k else 0.0 for i in range(len(weights)))
            weights = moved(weights, axis, best_step(lists, weights, axis))
        if weights == before:
            break
    return weights

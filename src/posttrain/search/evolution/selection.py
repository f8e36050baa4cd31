"""Who is selected, as pure functions. What does not work is never chosen; of equals it is the earlier one."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from random import Random
from statistics import fmean

from posttrain.search.evolution.candidate import Candidate


def working(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return those that could be evaluated."""
    return [c for c in candidates if c.works]


def best(candidates: Sequence[Candidate], n: int) -> list[Candidate]:
    """Return the n best, the best first."""
    return sorted(working(candidates), key=lambda c: (-c.value, c.number))[: max(n, 0)]


def distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return one candidate of each text, the earliest."""
    first: dict[str | None, Candidate] = {}
    for c in sorted(candidates, key=lambda c: c.number):
        first.setdefault(c.text, c)
    return list(first.values())


def normalised(values: Sequence[float]) -> list[float]:
    """Map values to [0, 1] by the least and the largest; all to 0.5 where they are equal."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    return [(x - low) / (high - low) if high > low else 0.5 for x in values]


def softmax(values: Sequence[float], temperature: float = 1.0) -> list[float]:
    """Return exp(x / temperature), normalised to sum 1."""
    top = max(values)
    weights = [exp((x - top) / temperature) for x in values]
    return [w / sum(weights) for w in weights]


def drawn(candidates: Sequence[Candidate], n: int, seed: int, *, temperature: float = 1.0) -> list[Candidate]:
    """Draw n different candidates by the softmax of their fitness, mapped to [0, 1]; all where there are fewer."""
    chance, left, chosen = Random(seed), working(candidates), list[Candidate]()  # noqa: S311 (no secret)
    while left and len(chosen) < n:
        weights = softmax(normalised([c.value for c in left]), temperature)
        (one,) = chance.choices(left, weights)
        chosen.append(one)
        left = [c for c in left if c is not one]
    return chosen


def admitted(members: Sequence[Candidate], child: Candidate, size: int) -> list[Candidate]:
    """Return the members of an island after a child was born: it enters if it is at least as good as their mean.

    An empty island takes any child that works; where it becomes larger than `size`, the worst leaves.
    """
    if not child.works or (members and child.value < fmean(m.value for m in members)):
        return list(members)
    return sorted(best([*members, child], size), key=lambda c: c.number)


def weaker_half(islands: Sequence[Sequence[Candidate]]) -> list[int]:
    """Return the numbers of the islands whose mean fitness is below the median, rounded down, the weakest first."""
    means = [fmean(m.value for m in members) if members else float("-inf") for members in islands]
    return sorted(range(len(islands)), key=lambda i: (means[i], i))[: len(islands) // 2]

"""What a judge prefers besides what people prefer: the longer answer, the one shown first, its own.

Judging LLM-as-a-Judge (Zheng et al., 2023), and LLM Evaluators Recognize and Favor Their Own Generations (Panickssery
et al., 2024). Each bias is a difference of agreement with people, so that being right is no bias:

    bias = P(judge agrees | people prefer what it is suspected to favour) - P(judge agrees | people prefer the other)

0 of a judge that does not look at it, 1 of one that looks at nothing else, below 0 of one that avoids it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from posttrain.evaluation.statistics import difference_of_shares

Interval = tuple[float, float, float]  # bias, low, high


@dataclass(frozen=True)
class Comparison:
    """Two answers that people and a judge have compared. `people`, `judge`: the place of the better one, 0 or 1.

    `longer`, `first`, `own`: the place of the longer answer, of the one that the judge was shown first, and of the one
    that it has written itself; None where neither or both are, or it is not known.
    """

    people: int
    judge: int
    longer: int | None = None
    first: int | None = None
    own: int | None = None


FAVOURS = {"verbosity": "longer", "position": "first", "self-preference": "own"}


def biases(compared: Sequence[Comparison]) -> dict[str, Interval]:
    """Return each bias with its 95% interval (Newcombe's), as far as the comparisons tell it."""
    found = {name: bias([(c, getattr(c, place)) for c in compared]) for name, place in FAVOURS.items()}
    return {name: value for name, value in found.items() if value is not None}


def bias(compared: Sequence[tuple[Comparison, int | None]]) -> Interval | None:
    """Return the bias towards a suspected place; None unless people prefer it in some pair and the other in another."""
    preferred = [c.judge == c.people for c, place in compared if place == c.people]
    other = [c.judge == c.people for c, place in compared if place is not None and place != c.people]
    if not preferred or not other:
        return None
    return difference_of_shares(sum(preferred), len(preferred), sum(other), len(other))

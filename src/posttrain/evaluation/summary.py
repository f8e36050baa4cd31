"""Numbers of items in summary: their mean with its interval, and the difference of two models on the same items."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from posttrain.evaluation.statistics import interval, mean_interval, pass_all, pass_at, ratio_interval, sign_test

Scores = Mapping[int, float]  # id of the item -> its number


@dataclass(frozen=True)
class Summary:
    """A mean over `n` items with its 95% interval."""

    mean: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.mean:.4f} [{self.low:.4f}, {self.high:.4f}]"


@dataclass(frozen=True)
class Difference:
    """How far one model is above another on the same `n` items, with the 95% interval and the sign test of its sign."""

    mean: float
    low: float
    high: float
    n: int
    above: int
    below: int
    p_value: float

    def __str__(self) -> str:
        return (
            f"{self.mean:+.4f} [{self.low:+.4f}, {self.high:+.4f}], above on {self.above} and below on {self.below} of "
            f"{self.n}, p = {self.p_value:.3g} (sign test)"
        )


def summary(scores: Scores, tokens: Mapping[int, int] | None = None) -> Summary:
    """Average over items, or over the tokens of items. Raises ValueError without items."""
    if not scores:
        raise ValueError("there is nothing to average")
    values = list(scores.values())
    if tokens:
        return Summary(*ratio_interval(values, [tokens[i] for i in scores]), len(values))
    return Summary(math.fsum(values) / len(values), *interval(values), len(values))


def difference(scores: Scores, others: Scores) -> Difference:
    """Compare two models on the items that both have. Raises ValueError if there are none."""
    gaps = [scores[i] - others[i] for i in scores if i in others]
    if not gaps:
        raise ValueError("the two have no item in common")
    above, below = sum(g > 0 for g in gaps), sum(g < 0 for g in gaps)
    return Difference(*mean_interval(gaps), len(gaps), above, below, sign_test(above, below))


def passes(answers: Mapping[int, list[float]]) -> dict[int, float]:
    """Return pass@k, the share of k answers of which one is right, for k = 1, 2, 4, ... up to the number of answers.

    Nothing unless all rewards are 0 or 1.
    """
    return _drawn(answers, pass_at)


def all_pass(answers: Mapping[int, list[float]]) -> dict[int, float]:
    """Return pass^k, the share of k answers of which all are right, for the same k."""
    return _drawn(answers, pass_all)


def _drawn(answers: Mapping[int, list[float]], share: Callable[[int, int, int], float]) -> dict[int, float]:
    scored = [xs for xs in answers.values() if xs]
    if not scored or any(x not in (0.0, 1.0) for xs in scored for x in xs):
        return {}
    most = min(map(len, scored))
    return {
        k: math.fsum(share(k, len(xs), sum(x == 1.0 for x in xs)) for xs in scored) / len(scored)
        for k in (2**i for i in range(most.bit_length()))
    }


def majority(votes: Mapping[int, Sequence[tuple[str, float]]]) -> dict[int, float]:
    """Return maj@n, the share of prompts whose most frequent final answer is right; of equally frequent ones the first.

    `votes`: the final answer and the reward of each text. n is the largest number of answers to a prompt. Nothing
    unless all rewards are 0 or 1 and some prompt has several answers.
    """
    scored = [given for given in votes.values() if given]
    most = max(map(len, scored), default=0)
    if most < 2 or any(reward not in (0.0, 1.0) for given in scored for _, reward in given):
        return {}
    winners = [Counter(answer for answer, _ in given).most_common(1)[0][0] for given in scored]
    right = [dict(reversed(given))[winner] for given, winner in zip(scored, winners, strict=True)]
    return {most: math.fsum(right) / len(right)}

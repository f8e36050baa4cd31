"""pass@k, pass^k and maj@n against their definitions, by enumeration of all draws."""

from __future__ import annotations

from itertools import combinations
from statistics import fmean

import pytest

from posttrain.evaluation.metrics.attempts import attempts, majority
from posttrain.evaluation.suite import Item, Reply
from posttrain.records import Prompt


def items(*answers):
    return [Item(Prompt(0, "", {"answer": "4"}), k, (Reply("", a, a or None),)) for k, a in enumerate(answers)]


def right(item):
    return float(item.answer == "4")


def test_passes_are_those_of_all_draws():
    own = items("4", "5", "4", "6")
    found = attempts(right, 4, lambda i: i.answer)
    assert list(found) == ["pass@2", "pass@4", "pass^2", "pass^4", "maj@4"]
    draws = list(combinations([right(i) for i in own], 2))
    assert found["pass@2"](own) == pytest.approx(fmean(max(d) for d in draws))  # 5/6
    assert found["pass^2"](own) == pytest.approx(fmean(min(d) for d in draws))  # 1/6
    assert found["maj@4"](own) == 1.0
    assert attempts(right, 1, lambda i: i.answer) == {}


def test_a_majority_reads_no_unreadable_vote_and_divides_a_tie():
    assert majority(["5", "4", "5"], [False, True, False]) == 0.0
    assert majority(["4", "5"], [True, False]) == 0.5
    assert majority([None, None, "4"], [False, False, True]) == 1.0
    assert majority([None, None], [False, False]) == 0.0

"""Means with intervals, paired differences and pass@k, against enumeration and by hand."""

from __future__ import annotations

import itertools
import math

import pytest

from posttrain.evaluation.statistics import pass_all, pass_at, ratio_interval
from posttrain.evaluation.summary import all_pass, difference, majority, passes, summary


@pytest.mark.parametrize(("n", "c"), [(4, 0), (4, 1), (5, 2), (4, 4)])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_pass_at_k_is_the_share_of_draws_with_a_correct_answer(n, c, k):
    draws = list(itertools.combinations([1] * c + [0] * (n - c), k))
    assert pass_at(k, n, c) == pytest.approx(sum(map(any, draws)) / len(draws))


@pytest.mark.parametrize("c", range(6))
def test_all_of_k_answers(c):
    """n = 5 and c = 3: 3 of the 10 pairs. Both are the mean for k = 1; one grows with k, the other falls."""
    draws = list(itertools.combinations([True] * c + [False] * (5 - c), 2))
    assert pass_all(2, 5, c) == pytest.approx(sum(map(all, draws)) / len(draws))
    assert pass_all(2, 5, 3) == 0.3
    one, every = ([f(k, 5, c) for k in range(1, 6)] for f in (pass_at, pass_all))
    assert one[0] == pytest.approx(every[0]) == pytest.approx(c / 5)
    assert one == sorted(one)
    assert every == sorted(every, reverse=True)
    assert (one[-1], every[-1]) == (c > 0, c == 5)
    assert all_pass({1: [1.0] * c + [0.0] * (5 - c)}) == pytest.approx({k: pass_all(k, 5, c) for k in (1, 2, 4)})


def test_pass_at_k_for_powers_of_two_of_right_and_wrong_answers():
    assert passes({1: [1.0, 0.0, 0.0, 0.0, 1.0], 2: [0.0, 0.0, 0.0, 0.0]}) == pytest.approx({1: 0.2, 2: 0.35, 4: 0.5})
    assert passes({1: [0.5, 1.0]}) == passes({}) == {}


@pytest.mark.paper("havrilla2024m0y")
def test_the_majority_votes_by_final_answers():
    """Two of three say 7, which is wrong; the second prompt is undecided, and its first answer is right."""
    votes = {1: [("5", 1.0), ("7", 0.0), ("7", 0.0)], 2: [("3", 1.0), ("4", 0.0)], 3: [("8", 1.0)], 4: []}
    assert majority(votes) == {3: pytest.approx(2 / 3)}
    assert majority({1: [("5", 1.0)]}) == majority({1: [("5", 0.5), ("5", 1.0)]}) == majority({}) == {}


def test_a_mean_over_tokens_weighs_records_by_their_length():
    mean, low, high = ratio_interval([1.0, 3.0], [3, 1])
    assert mean == 1.5
    half = 1.959964 * math.sqrt((1.5**2 + 1.5**2) * 2) / 4
    assert (low, high) == pytest.approx((mean - half, mean + half))
    assert ratio_interval([2.0], [5]) == (2.0, -math.inf, math.inf)
    assert summary({7: 1.0, 8: 3.0}, {7: 3, 8: 1}).mean == 1.5


def test_two_models_are_compared_on_the_items_that_both_have():
    found = difference({1: 1.0, 2: 0.5, 3: 0.0, 4: 9.0}, {1: 0.0, 2: 0.5, 3: 1.0, 5: 3.0})
    assert (found.mean, found.n, found.above, found.below, found.p_value) == (0.0, 3, 1, 1, 1.0)
    assert found.low == -found.high


def test_nothing_has_no_mean():
    with pytest.raises(ValueError, match="nothing to average"):
        summary({})
    with pytest.raises(ValueError, match="no item in common"):
        difference({1: 1.0}, {2: 1.0})

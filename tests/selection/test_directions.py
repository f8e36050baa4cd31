"""Weights of ranked directions and value differences from preferences: golden numbers and identities."""

from __future__ import annotations

import math

import pytest

from posttrain.records import Episode
from posttrain.selection.directions import rank_weights, value_difference
from tests.data.rollouts import said

# ---- ranks


def test_golden_weights_of_eight_of_which_three_are_ranked():
    """7, 5, 3 for the ranked, -3 for the others, over 3 + 15 comparisons."""
    weights = rank_weights([0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.0, 0.4], 3)
    assert [w * 18 for w in weights] == pytest.approx([-3, 7, -3, 5, -3, 3, -3, -3])


@pytest.mark.parametrize(("m", "k"), [(2, 1), (5, 2), (6, 6), (9, 3), (1, 1)])
def test_the_weights_of_ranks_are_sums_over_the_comparisons(m, k):
    earned = [math.sin(3.7 * i) for i in range(m)]
    order = sorted(range(m), key=lambda i: -earned[i])
    edges = [(order[a], order[b]) for a in range(min(k, m)) for b in range(a + 1, m)]
    wanted = [sum((i == a) - (i == b) for a, b in edges) / max(len(edges), 1) for i in range(m)]
    assert rank_weights(earned, k) == pytest.approx(wanted)
    assert sum(rank_weights(earned, k)) == pytest.approx(0)


@pytest.mark.paper("tang2023lop")
def test_only_the_order_counts():
    earned = [0.3, -1.0, 2.0, 0.5]
    assert rank_weights(earned, 2) == rank_weights([math.exp(7 * x) for x in earned], 2)


def test_two_directions_compare_signs():
    assert rank_weights([0.2, 0.7], 1) == [-1, 1]


def test_golden_more_cannot_be_ranked_than_there_are():
    assert rank_weights([0.1, 0.3, 0.2], 9) == pytest.approx([-2 / 3, 2 / 3, 0])


# ---- preferences


def judged(*rewards: float | None) -> list[Episode]:
    return [said(0, "a", r, author=i % 2) for i, r in enumerate(rewards)]


def test_golden_the_log_odds_of_both_sides_count():
    """0.8 of the people prefer the moved policy's answer, 0.4 the policy's own."""
    wanted = (math.log(4) - math.log(2 / 3)) / 2
    assert value_difference(judged(0.8, 0.4), 0.01) == pytest.approx(wanted)
    assert value_difference(judged(0.4, 0.8), 0.01) == pytest.approx(-wanted)


def test_a_judge_that_favours_what_it_reads_first_does_no_harm():
    assert value_difference(judged(0.9, 0.9), 0.01) == pytest.approx(0)


def test_unanimous_votes_are_finite():
    assert value_difference(judged(1.0, 0.0), 0.05) == pytest.approx(math.log(19))
    assert value_difference(judged(None, None), 0.05) == 0

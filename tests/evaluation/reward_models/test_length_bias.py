"""What length has to do with scores."""

from __future__ import annotations

import math

import pytest

from posttrain.evaluation.reward_models.judged import JudgedPair
from posttrain.evaluation.reward_models.length_bias import by_difference, length_bias, within_length_gain

LENGTHS = [(9, 3), (8, 2), (7, 1), (2, 8), (5, 5)]  # of the answer that people prefer, and the other


def judged(score) -> list[JudgedPair]:
    return [JudgedPair(score(a, b), score(b, a), (a, b)) for a, b in LENGTHS]


@pytest.mark.paper("saito2023zs7")
@pytest.mark.parametrize(
    ("score", "bias"),
    [(lambda a, b: a, 1.0), (lambda a, b: -a, -1.0), (lambda a, b: 0.0, 0.0)],
    ids=["long", "short", "blind"],
)
def test_judges_that_look_at_length_alone(score, bias):
    found = length_bias(judged(score))
    assert found.bias[0] == bias
    assert found.bias[1] <= bias <= found.bias[2]
    assert found.balanced == 0.5
    assert found.model[0] == 0.5 + bias / 2
    assert found.correlation == pytest.approx(bias)


@pytest.mark.paper("saito2023zs7")
def test_one_who_agrees_with_people_has_no_bias_however_often_they_prefer_the_longer():
    agreeing = [JudgedPair(1.0, 0.0, lengths) for lengths in LENGTHS]
    found = length_bias(agreeing)
    assert (found.bias[0], found.people[0], found.model[0], found.n) == (0.0, 0.75, 0.75, 4)


def test_without_both_kinds_of_pairs_there_is_no_bias_to_measure():
    assert length_bias([JudgedPair(1.0, 0.0, (3, 2))]) is None
    assert length_bias([JudgedPair(1.0, 0.0, (3, 3))]) is None


def test_bands_of_length():
    first, second = by_difference(judged(lambda a, b: a), bands=2)
    assert (first.least, first.most, first.n, first.people, first.model) == (6, 6, 2, 1.0, 1.0)
    assert (second.least, second.most, second.n, second.people, second.model) == (6, 6, 2, 0.5, 1.0)
    assert by_difference([JudgedPair(1.0, 0.0, (3, 3))]) == []


@pytest.mark.paper("singhal2023egk")
def test_a_reward_that_is_the_length_gains_nothing_within_bins():
    before = [(float(n), n // 20) for n in (5, 25, 25, 45)]
    after = [(float(n), n // 20) for n in (25, 45, 45, 45)]
    assert within_length_gain(before, after) == (0.0, 0.0)


@pytest.mark.paper("singhal2023egk")
def test_a_gain_at_the_same_lengths_is_all_within_bins():
    before = [(5.0, 1.0), (25.0, 2.0)]
    after = [(n, r + 0.5) for n, r in before]
    assert within_length_gain(before, after) == pytest.approx((0.5, 1.0))
    assert within_length_gain(after, before) == pytest.approx((-0.5, 1.0))
    assert math.isnan(within_length_gain(before, before)[1])
    assert within_length_gain(before, [(99.0, 9.0)]) == (0.0, 0.0)  # no bin holds both


def test_bins_count_by_their_answers():
    """Three of five answers gain 1 in the first bin, two lose 1 in the second."""
    before = [(1.0, 0.0), (1.0, 0.0), (21.0, 0.0)]
    after = [(2.0, 1.0), (22.0, -1.0)]
    assert within_length_gain(before, after)[0] == pytest.approx((3 * 1 - 2 * 1) / 5)

"""Answers as arms: what they might be worth."""

from __future__ import annotations

import pytest

from posttrain.records import Sampled
from posttrain.selection.bandit_arms import arms, optimistic
from tests.data.rollouts import said


def test_golden_of_four_rewards():
    assert optimistic([0.0, 1.0, 1.0, 0.0], 0.6) == pytest.approx(0.5 + 0.3)


def test_the_bonus_is_at_most_one_and_that_of_an_untried_arm_is_one():
    assert optimistic([0.25], 3.0) == pytest.approx(1.25)
    assert optimistic([], 0.1) == 1.0


@pytest.mark.paper("zhao202532z")
def test_the_bonus_falls_with_the_root_of_the_count():
    assert optimistic([0.5] * 400, 0.8) - 0.5 == pytest.approx((optimistic([0.5] * 100, 0.8) - 0.5) / 2)


def test_equal_answers_are_one_arm_and_the_most_promising_comes_first():
    """The answer a was tried twice, c once, b never."""
    rollouts = [said(1, "a", 0.0), said(1, "b", None), said(2, "z", 0.5), said(1, "a", 0.4), said(1, "c", 1.0)]
    one, two = arms(rollouts, 0.5)
    assert [a.text for a in one.completions if isinstance(a, Sampled)] == ["c", "b", "a"]
    assert one.columns["reward"] == pytest.approx([1.5, 1.0, 0.2 + 0.5 / 2**0.5])
    assert two.columns["reward"] == [1.0]
    assert (one.prompt, one.where) == ("question 1", "file:1")
    assert isinstance(one.id, int)

"""The chain: what it earns, exactly."""

from __future__ import annotations

import pytest

from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.worlds.chain import Chain


def test_without_slips_the_far_end_is_worth_a_discounted_1():
    made = Chain(length=5, slip=0.0)
    table = made.table()
    values = value_iteration(table)
    assert table.states == (0, 1, 2, 3, 4)
    assert list(values.V) == pytest.approx([0.95**3, 0.95**2, 0.95, 1.0, 0.0])
    assert values.Q[0, 0] == pytest.approx(0.01 + 0.95 * 0.95**3)
    assert (values.policy[:4, 1] == 1).all()


def test_the_near_reward_is_taken_where_the_end_is_too_far():
    assert (value_iteration(Chain(length=40, slip=0.4, near=0.1).table()).policy[0] == [1, 0]).all()


def test_words():
    made = Chain(length=3)
    assert made.describe(made.reset(0)) == "You are at place 0 of a chain of places 0 to 2, from left to right."

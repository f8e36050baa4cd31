"""Constrained RLHF: the rewards alone without thresholds, the KL alone once all are met."""

import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import step
from tests.methods.golden.constraints import judged

pytestmark = pytest.mark.paper("moskovitz2023slz")

METHOD = load("online/constrained_rlhf")
TWO = ({"reward_a": 1.0, "reward_b": 3.0}, {"reward_a": 0.0, "reward_b": 0.5})


def advantages(thresholds, earned=TWO, **settings):
    own = {f"multiplier/{name}.threshold": x for name, x in thresholds.items()}
    one = step(configure(METHOD, {"components": list(thresholds), **own, **settings}), *judged(*earned))
    return [a for (a,) in one.value("advantage")]


def test_thresholds_at_infinity_constrain_nothing():
    """What is left is the sum of the rewards, without the KL."""
    assert advantages({"a": math.inf, "b": math.inf}) == [4.0, 0.5]


def test_thresholds_that_are_met_by_far_leave_the_kl_alone():
    """Once for each reward, as A_KL has the weight N - Σ f."""
    assert advantages({"a": -math.inf, "b": -math.inf}) == pytest.approx([-1.0, -1.0])


def test_equal_pushes_back_where_at_least_only_stops_asking():
    """At θ = -∞ the credit of a is -1 times its reward, and the KL counts twice."""
    assert advantages({"a": -math.inf}, constraint="equal") == pytest.approx([2 * -0.5 - 1, 2 * -0.5])
    assert advantages({"a": -math.inf}, constraint="at_least") == pytest.approx([-0.5, -0.5])


def test_the_order_of_the_rewards_does_not_matter():
    assert advantages({"a": 0.1, "b": 0.7}) == pytest.approx(advantages({"b": 0.7, "a": 0.1}))


def test_the_same_reward_twice_is_twice_the_reward():
    same = [{"reward_a": r["reward_a"], "reward_b": r["reward_a"]} for r in TWO]
    assert advantages({"a": 0.3, "b": 0.3}, same) == pytest.approx([2 * a for a in advantages({"a": 0.3}, same)])

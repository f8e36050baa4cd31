import math

import pytest

from posttrain.catalogue.index import load
from posttrain.core.method import variant
from tests.harness.numbers import answer, step

PENALTY, PPO = load("online/ppo_penalty"), load("online/ppo")


def moved(kl, method=PENALTY, **states):
    """One token whose log-prob fell by `kl` since the batch was sampled; it earned more than another."""
    same = {"ref_logp": [-1.0], "rollout_logp": [-1.0], "value": [0.0], "old_value": [0.0]}
    rows = [answer(logp=[-1.0 - kl], old_logp=[-1.0], reward=r, **same) for r in (1.0, 0.0)]
    return step(variant(method, passes=1), *rows, states=states)


def test_golden_weight_doubles_halves_or_stays():
    """Target 0.01: beyond 0.015 the weight doubles, below 0.00667 it halves."""
    after = [moved(kl).states for kl in (0.016, 0.01, 0.006)]
    assert [states["penalty_weight"]["weight"] for states in after] == [2.0, 1.0, 0.5]
    assert [states["penalty_weight at the end"]["value"] for states in after] == [2.0, 1.0, 0.5]


def test_golden_loss():
    one = moved(0.5)
    assert one.metrics["loss/distance"] == pytest.approx(math.exp(-0.5) + 0.5 - 1)
    assert one.metrics["loss/policy"] == pytest.approx(0, abs=1e-12)
    ratio = math.exp(-0.5)
    assert one.gradient("logp") == [pytest.approx([(-ratio + ratio - 1) / 2]), pytest.approx([(ratio + ratio - 1) / 2])]


def test_golden_the_weight_of_the_batch_before_is_used():
    carried = {"penalty_weight": {"weight": 4.0}, "penalty_weight at the end": {"value": 4.0}}
    critic = 0.1 * 0.25
    assert moved(0.5, **carried).metrics["loss"] == pytest.approx(4 * (math.exp(-0.5) + 0.5 - 1) + critic)


def test_before_the_policy_has_moved_it_is_ppo():
    mine, theirs = moved(0.0), moved(0.0, PPO)
    assert mine.metrics["loss/distance"] == 0
    assert mine.gradient("logp") == theirs.gradient("logp")


def test_nothing_is_clipped():
    up = moved(-0.5)  # the ratio is 1.65
    assert up.gradient("logp")[0][0] != 0
    assert moved(-0.5, PPO).gradient("logp")[0] == [0]

import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.plan import plan
from tests.harness.numbers import step
from tests.methods.online.group import group, per_answer

PM, RLOO = load("online/pm_rlhf"), load("online/rloo")


def advantages(method, *rows):
    return per_answer(step(method, *rows).value("advantage"))


def test_golden():
    """Rewards 1, 0, 0, 3 plus the lengths 2, 4, 1, 3, since every token has log-prob -1: 3, 4, 1, 6."""
    one = step(PM, *group())
    assert per_answer(one.value("advantage")) == pytest.approx([3 - 11 / 3, 4 - 10 / 3, 1 - 13 / 3, 6 - 8 / 3])
    assert one.gradient("logp")[3] == pytest.approx([-(6 - 8 / 3) / 4] * 3)


def test_golden_of_a_weight():
    half = advantages(configure(PM, {"entropy_weight": 0.5}), *group())
    assert half == pytest.approx([2 - 7 / 3, 2 - 7 / 3, 0.5 - 8.5 / 3, 4.5 - 4.5 / 3])


def test_it_is_rloo_with_a_uniform_reference_and_a_kl_of_weight_one():
    uniform = configure(RLOO, {"kl_weight": 1.0})
    assert advantages(PM, *group()) == pytest.approx(advantages(uniform, *group(ref_logp=0.0)))


def test_without_the_entropy_it_is_rloo_without_its_kl():
    bare = configure(PM, {"entropy_weight": 0.0})
    assert advantages(bare, *group()) == pytest.approx(advantages(configure(RLOO, {"kl_weight": 0.0}), *group()))


def test_at_softmax_of_the_rewards_nothing_moves():
    """r - log π is the same for every answer."""
    rows = [r for p, x in ((0.2, 1.0), (0.5, 1.0 + math.log(2.5))) for r in group([x], [1], old_logp=math.log(p))]
    assert advantages(PM, *rows) == pytest.approx([0, 0], abs=1e-14)


def test_no_reference_model_is_loaded():
    assert "reference" not in plan(PM).loaded

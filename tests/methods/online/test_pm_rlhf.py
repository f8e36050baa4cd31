import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.plan import plan
from tests.harness.numbers import step
from tests.methods.online.group import group, per_answer

pytestmark = pytest.mark.paper("xiao2024ro4")

PM, RLOO = load("online/pm_rlhf"), load("online/rloo")


def advantages(method, *rows):
    return per_answer(step(method, *rows).value("advantage"))


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

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.online.group import group, per_answer

REMAX = load("online/remax")


def greedy(reward, prompt=0):
    return group([reward], [1], prompt, author=1, train=False, ref_logp=-9.0)[0]


def test_golden():
    one = step(REMAX, *group(), greedy(0.5))
    assert per_answer(one.value("advantage")) == pytest.approx([0.5, -0.5, -0.5, 2.5, 0])
    assert per_answer(one.gradient("logp")) == pytest.approx([-0.125, 0.125, 0.125, -0.625, 0])


def test_golden_kl_is_charged_token_by_token_and_not_to_the_baseline():
    row = answer(**group([1.0], [2])[0].values | {"ref_logp": [-3.0, -2.0]})
    one = step(configure(REMAX, {"kl_weight": 0.1}), row, greedy(0.5))
    assert one.value("token_reward")[0] == pytest.approx([-0.2, 0.9])
    assert one.value("advantage")[0] == pytest.approx([0.7 - 0.5, 0.9 - 0.5])


def test_the_baseline_is_of_the_same_prompt():
    one = step(REMAX, *group([1.0], [1], 0), *group([1.0], [1], 1), greedy(1.0, 1), greedy(0.25, 0))
    assert per_answer(one.value("advantage"))[:2] == pytest.approx([0.75, 0])


def test_the_greedy_answer_is_never_trained_on():
    assert step(REMAX, *group(), greedy(0.5)).gradient("logp")[-1] == [0]


def test_with_a_greedy_reward_of_zero_it_is_reinforce_without_baseline():
    mine = step(REMAX, *group(), greedy(0.0)).gradient("logp")[:4]
    assert mine == step(load("online/reinforce"), *group()).gradient("logp")

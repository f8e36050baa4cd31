import pytest

from posttrain.catalogue.index import load
from tests.harness.numbers import step
from tests.methods.online.group import group, per_answer

pytestmark = pytest.mark.paper("001-text:SCST")

REMAX = load("online/remax")


def greedy(reward, prompt=0):
    return group([reward], [1], prompt, author=1, train=False, ref_logp=-9.0)[0]


def test_the_baseline_is_of_the_same_prompt():
    one = step(REMAX, *group([1.0], [1], 0), *group([1.0], [1], 1), greedy(1.0, 1), greedy(0.25, 0))
    assert per_answer(one.value("advantage"))[:2] == pytest.approx([0.75, 0])


def test_the_greedy_answer_is_never_trained_on():
    assert step(REMAX, *group(), greedy(0.5)).gradient("logp")[-1] == [0]


def test_with_a_greedy_reward_of_zero_it_is_reinforce_without_baseline():
    mine = step(REMAX, *group(), greedy(0.0)).gradient("logp")[:4]
    assert mine == step(load("online/reinforce"), *group()).gradient("logp")


def test_the_baseline_is_one_greedy_answer_that_is_not_trained():
    sampled, baseline = REMAX.streams["main"].sampling
    assert (baseline.samples, baseline.temperature, baseline.train) == (1, 0.0, False)
    assert (sampled.temperature, sampled.train) == (1.0, True)

import pytest

from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.preference.pair import CHOSEN, REJECTED, on_pair

ONLINE, DPO = load("online/online_dpo"), load("preference/dpo")
MIDDLE = answer(logp=[-1.0, -1.0], ref_logp=[-1.2, -1.2])


def scored(a, reward, prompt=0, train=True):
    own = {"group": prompt, "author": 0, "rollout_logp": [0.0] * a.length}
    return answer(train, **a.values, **own, reward=reward)


def test_golden():
    one = step(ONLINE, scored(REJECTED, -1.0), scored(MIDDLE, 0.5), scored(CHOSEN, 2.0))
    assert one.batches["main"]["pairs"].tolist() == [[2, 0]]
    assert one.metrics["loss"] == pytest.approx(0.61634377, abs=1e-8)
    assert one.gradient("logp")[1] == [0.0, 0.0]
    assert one.gradient("logp")[2] == pytest.approx([-0.1 * 0.4600850] * 5, rel=1e-6)


def test_golden_prompts_do_not_mix_and_equal_rewards_make_no_pair():
    rows = [scored(CHOSEN, 1.0), scored(MIDDLE, 3.0, 1), scored(REJECTED, 0.0), scored(CHOSEN, 3.0, 1)]
    one = step(ONLINE, *rows)
    assert one.batches["main"]["pairs"].tolist() == [[0, 2]]
    assert one.metrics["loss"] == pytest.approx(0.61634377, abs=1e-8)


def test_golden_of_equals_the_first_and_only_what_is_trained():
    rows = [scored(CHOSEN, 1.0), scored(MIDDLE, 1.0), scored(REJECTED, 0.0), scored(MIDDLE, 0.0)]
    assert step(ONLINE, *rows).batches["main"]["pairs"].tolist() == [[0, 2]]
    greedy = scored(MIDDLE, 9.0, train=False)
    assert step(ONLINE, greedy, *rows[:3]).batches["main"]["pairs"].tolist() == [[1, 3]]


def test_two_answers_are_a_pair_of_dpo():
    one = step(ONLINE, scored(CHOSEN, 1.0), scored(REJECTED, 0.0))
    assert one.metrics["loss"] == on_pair(DPO).metrics["loss"]
    assert one.gradient("logp") == on_pair(DPO).gradient("logp")


def test_golden_when_all_are_equal_nothing_is_learnt():
    one = step(ONLINE, scored(CHOSEN, 1.0), scored(REJECTED, 1.0))
    assert one.metrics["loss"] == 0
    assert one.gradient("logp") == [[0.0] * 5, [0.0] * 4]


def test_only_the_order_of_the_rewards_counts():
    far = step(ONLINE, scored(CHOSEN, 1e3), scored(REJECTED, -1e3))
    assert far.metrics == step(ONLINE, scored(CHOSEN, 0.1), scored(REJECTED, 0.0)).metrics

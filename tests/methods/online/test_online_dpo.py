from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.preference.pair import CHOSEN, REJECTED, on_pair

ONLINE, DPO = load("online/online_dpo"), load("preference/dpo")


def scored(a, reward, prompt=0, train=True):
    own = {"group": prompt, "author": 0, "rollout_logp": [0.0] * a.length}
    return answer(train, **a.values, **own, reward=reward)


def test_two_answers_are_a_pair_of_dpo():
    one = step(ONLINE, scored(CHOSEN, 1.0), scored(REJECTED, 0.0))
    assert one.metrics["loss"] == on_pair(DPO).metrics["loss"]
    assert one.gradient("logp") == on_pair(DPO).gradient("logp")


def test_only_the_order_of_the_rewards_counts():
    far = step(ONLINE, scored(CHOSEN, 1e3), scored(REJECTED, -1e3))
    assert far.metrics == step(ONLINE, scored(CHOSEN, 0.1), scored(REJECTED, 0.0)).metrics

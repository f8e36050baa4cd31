"""Rewards of tokens that add up to the score of their answer: RED and ABC."""

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step

SAME = {n: [-1.0] * 4 for n in ("logp", "old_logp", "ref_logp", "rollout_logp")}
VALUES = {"value": [0.0] * 4, "old_value": [0.0] * 4}
DENSE = {
    "online/red": {"prefix_reward": [0.3, -0.2, 0.9, 1.4]},
    "online/attention_credit": {"reward_attention": [0.1, 0.25, 0.05, 0.2]},
}


def on(path, share, **given):
    method = configure(load(path), {"share": share})
    return step(method, answer(reward=1.4, **DENSE[path], **SAME, **VALUES, **given))


@pytest.mark.paper("li2024h19", "chan2024xig")
@pytest.mark.parametrize("path", DENSE)
@pytest.mark.parametrize("share", [0.0, 0.6, 1.0])
def test_the_rewards_of_the_tokens_add_up_to_the_score(path, share):
    assert sum(on(path, share).value("token_reward")[0]) == pytest.approx(1.4, abs=1e-12)


@pytest.mark.paper("li2024h19", "chan2024xig")
@pytest.mark.parametrize("path", DENSE)
def test_without_a_share_it_is_ppo(path):
    ppo = step(load("online/ppo"), answer(reward=1.4, **SAME, **VALUES))
    assert on(path, 0.0).value("token_reward") == ppo.value("token_reward")
    assert on(path, 0.0).value("advantage") == ppo.value("advantage")


@pytest.mark.paper("li2024h19")
def test_as_a_shaping_it_leaves_the_return_of_what_follows_but_for_the_score_so_far():
    """Σ_{k≥t} r_k = s(y) - s(y_<t): the best answer from any prefix is the same."""
    rewards = on("online/red", 1.0).value("token_reward")[0]
    before = [0.0, 0.3, -0.2, 0.9]
    assert [sum(rewards[t:]) for t in range(4)] == pytest.approx([1.4 - s for s in before], abs=1e-12)


@pytest.mark.paper("chan2024xig")
def test_the_scale_of_the_attention_to_the_answer_does_not_matter():
    other = {"reward_attention": [x * 0.01 for x in DENSE["online/attention_credit"]["reward_attention"]]}
    method = configure(load("online/attention_credit"), {"share": 1.0})
    one = step(method, answer(reward=1.4, **other, **SAME, **VALUES)).value("token_reward")[0]
    assert one == pytest.approx(on("online/attention_credit", 1.0).value("token_reward")[0], abs=1e-12)

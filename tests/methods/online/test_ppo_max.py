import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import step
from tests.methods.online.group import flat, group

pytestmark = pytest.mark.paper("zheng2023c98")

PPO_MAX, PPO = load("online/ppo_max"), load("online/ppo")
OFF = {
    "scaled_reward.by": "none",
    "scaled_reward.clip": 0.0,
    "kl_weight": 0.05,
    "bound": 0.0,
    "entropy.weight": 0.0,
    "pretrain.weight": 0.0,
    "value.weight": 0.1,
}


def test_with_every_switch_off_it_is_ppo_bit_for_bit():
    mine, theirs = (step(m, *group(ref_logp=-1.3, value=0.4, old_value=0.4)) for m in (configure(PPO_MAX, OFF), PPO))
    for name in ("logp", "value"):
        assert mine.gradient(name) == theirs.gradient(name)
    assert mine.metrics.items() >= theirs.metrics.items()


@pytest.mark.parametrize("chunks", [[8], [1, 7], [3, 1, 4], [1] * 8])
def test_the_deviation_does_not_depend_on_how_the_answers_are_cut(chunks):
    rewards, states = [1.0, -2.0, 0.5, 4.0, 4.0, 9.0, -30.0, 2.5], {}
    for size in chunks:
        now, rewards = rewards[:size], rewards[size:]
        states = step(configure(PPO_MAX, OFF), *group(now, [1] * size), states=states).states
    kept = states["scaled_reward"]
    assert (kept["count"], kept["mean"]) == (8, pytest.approx(-11 / 8))
    assert kept["squares"] == pytest.approx(1024.5 - 11**2 / 8)


def test_the_size_of_a_heavy_tail_does_not_reach_the_policy():
    """A reward of 1e6 among small ones weighs in the update as one of 1e3, and without the scale it does not."""

    def advantage(tail, **settings):
        made = configure(PPO_MAX, {**OFF, "gae.lam": 1.0, "kl_weight": 0.0, **settings})
        return step(made, *group([1.0, 2.0, 3.0, tail], [1] * 4)).value("returns")

    scaled = {"scaled_reward.by": "std", "scaled_reward.clip": 1.0}
    assert flat(advantage(1e6, **scaled))[3] == flat(advantage(1e3, **scaled))[3] == 1.0
    assert flat(advantage(1e6))[3] == 1e6


def test_the_sign_of_a_scaled_reward_stays():
    one = step(configure(PPO_MAX, {"pretrain.weight": 0.0}), *group([-1.0, -2.0, 3.0], [1] * 3))
    assert [x > 0 for x in one.value("scaled_reward")] == [False, False, True]

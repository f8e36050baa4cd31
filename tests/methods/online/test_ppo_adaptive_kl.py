import pytest

from posttrain.catalogue import load
from posttrain.settings import configure
from tests.methods.given import answer, step

ADAPTIVE, PPO = load("online/ppo_adaptive_kl"), load("online/ppo")


def batch(kl, count=1, weight=0.1, **settings):
    """`count` answers of one token, each `kl` nats away from the reference."""
    row = answer(
        logp=[-1.0],
        old_logp=[-1.0],
        ref_logp=[-1.0 - kl],
        rollout_logp=[-1.0],
        value=[0.0],
        old_value=[0.0],
        reward=1.0,
    )
    return step(configure(ADAPTIVE, settings), *[row] * count, states={"kl_weight": {"weight": weight}})


def test_golden():
    one = batch(kl=12.0, count=256)
    assert one.states["kl_weight"]["weight"] == pytest.approx(0.100512, abs=1e-9)
    assert one.metrics["kl_weight"] == pytest.approx(0.1)  # this batch is shaped with the weight as it was
    assert one.value("token_reward")[0] == pytest.approx([1 - 0.1 * 12])


def test_golden_small_errors_are_followed_in_proportion_and_below_the_target_it_falls():
    assert batch(kl=6.6, horizon=1.0).states["kl_weight"]["weight"] == pytest.approx(0.1 * 1.1)
    assert batch(kl=5.4, horizon=1.0).states["kl_weight"]["weight"] == pytest.approx(0.1 * 0.9)
    assert batch(kl=0.0, horizon=1.0).states["kl_weight"]["weight"] == pytest.approx(0.1 * 0.8)


def test_at_the_target_it_is_ppo_with_that_coefficient():
    mine, theirs = batch(kl=6.0, count=3, weight=0.05), step(PPO, *[_plain(6.0)] * 3)
    assert mine.states["kl_weight"]["weight"] == 0.05
    assert mine.metrics["loss"] == pytest.approx(theirs.metrics["loss"], abs=1e-15)
    assert mine.value("token_reward") == theirs.value("token_reward")


def _plain(kl):
    return answer(
        logp=[-1.0],
        old_logp=[-1.0],
        ref_logp=[-1.0 - kl],
        rollout_logp=[-1.0],
        value=[0.0],
        old_value=[0.0],
        reward=1.0,
    )


def test_n_answers_in_one_batch_move_it_as_far_as_n_horizons():
    assert batch(kl=12.0, count=8, horizon=80.0).states == batch(kl=12.0, count=2, horizon=20.0).states

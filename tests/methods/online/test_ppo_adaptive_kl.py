import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import step
from tests.methods.online.group import group

ADAPTIVE, PPO = load("online/ppo_adaptive_kl"), load("online/ppo")


def batch(method, kl, count=1, weight=0.1):
    """`count` answers of one token, each `kl` nats away from the reference."""
    rows = group([1.0] * count, [1] * count, ref_logp=-1.0 - kl)
    return step(method, *rows, states={"kl_weight": {"weight": weight}})


def after(kl, **settings):
    """The weight that follows 0.1."""
    return batch(configure(ADAPTIVE, settings), kl).states["kl_weight"]["weight"]


def test_golden():
    one = batch(ADAPTIVE, kl=12.0, count=256)
    assert one.states["kl_weight"]["weight"] == pytest.approx(0.100512, abs=1e-9)
    assert one.metrics["kl_weight"] == pytest.approx(0.1)  # this batch is shaped with the weight as it was
    assert one.value("token_reward")[0] == pytest.approx([1 - 0.1 * 12])


def test_golden_small_errors_are_followed_in_proportion_and_below_the_target_it_falls():
    assert after(6.6, horizon=1.0) == pytest.approx(0.1 * 1.1)
    assert after(5.4, horizon=1.0) == pytest.approx(0.1 * 0.9)
    assert after(0.0, horizon=1.0) == pytest.approx(0.1 * 0.8)


def test_golden_answers_that_are_not_trained_on_do_not_steer():
    opponent = group([0.0], [1], train=False, ref_logp=-99.0)
    one = step(ADAPTIVE, *opponent, states={"kl_weight": {"weight": 0.1}})
    assert one.value("kl_weight") == one.states["kl_weight"]["weight"] == 0.1


def test_at_the_target_it_is_ppo_with_that_coefficient():
    mine, theirs = batch(ADAPTIVE, 6.0, 3, weight=0.05), batch(PPO, 6.0, 3)
    assert mine.states["kl_weight"]["weight"] == 0.05
    assert mine.metrics["loss"] == pytest.approx(theirs.metrics["loss"], abs=1e-15)
    assert mine.value("token_reward") == theirs.value("token_reward")


def test_n_answers_in_one_batch_move_it_as_far_as_n_horizons():
    eight = batch(configure(ADAPTIVE, {"horizon": 80.0}), 12.0, count=8)
    assert eight.states["kl_weight"]["weight"] == pytest.approx(after(12.0, horizon=10.0))

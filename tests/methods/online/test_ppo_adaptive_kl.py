import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import step
from tests.methods.online.group import group

pytestmark = pytest.mark.paper("000:[84]")

ADAPTIVE, PPO = load("online/ppo_adaptive_kl"), load("online/ppo")


def batch(method, kl, count=1, weight=0.1):
    """`count` answers of one token, each `kl` nats away from the reference."""
    rows = group([1.0] * count, [1] * count, ref_logp=-1.0 - kl)
    return step(method, *rows, states={"kl_weight": {"weight": weight}})


def after(kl, **settings):
    """The weight that follows 0.1."""
    return batch(configure(ADAPTIVE, settings), kl).states["kl_weight"]["weight"]


def test_at_the_target_it_is_ppo_with_that_coefficient():
    mine, theirs = batch(ADAPTIVE, 6.0, 3, weight=0.05), batch(PPO, 6.0, 3)
    assert mine.states["kl_weight"]["weight"] == 0.05
    assert mine.metrics["loss"] == pytest.approx(theirs.metrics["loss"], abs=1e-15)
    assert mine.value("token_reward") == theirs.value("token_reward")


def test_n_answers_in_one_batch_move_it_as_far_as_n_horizons():
    eight = batch(configure(ADAPTIVE, {"horizon": 80.0}), 12.0, count=8)
    assert eight.states["kl_weight"]["weight"] == pytest.approx(after(12.0, horizon=10.0))

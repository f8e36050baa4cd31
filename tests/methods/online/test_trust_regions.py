"""Other ways than PPO's clip to stay near the policy that sampled: their limits, and what they do to the gradient."""

import math

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.rows import Rows
from posttrain.formulas.losses.policy_gradient import clipped_surrogate, reinforce, surrogate, token_ratio
from posttrain.formulas.losses.trust_regions import (
    dual_clipped_surrogate,
    gamma_weighted,
    geometric_ratio,
    soft_gated,
    truncated_reinforce,
    within_divergence,
)
from tests.methods.online.group import at_ratio

pytestmark = pytest.mark.usefixtures("float64")
ONE_EACH = Rows(torch.arange(50), torch.ones(50, dtype=torch.bool), 50)
ADVANTAGE = torch.linspace(-2, 2, 50, dtype=torch.float64)
OLD = -0.1 - torch.rand(50, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 5
LOSSES = {
    "cispo": lambda logp: truncated_reinforce(ADVANTAGE, token_ratio(logp, OLD), logp),
    "sapo": lambda logp: soft_gated(ADVANTAGE, token_ratio(logp, OLD)),
    "gmpo": lambda logp: surrogate(ADVANTAGE, geometric_ratio(logp, OLD, ADVANTAGE, ONE_EACH)),
    "vespo": lambda logp: gamma_weighted(ADVANTAGE, logp, OLD, ONE_EACH),
    "dual clip": lambda logp: dual_clipped_surrogate(ADVANTAGE, token_ratio(logp, OLD)),
    "ppo": lambda logp: clipped_surrogate(ADVANTAGE, token_ratio(logp, OLD)),
}


def slope(loss, logp):
    logp = logp.clone().requires_grad_()
    return torch.autograd.grad(loss(logp).sum(), logp)[0]


@pytest.mark.parametrize("name", LOSSES)
def test_on_policy_every_loss_has_the_gradient_of_reinforce(name):
    expected = slope(lambda logp: reinforce(logp, ADVANTAGE), OLD)
    assert torch.allclose(slope(LOSSES[name], OLD), expected, atol=1e-12)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("moved", [-0.3, 0.3, 2.0])
def test_no_loss_turns_the_direction_around(name, moved):
    assert (slope(LOSSES[name], OLD + moved) * ADVANTAGE <= 0).all()


def test_where_ppo_loses_the_gradient_of_a_good_token_cispo_keeps_it():
    good = ADVANTAGE > 0
    assert (slope(LOSSES["ppo"], OLD + 1)[good] == 0).all()
    assert torch.allclose(slope(LOSSES["cispo"], OLD + 1)[good], -math.e * ADVANTAGE[good])


def test_sapo_fades_where_it_pushes_down_sooner_than_up():
    at = {a: abs(at_ratio(load("online/sapo"), [1.0], a).gradient("logp")[0][0]) for a in (1.0, -1.0)}
    assert at[-1.0] < at[1.0] < math.e


def test_without_a_clip_gmpo_is_gspo_without_a_clip():
    gmpo = configure(load("online/gmpo"), {"low": 9.0, "high": 9.0})
    gspo = configure(load("online/gspo"), {"low": 1.0, "high": 9.0})
    for advantage in (1.0, -1.0):
        mine, other = (at_ratio(m, [0.7, -0.2, 0.4], advantage) for m in (gmpo, gspo))
        assert mine.metrics["loss"] == pytest.approx(other.metrics["loss"], abs=1e-14)
        assert mine.gradient("logp")[0] == pytest.approx(other.gradient("logp")[0], abs=1e-14)


def test_luspo_is_gspo_times_the_length():
    lengthy = [0.2e-3, -0.1e-3, 0.3e-3]
    mine, other = (at_ratio(load(f"online/{name}"), lengthy, 1.0) for name in ("luspo", "gspo"))
    assert mine.metrics["loss"] == pytest.approx(3 * other.metrics["loss"], abs=1e-14)
    assert mine.gradient("logp")[0] == pytest.approx([3 * g for g in other.gradient("logp")[0]], abs=1e-14)


def test_vespo_weighs_most_where_the_ratio_is_k_over_lambda():
    vespo = configure(load("online/vespo"), {"k_positive": 4.0, "lambda_positive": 2.0})
    sizes = [abs(at_ratio(vespo, [math.log(w)], 1.0).gradient("logp")[0][0]) for w in (1.9, 2.0, 2.1)]
    assert sizes[1] == max(sizes)


def test_a_ceiling_that_nothing_reaches_leaves_ppo():
    ratio = token_ratio(OLD + 1, OLD)
    high = dual_clipped_surrogate(ADVANTAGE, ratio, ceiling=9.0)
    assert torch.equal(high, clipped_surrogate(ADVANTAGE, ratio))
    assert (dual_clipped_surrogate(ADVANTAGE, ratio, ceiling=2.0) <= high).all()


@pytest.mark.parametrize("divergence", ["tv", "kl"])
def test_a_rare_token_may_move_by_a_ratio_that_stops_a_common_one(divergence):
    old = torch.tensor([0.4, 0.001], dtype=torch.float64).log()
    kept = within_divergence(torch.ones(2), old + math.log(2), old, divergence=divergence)
    assert kept.tolist() == [0, 1]


@pytest.mark.parametrize("divergence", ["tv", "kl"])
def test_the_way_back_is_always_open(divergence):
    old = torch.tensor([0.8, 0.1], dtype=torch.float64).log()
    now = torch.tensor([0.1, 0.8], dtype=torch.float64).log()
    kept = [within_divergence(torch.full((2,), a), now, old, divergence=divergence).tolist() for a in (1.0, -1.0)]
    assert kept == [[1, 0], [0, 1]]
    assert within_divergence(torch.ones(1), torch.zeros(1), torch.zeros(1), divergence=divergence).tolist() == [1]

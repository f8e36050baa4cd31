import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.formulas.losses.pairs import blended
from tests.methods.preference.pair import CHOSEN, REJECTED, on_pair, on_pairs

DISCOPOP, DPO = load("preference/discopop"), load("preference/dpo")
EXPONENTIAL = configure(load("preference/gpo"), {"shape": "exponential"})


@pytest.mark.parametrize(("gap", "sign"), [(-10, -1), (-2.5, -1), (-2.2, 1), (0, 1), (1.3, 1), (1.6, -1), (50, -1)])
def test_the_gap_opens_but_for_a_stretch_around_the_reference(gap, sign):
    chosen, rejected = on_pairs(DISCOPOP, [(float(gap), 0.0)]).gradient("logp")
    assert chosen[0] * sign > 0
    assert rejected[0] == -chosen[0]


def test_a_sharp_blend_is_exponential_in_the_right_order_and_dpo_in_the_wrong_one():
    sharp = configure(DISCOPOP, {"tau": 1e-4, "beta": 0.1})
    for pair, same in (((CHOSEN, REJECTED), EXPONENTIAL), ((REJECTED, CHOSEN), DPO)):
        assert on_pair(sharp, *pair).metrics["loss"] == on_pair(same, *pair).metrics["loss"]


def test_a_flat_blend_is_half_of_each():
    flat = on_pair(configure(DISCOPOP, {"tau": 1e12, "beta": 0.1})).metrics["loss"]
    assert flat == pytest.approx((on_pair(DPO).metrics["loss"] + on_pair(EXPONENTIAL).metrics["loss"]) / 2, abs=1e-12)


def test_a_constant_of_the_prompt_changes_nothing():
    assert on_pairs(DISCOPOP, [(1.0, -0.5)]).metrics["loss"] == on_pairs(DISCOPOP, [(3.0, 1.5)]).metrics["loss"]


@pytest.mark.parametrize("tau", [0.05, 2.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_hopeless_pair_stays_finite(dtype, tau):
    """Where e⁻ᶻ alone is infinite, times a share of 0."""
    z = torch.tensor([-1e4, -100.0, 1e4], dtype=dtype, requires_grad=True)
    loss = blended(z, torch.zeros_like(z), beta=1.0, tau=tau)
    (slope,) = torch.autograd.grad(loss.sum(), z)
    assert loss.isfinite().all()
    assert slope.isfinite().all()
    if tau == 0.05:
        assert loss[0].item() == 1e4
        assert slope[0].item() == -1

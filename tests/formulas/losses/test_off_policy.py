"""Weights between two policies: golden numbers, limits, and the bias that truncation trades for variance."""

import math

import pytest
import torch

from posttrain.formulas.losses.off_policy import banded_importance, truncated_importance, weighed

pytestmark = pytest.mark.usefixtures("float64")
OLD, ROLLOUT = torch.tensor([-1.0, -2.0, -1.0, -3.0]).double(), torch.tensor([-2.0, -1.0, -1.0, -1.0]).double()


def test_golden_numbers():
    ratio = [math.e, 1 / math.e, 1.0, math.exp(-2)]
    assert truncated_importance(OLD, ROLLOUT).tolist() == pytest.approx([2.0, *ratio[1:]])
    assert truncated_importance(OLD, ROLLOUT, cap=3.0).tolist() == pytest.approx(ratio)
    assert banded_importance(OLD, ROLLOUT).tolist() == [0, 0, 1, 0]
    assert banded_importance(OLD, ROLLOUT, low=0.3, high=2.8).tolist() == pytest.approx([*ratio[:3], 0])
    assert banded_importance(OLD[2:3], ROLLOUT[2:3], low=1.0, high=1.0).tolist() == [1.0]
    assert weighed(torch.tensor([3.0, -2.0]), torch.tensor([0.5, 2.0])).tolist() == [1.5, -4.0]


def test_the_same_policy_weighs_one():
    assert (truncated_importance(OLD, OLD) == 1).all()
    assert (banded_importance(OLD, OLD) == 1).all()


def test_weights_carry_no_gradient():
    old = OLD.clone().requires_grad_()
    assert not truncated_importance(old, ROLLOUT).requires_grad
    assert not banded_importance(old, ROLLOUT).requires_grad


def test_a_large_cap_is_unbiased_and_a_small_one_is_not():
    """Expectation under the rollout policy of w f, over a whole vocabulary, is that of f under the old policy."""
    generator = torch.Generator().manual_seed(0)
    old, rollout = torch.randn(2, 50, generator=generator, dtype=torch.float64).log_softmax(-1)
    f = torch.randn(50, generator=generator, dtype=torch.float64)
    want = (old.exp() * f).sum()
    errors = [
        abs(float((rollout.exp() * weighed(f, truncated_importance(old, rollout, cap=cap))).sum() - want))
        for cap in (1.0, 4.0, 1e9)
    ]
    assert errors[2] < 1e-12
    assert errors[0] > 0.01

"""UDRRA: every regime of information has π* as its only zero, and is the loss that its identity names."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from posttrain.evaluation.regimes import difference_alignment, optimum, preference_alignment, reward_alignment
from posttrain.formulas.losses import pairs

BETA = 0.7
REWARD = np.array([1.2, -0.4, 0.3, 2.0])
REFERENCE = np.array([0.4, 0.3, 0.2, 0.1])


def regimes(s, reward=REWARD):
    return (
        reward_alignment(s, reward, REFERENCE, BETA),
        difference_alignment(s, reward, BETA),
        preference_alignment(s, reward, BETA),
    )


def s_of(p):
    return np.log(p / REFERENCE)


@pytest.mark.paper("su2025mld")
def test_the_optimum_is_the_zero_of_all_three():
    assert regimes(s_of(optimum(REFERENCE, REWARD, BETA))) == pytest.approx((0, 0, 0), abs=1e-14)


def test_every_other_policy_is_above_zero():
    generator = np.random.default_rng(0)
    for _ in range(50):
        assert min(regimes(s_of(generator.dirichlet(np.ones(4))))) > 1e-6


def test_a_constant_reward_matters_only_where_nothing_more_than_rewards_is_known():
    """The differences and preferences do not see it, and log Z takes it up."""
    s = s_of(np.array([0.1, 0.2, 0.3, 0.4]))
    assert regimes(s, REWARD + 5) == pytest.approx(regimes(s))
    shifted = regimes(s + 1)
    assert shifted[1:] == pytest.approx(regimes(s)[1:])
    assert shifted[0] != pytest.approx(regimes(s)[0])


def test_golden_numbers():
    """Two answers: s = (1, -0.6), r = (1, 0), β = 0.5. βΔs = 0.8: (0.8 - 1)² = 0.04; KL(σ(1) || σ(0.8))."""
    s, r, ref = [1.0, -0.6], [1.0, 0.0], [0.5, 0.5]
    p, q = 1 / (1 + np.exp(-1)), 1 / (1 + np.exp(-0.8))
    log_z = np.log((np.exp(2) + 1) / 2)
    expected = ((0.5 + 0.5 * log_z - 1) ** 2 + (-0.3 + 0.5 * log_z) ** 2) / 2
    assert reward_alignment(s, r, ref, 0.5) == pytest.approx(expected)
    assert difference_alignment(s, r, 0.5) == pytest.approx(0.04)
    assert preference_alignment(s, r, 0.5) == pytest.approx(p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q)))


@pytest.mark.paper("su2025mld")
def test_preferences_alone_are_soft_dpo_without_its_entropy():
    """Σ p softplus(-z) + (1 - p) softplus(z) by the library's logistic loss, both ways round, weighted by p."""
    s, r = torch.tensor([1.0, -0.6], dtype=torch.float64), torch.tensor([1.0, 0.0], dtype=torch.float64)
    p = torch.sigmoid(r[0] - r[1])
    loss = p * pairs.logistic(s[:1], s[1:], beta=0.5) + (1 - p) * pairs.logistic(s[1:], s[:1], beta=0.5)
    entropy = -(p * p.log() + (1 - p) * (1 - p).log())
    assert preference_alignment(s.tolist(), r.tolist(), 0.5) == pytest.approx(float(loss - entropy))

"""UDRRA: every regime of information has π* as its only zero, and methods of the library are rows of the table."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.evaluation.regimes import difference_alignment, optimum, preference_alignment, reward_alignment
from posttrain.formulas.losses import pairs
from tests.harness.numbers import answer, step

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


# ---- rows of the second table of docs/regimes.md: the gradient of each method is that of its regime

PAGE = Path(__file__).parents[2] / "docs" / "regimes.md"
S = np.array([0.3, -0.2, 0.4, -0.1])
EVEN = np.full(4, 0.25)  # of the policy, so that four answers are one draw of each
TWO = REWARD[[0, 3]]


def slope(loss, s):
    """The gradient of a loss of float64 by central differences."""
    steps = 1e-5 * np.eye(len(s))
    return np.array([(loss(s + d) - loss(s - d)) / 2e-5 for d in steps])


def of_method(name, s, reward, pairs=None, **settings):
    """The gradient of a method with respect to the log-probs of answers of one token each."""
    same = {"old_value": [0.0], "value": [0.0]}
    rows = [
        answer(logp=[float(np.log(0.25))], old_logp=[float(np.log(0.25))], rollout_logp=[float(np.log(0.25))],
               ref_logp=[float(np.log(0.25) - x)], reward=float(r), **same)
        for x, r in zip(s, reward, strict=True)
    ]  # fmt: skip
    method = configure(load(name), settings)
    return np.array(step(method, *rows, pairs=pairs).gradient("logp")).ravel()


def ppo():
    """Whitening divides by the deviation and the mean over K answers is taken once: the direction is compared."""
    own = of_method("online/ppo", S, REWARD, passes=1, **{"reward_minus_fixed_kl.kl_weight": BETA})
    reference = EVEN * np.exp(-S)
    regime = slope(lambda s: reward_alignment(s, REWARD, reference / reference.sum(), BETA), S)
    regime -= regime.mean()  # log Z, and all that is the same for every answer
    return own / np.linalg.norm(own), regime / np.linalg.norm(regime)


def dro():
    """Half the square, whose gradient is divided by τ."""
    log_z = np.log(np.sum(REFERENCE * np.exp(REWARD / BETA)))
    rows = [answer(logp=[-1.0], ref_logp=[-1.0 - x], value=[BETA * log_z], reward=r) for x, r in zip(S, REWARD)]
    own = np.array(step(configure(load("offline/dro"), {"tau": BETA}), *rows).gradient("logp")).ravel()
    return own * 2 * BETA, slope(lambda s: reward_alignment(s, REWARD, REFERENCE, BETA), S)


def rpo(distance, regime):
    own = of_method("preference/rpo", S[:2], TWO, [(0, 1)], distance=distance, beta=BETA)
    return own, slope(lambda s: regime(s, TWO, BETA), S[:2])


def dpo():
    """The mean over labels that are drawn with the probabilities of the preferences."""
    p = 1 / (1 + np.exp(TWO[1] - TWO[0]))
    one, other = (of_method("preference/dpo", S[:2], TWO, [pair], beta=BETA) for pair in ((0, 1), (1, 0)))
    return p * one + (1 - p) * other, slope(lambda s: preference_alignment(s, TWO, BETA), S[:2])


ROWS = {
    "`online/ppo` | RA": ppo,
    "`offline/dro` | RA": dro,
    "`preference/rpo` with `distance: squared` | RDA": lambda: rpo("squared", difference_alignment),
    "`preference/rpo` | PRA": lambda: rpo("backward", preference_alignment),
    "`preference/dpo` | PRA": dpo,
}


@pytest.mark.paper("su2025mld")
@pytest.mark.parametrize("row", ROWS)
def test_a_method_is_a_row_of_the_table(row):
    method, regime = ROWS[row]()
    assert np.abs(regime).max() > 0.01
    assert method == pytest.approx(regime, rel=1e-4, abs=1e-6)


def test_the_page_has_these_rows():
    assert set(re.findall(r"^\| (`\w+/.*? \| \w+) \|", PAGE.read_text(encoding="utf-8"), re.M)) == set(ROWS)

"""Value iteration is exact, and with a prior it equals its closed form."""

from __future__ import annotations

import numpy as np
import pytest

from posttrain.learners.value_iteration import best, evaluated, policy_of, value_iteration
from posttrain.learners.world import Table
from posttrain.learners.worlds.chain import Chain


def bandit(*rewards: float) -> Table:
    """One state whose actions end the episode."""
    P, R = np.zeros((2, len(rewards), 2)), np.zeros((2, len(rewards)))
    P[:, :, 1], R[0] = 1, rewards
    return Table((0, 1), P, R, np.array([False, True]), np.array([1.0, 0.0]), 0.9)


@pytest.mark.parametrize(("strength", "value"), [(1.0, 0.4157), (0.1, 0.8796), (10.0, 0.3106)])
def test_golden_with_a_prior(strength, value):
    """p = (0.7, 0.3), Q = (0, 1)."""
    found = value_iteration(bandit(0.0, 1.0), prior=np.array([[0.7, 0.3]] * 2), strength=strength)
    assert found.V[0] == pytest.approx(value, abs=5e-5)
    assert found.V[1] == 0
    if strength == 1.0:
        assert list(found.policy[0]) == pytest.approx([0.4619, 0.5381], abs=5e-5)


def test_the_limits_of_the_strength():
    Q, p = np.array([[0.0, 1.0]]), np.array([[0.7, 0.3]])
    assert policy_of(Q, p, 1e-3)[0] == pytest.approx([0, 1])
    assert policy_of(Q, p, 1e6)[0] == pytest.approx(p[0], abs=1e-6)
    assert policy_of(Q, p, 0.0)[0] == pytest.approx([0, 1])
    assert policy_of(np.array([[1.0, 1.0]]))[0] == pytest.approx([0.5, 0.5])
    assert best(Q, p, 1e-3) == pytest.approx([1], abs=2e-3)


def test_the_regularised_values_are_those_of_their_policy_less_its_kl():
    """V = E_π Σ γ^t (r - λ KL(π || p)), and no policy has more."""
    table, strength = Chain(length=5).table(), 0.3
    prior = np.tile([0.8, 0.2], (5, 1))
    found = value_iteration(table, prior=prior, strength=strength)

    def worth(policy):
        kl = (policy * np.log(policy / prior)).sum(axis=1, keepdims=True)
        paid = np.where(table.terminal[:, None], 0.0, table.R - strength * kl)
        return evaluated(Table(table.states, table.P, paid, table.terminal, table.start, table.discount), policy)

    assert worth(found.policy) == pytest.approx(found.V, abs=1e-9)
    for other in ([0.8, 0.2], [0.3, 0.7], [0.6, 0.4]):
        assert (worth(np.tile(other, (5, 1))) <= found.V + 1e-12).all()


def test_a_policy_is_evaluated_exactly():
    table = Chain(length=4).table()
    values = value_iteration(table)
    assert evaluated(table, values.policy) == pytest.approx(values.V, abs=1e-9)
    assert (evaluated(table, np.full((4, 2), 0.5)) <= values.V + 1e-12).all()
    assert np.allclose(values.Q[:3], (table.R + table.discount * table.P @ values.V)[:3])
